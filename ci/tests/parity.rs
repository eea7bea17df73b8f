//! `docs/gup-parity.md`: which of our items is which piece of `mm/gup.c`, what pins its behaviour, and where it differs.
//!
//! It is made of what stands in the code, so it cannot rot. `UPDATE_EXPECT=1` writes it anew.
//!
//! - Our item for a function of the kernel is the one whose documentation begins with that function's name, in backquotes.
//! - A test says above itself which excerpts it pins: `// PARITY: 16, 54`.
//! - What differs is said where it does: `// PARITY 26: no hugetlb`, and as many comment lines more as it takes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

const EXCERPTS: &str = include_str!("parity/excerpts.tsv");

/// One of the 64 excerpts.
struct Excerpt {
    number: &'static str,
    functions: Vec<&'static str>,
    whole: bool,
}

fn excerpts() -> Vec<Excerpt> {
    let rows = EXCERPTS.lines().filter(|line| !line.starts_with('#'));
    rows.map(|line| {
        let mut fields = line.split('\t');
        let mut next = || fields.next().expect("three fields");
        Excerpt {
            number: next(),
            functions: next().split(' ').collect(),
            whole: next() == "whole",
        }
    })
    .collect()
}

/// What the sources say.
#[derive(Default)]
struct Said {
    /// Our items, by the kernel's function.
    items: BTreeMap<String, BTreeSet<String>>,
    /// Tests, by excerpt.
    tests: BTreeMap<String, BTreeSet<String>>,
    /// Where we differ, by excerpt.
    differs: BTreeMap<String, BTreeSet<String>>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            files.push(path);
        }
    }
    files.sort();
}

/// The names in backquotes with which a line of documentation begins.
fn named(line: &str) -> Vec<&str> {
    let Some(mut rest) = line.trim_start().strip_prefix("/// ") else {
        return Vec::new();
    };
    let mut names = Vec::new();
    while let Some((name, after)) = rest.strip_prefix('`').and_then(|rest| rest.split_once('`')) {
        names.push(name);
        rest = after.trim_start_matches([',', ' ']);
        rest = rest.strip_prefix("and ").unwrap_or(rest);
    }
    names
}

/// The function that begins at or after a line.
fn function_after<'a>(lines: &[&'a str]) -> Option<&'a str> {
    let line = lines.iter().find(|line| line.contains("fn "))?;
    let (_, rest) = line.split_once("fn ")?;
    rest.split(['(', '<']).next()
}

/// A comment's text from `first` on, over as many comment lines as follow.
fn comment(first: &str, following: &[&str]) -> String {
    let mut text = first.trim().to_owned();
    for line in following {
        let Some(more) = line.trim_start().strip_prefix("// ") else {
            break;
        };
        text.push(' ');
        text.push_str(more.trim());
    }
    text
}

fn read(said: &mut Said, path: &Path, shown: &str, tests: bool) {
    let text = fs::read_to_string(path).expect("a source file");
    let lines: Vec<&str> = text.lines().collect();
    for (nth, line) in lines.iter().enumerate() {
        let following = &lines[nth + 1..];
        if tests {
            let Some(numbers) = line.trim().strip_prefix("// PARITY: ") else {
                continue;
            };
            let test = function_after(following).expect("a test under its mark");
            for number in numbers.split(", ") {
                let tests = said.tests.entry(number.to_owned()).or_default();
                tests.insert(format!("`{shown}::{test}`"));
            }
            continue;
        }
        for name in named(line) {
            if let Some(item) = function_after(following) {
                let items = said.items.entry(name.to_owned()).or_default();
                items.insert(format!("`{shown}::{item}`"));
            }
        }
        if let Some(rest) = line.trim().strip_prefix("// PARITY ")
            && let Some((number, first)) = rest.split_once(": ")
        {
            let differs = said.differs.entry(number.to_owned()).or_default();
            differs.insert(comment(first, following));
        }
    }
}

fn said() -> Said {
    let mut said = Said::default();
    let root = root();
    for (folder, tests) in [
        ("core/src", false),
        ("core/tests/conformance", true),
        ("scenarios", true),
    ] {
        let base = root.join(folder);
        let mut files = Vec::new();
        sources(&base, &mut files);
        for path in files {
            let relative = path.strip_prefix(&base).expect("a file below it");
            let shown = relative.with_extension("").display().to_string();
            read(&mut said, &path, &shown, tests);
        }
    }
    said
}

fn joined(set: Option<&BTreeSet<String>>, with: &str) -> String {
    set.map_or_else(String::new, |set| {
        set.iter().cloned().collect::<Vec<_>>().join(with)
    })
}

/// Whether an excerpt is what the kernel has: what differs is said, and what nobody tests is told.
fn page(excerpts: &[Excerpt], said: &Said) -> String {
    let absent =
        |excerpt: &Excerpt| !(excerpt.functions.iter()).any(|name| said.items.contains_key(*name));
    let differing = |excerpt: &&Excerpt| said.differs.contains_key(excerpt.number);
    let mut page = String::from(
        "# Parity with mm/gup.c\n\nMade by `ci/tests/parity.rs` of what stands in the code; `UPDATE_EXPECT=1` makes it anew. The excerpts are 64\npieces of v6.8's gup.c that somebody annotated, by their numbers: 1 to 61, and three of an older list, O1 to O3. *Faithful* is an excerpt of which nothing is said to differ.\n\n",
    );
    let gone = excerpts.iter().filter(|excerpt| absent(excerpt)).count();
    let differ = (excerpts.iter())
        .filter(|excerpt| differing(excerpt) && !absent(excerpt))
        .count();
    let untested = excerpts
        .iter()
        .filter(|excerpt| !said.tests.contains_key(excerpt.number));
    let _ = writeln!(
        page,
        "**{} excerpts: {} faithful, {differ} with a deviation, {gone} absent; {} without a test that names them.**\n",
        excerpts.len(),
        excerpts.len() - differ - gone,
        untested.count(),
    );
    page.push_str(
        "## Excerpts\n\n| # | of | ours | pinned by | differs |\n| --- | --- | --- | --- | --- |\n",
    );
    for excerpt in excerpts {
        let names: Vec<_> = (excerpt.functions.iter())
            .map(|name| format!("`{name}`"))
            .collect();
        let ours: BTreeSet<String> = (excerpt.functions.iter())
            .filter_map(|name| said.items.get(*name))
            .flatten()
            .cloned()
            .collect();
        let _ = writeln!(
            page,
            "| {} | {}{} | {} | {} | {} |",
            excerpt.number,
            names.join(", "),
            if excerpt.whole { "" } else { ", a part" },
            joined(Some(&ours), ", "),
            joined(said.tests.get(excerpt.number), ", "),
            joined(said.differs.get(excerpt.number), "; "),
        );
    }
    page.push_str("\n## Functions\n\n| function | ours | excerpts |\n| --- | --- | --- |\n");
    let names: BTreeSet<&str> = excerpts.iter().flat_map(|e| e.functions.clone()).collect();
    for name in names {
        let of = excerpts.iter().filter(|e| e.functions.contains(&name));
        let numbers: Vec<_> = of.map(|e| e.number).collect();
        let ours = joined(said.items.get(name), ", ");
        let _ = writeln!(page, "| `{name}` | {ours} | {} |", numbers.join(", "));
    }
    page
}

#[test]
fn the_page_is_what_the_code_says() {
    let path = root().join("docs/gup-parity.md");
    let page = page(&excerpts(), &said());
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, &page).expect("the page can be written");
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, page, "run with UPDATE_EXPECT=1");
}

#[test]
fn every_excerpt_is_ours_or_said_to_differ_and_every_mark_names_one() {
    let (excerpts, said) = (excerpts(), said());
    assert_eq!(excerpts.len(), 64);
    for excerpt in &excerpts {
        for name in &excerpt.functions {
            let there = said.items.contains_key(*name);
            let told = said.differs.contains_key(excerpt.number);
            assert!(there || told, "{}: {name} is nobody's", excerpt.number);
        }
        let tested = said.tests.contains_key(excerpt.number);
        let told = said.differs.contains_key(excerpt.number);
        assert!(tested || told, "{} is pinned by no test", excerpt.number);
    }
    let numbers: BTreeSet<_> = excerpts.iter().map(|excerpt| excerpt.number).collect();
    for number in said.tests.keys().chain(said.differs.keys()) {
        assert!(numbers.contains(number.as_str()), "there is no {number}");
    }
}
