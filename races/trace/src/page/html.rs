//! The page: everything in one file.

use super::super::finding::Finding;
use super::super::history::History;
use super::super::ordering::paragraphs;
use super::super::report::{broken_rule, headline_of};
use super::document::Document;
use super::escape::escaped;
use super::fill::filled;
use super::svg::on_page;

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
    let history = History::of(finding.program, finding.counterexample);
    let parts = [
        ("title", escaped(&title)),
        ("headline", escaped(&headline_of(finding))),
        ("missing", missing(finding)),
        ("rule", escaped(&broken_rule(finding, &history))),
        ("also", also(finding)),
        ("ordering", ordering(finding, &history)),
        ("legend", legend(finding)),
        ("lanes", on_page(finding, false)),
        ("every", on_page(finding, true)),
        ("data", document),
    ];
    filled(TEMPLATE, &parts)
}

/// The other rules that are broken, a paragraph each.
fn also(finding: &Finding<'_>) -> String {
    let rules = finding.counterexample.also_broken(finding.program);
    let told = rules.iter().map(|rule| {
        let rule = escaped(rule);
        format!("<p><b>also broken</b> always {rule}</p>\n")
    });
    told.collect()
}

/// Which ordering was missing, a paragraph each, with what is dim in small print.
fn ordering(finding: &Finding<'_>, history: &History<'_>) -> String {
    let Some(remedies) = finding.aside.remedies else {
        return String::new();
    };
    let told = paragraphs(history, remedies).into_iter().map(|lines| {
        let (first, others) = lines.split_first().map_or(("", &[][..]), |(f, o)| (f, o));
        let others: Vec<String> = others.iter().map(|line| escaped(line)).collect();
        format!(
            "<p><b>missing ordering</b> {}<br><span class=\"dim edges\">{}</span></p>\n",
            escaped(first),
            others.join("\n")
        )
    });
    told.collect()
}

/// The steps that nobody takes, a paragraph each.
fn missing(finding: &Finding<'_>) -> String {
    let subject = &finding.subject;
    let steps = (subject.without.iter().map(|step| ("without", step)))
        .chain(subject.before.iter().map(|step| ("before", step)));
    let told = steps.map(|(how, step)| {
        format!(
            "<p><b>{how}</b> {} ({}): {} <span class=\"dim\">It pairs with {}.</span></p>",
            escaped(step.name),
            escaped(step.id),
            escaped(step.does),
            escaped(step.pairs_with)
        )
    });
    told.collect::<Vec<_>>().concat()
}

/// The abbreviations of the subject's own.
fn legend(finding: &Finding<'_>) -> String {
    let rows = finding.subject.legend.iter();
    rows.map(|(word, meaning)| format!("<dt>{}</dt><dd>{}</dd>", escaped(word), escaped(meaning)))
        .collect::<Vec<_>>()
        .concat()
}
