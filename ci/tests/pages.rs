//! The pages that a long run makes, against the races and steps that there are: nobody runs that with every change, so what is
//! newer than a page is named there, in a line that begins with [`NEWER`].

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::support::{gupcheck, word};

/// How the line begins that names what a page does not have yet: between backquotes, or `nothing`.
const NEWER: &str = "Newer than these tables: ";

fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs")
        .join(name);
    std::fs::read_to_string(path).expect("the page is there")
}

fn newer(page: &str) -> BTreeSet<String> {
    let lines = page.lines().filter_map(|line| line.strip_prefix(NEWER));
    let words = lines.flat_map(|line| line.split('`').skip(1).step_by(2));
    words.map(str::to_owned).collect()
}

/// The first cells of the rows of a page's tables, so many of each.
fn cells(page: &str, many: usize) -> BTreeSet<String> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| "));
    rows.map(|row| row.split(" | ").take(many).collect::<Vec<_>>().join(" "))
        .collect()
}

/// What a page lacks, or has too much: of `all` names, and what is in it, and what it calls newer.
fn complaints(
    all: &BTreeSet<String>,
    told: &BTreeSet<String>,
    newer: &BTreeSet<String>,
) -> Vec<String> {
    let absent = all.difference(told).filter(|name| !newer.contains(*name));
    let gone = told.difference(all);
    let both = newer.iter().filter(|name| told.contains(*name));
    let unknown = newer.difference(all);
    (absent.map(|name| format!("{name} is missing, and not called newer")))
        .chain(gone.map(|name| format!("{name} is there no more")))
        .chain(both.map(|name| format!("{name} is called newer, and is there")))
        .chain(unknown.map(|name| format!("{name} is called newer, and does not exist")))
        .collect()
}

/// The races that the matrix and the benchmark are about.
fn races() -> Vec<Value> {
    let mut races = gupcheck(&["list", "--json"]);
    races.retain(|race| !word(race, "race").starts_with("peer/"));
    races
}

fn names<'a>(of: impl IntoIterator<Item = &'a Value>, field: &str) -> BTreeSet<String> {
    of.into_iter()
        .map(|one| word(one, field).to_owned())
        .collect()
}

#[test]
fn the_matrix_has_every_race_and_every_step() {
    let page = page("matrix.md");
    let (steps, controls) = page
        .split_once("## The races with every step in place")
        .expect("the tables of steps come first");
    let races = names(&races(), "race");
    let listed = gupcheck(&["list", "--steps", "--json"]);
    let all_steps = names(&listed, "step");
    let is_head = |name: &String| ["step", "race", "---"].contains(&name.as_str());
    let told = |part: &str| -> BTreeSet<String> {
        let mut told = cells(part, 1);
        told.retain(|name| !is_head(name));
        told
    };
    let newer = newer(&page);
    let (newer_races, newer_steps) = newer.into_iter().partition(|name| name.contains('/'));
    let mut wrong = complaints(&races, &told(controls), &newer_races);
    wrong.extend(complaints(&all_steps, &told(steps), &newer_steps));
    assert!(wrong.is_empty(), "docs/matrix.md: {}", wrong.join("; "));
    assert!(page.contains(NEWER));
}

#[test]
fn the_benchmark_has_every_race() {
    let page = page("bench.md");
    let mut told = cells(&page, 1);
    told.retain(|name| name.contains('/'));
    let wrong = complaints(&names(&races(), "race"), &told, &newer(&page));
    assert!(wrong.is_empty(), "docs/bench.md: {}", wrong.join("; "));
    assert!(page.contains(NEWER));
}

/// The page about needs is of some families; of these it has all.
#[test]
fn what_the_page_about_needs_tells_is_still_declared() {
    let mut told = cells(&page("needs.md"), 3);
    told.retain(|row| row.contains('/'));
    let family = |row: &str| row.split('/').next().unwrap_or_default().to_owned();
    let families: BTreeSet<_> = told.iter().map(|row| family(row)).collect();
    let mut declared = BTreeSet::new();
    for race in races() {
        let name = word(&race, "race");
        if !families.contains(&family(name)) {
            continue;
        }
        for need in race["needs"].as_array().expect("a list") {
            for profile in need["profiles"].as_array().expect("a list") {
                let profile = profile.as_str().expect("a string");
                declared.insert(format!("{name} {profile} {}", word(need, "step")));
            }
        }
    }
    let wrong = complaints(&declared, &told, &newer(&page("needs.md")));
    assert!(wrong.is_empty(), "docs/needs.md: {}", wrong.join("; "));
    assert!(told.len() > 50, "{told:?}");
}

/// The tests above can fail, in each way.
#[test]
fn a_page_that_is_old_is_told() {
    let set = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let told = |all: &[&str], told: &[&str], newer: &[&str]| {
        complaints(&set(all), &set(told), &set(newer)).join("; ")
    };
    assert_eq!(told(&["a/b", "a/c"], &["a/b"], &["a/c"]), "");
    let missing = "a/c is missing, and not called newer";
    assert_eq!(told(&["a/b", "a/c"], &["a/b"], &[]), missing);
    assert_eq!(told(&[], &["a/b"], &[]), "a/b is there no more");
    let both = "a/b is called newer, and is there";
    assert_eq!(told(&["a/b"], &["a/b"], &["a/b"]), both);
    let unknown = "a/d is called newer, and does not exist";
    assert_eq!(told(&[], &[], &["a/d"]), unknown);
    let text = "| a/b | x |\n\nNewer than these tables: `a/c`, `a/d`\n";
    assert_eq!(newer(text), set(&["a/c", "a/d"]));
    assert_eq!(cells(text, 1), set(&["a/b"]));
}
