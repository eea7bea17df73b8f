//! A template and what stands in its gaps.

/// A template in which each `{{ name }}` is a gap, with these parts in the gaps of their names.
pub fn filled(template: &str, parts: &[(&str, String)]) -> String {
    let length: usize = parts.iter().map(|(_, text)| text.len()).sum();
    let mut page = String::with_capacity(template.len() + length);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        page.push_str(before);
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        let part = parts.iter().find(|(known, _)| *known == name.trim());
        page.push_str(part.map_or("", |(_, text)| text));
        rest = after;
    }
    page.push_str(rest);
    page
}
