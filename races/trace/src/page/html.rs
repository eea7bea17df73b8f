//! The page: everything in one file.

use super::super::finding::Finding;
use super::super::report::headline_of;
use super::document::Document;
use super::escape::escaped;
use super::svg;

const TEMPLATE: &str = include_str!("page.html");

/// A finding as one HTML file that needs nothing else.
pub fn html(finding: &Finding<'_>) -> String {
    let document = serde_json::to_string(&Document::of(finding)).unwrap_or_default();
    // Inside a script element, only the end of that element is special.
    let document = document.replace("</", "<\\/");
    let subject = &finding.subject;
    let without: Vec<_> = (subject.without.iter()).map(|step| step.name).collect();
    let mut title = format!("{} under {}", subject.race, subject.profile);
    if !without.is_empty() {
        title.push_str(" without ");
        title.push_str(&without.join(", "));
    }
    let mut page = String::with_capacity(TEMPLATE.len() + document.len());
    let parts = [
        ("title", escaped(&title)),
        ("headline", escaped(&headline_of(finding))),
        ("lanes", svg(finding, true)),
        ("data", document),
    ];
    let mut rest = TEMPLATE;
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
