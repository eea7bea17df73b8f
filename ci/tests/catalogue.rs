//! The page about words and numbers, against the races that there are: one row for each number of the catalogue, in order;
//! every race is named there, in its own number's row; and every name there is a race's.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::{gupcheck, word};

/// A race: its name, and its number without the letter of a variant (`R06`).
struct Race {
    name: String,
    number: String,
}

/// What is between the first two backquotes, the next two, and so on.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The races that a text names: `family/race`.
fn names(text: &str) -> BTreeSet<&str> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_name = |word: &&str| {
        word.split_once('/').is_some_and(|(family, race)| {
            !race.is_empty() && family.chars().all(plain) && race.chars().all(plain)
        })
    };
    quoted(text).filter(is_name).collect()
}

/// The rows of the races' table: number, and the whole row.
fn rows(page: &str) -> Vec<(&str, &str)> {
    let section = page.split("\n## ").find(|part| part.starts_with("Races\n"));
    let numbered = |line: &'_ &str| line.starts_with("| R") || line.starts_with("| K");
    let lines = section.unwrap_or_default().lines().filter(numbered);
    lines
        .map(|line| (line.split(' ').nth(1).unwrap_or_default(), line))
        .collect()
}

/// Where a number comes: `R` before `K`, then by the number.
fn place(number: &str) -> (bool, u32) {
    let (kind, digits) = number.split_at(1);
    (kind == "K", digits.parse().expect("a number"))
}

/// Whether `pairs/A-B` of the page stands for a race: both halves are mutators that it names.
fn is_pair(page: &str, race: &str) -> bool {
    let known = |name: &str| quoted(page).any(|word| word == name);
    let pair = race.strip_prefix("pairs/").and_then(|r| r.split_once('-'));
    pair.is_some_and(|(one, other)| known("pairs/A-B") && known(one) && known(other))
}

/// What is wrong with the page.
fn complaints(page: &str, races: &[Race]) -> Vec<String> {
    let mut wrong = Vec::new();
    let rows = rows(page);
    for pair in rows.windows(2) {
        if place(pair[0].0) >= place(pair[1].0) {
            wrong.push(format!("{} comes before {}", pair[0].0, pair[1].0));
        }
    }
    let everywhere = names(page);
    for Race { name, number } in races {
        let of_row = rows.iter().find(|row| row.0 == number);
        if !everywhere.contains(name.as_str()) && !is_pair(page, name) {
            wrong.push(format!("{name} is not named"));
        } else if number.starts_with(['R', 'K'])
            && !of_row.is_some_and(|row| names(row.1).contains(name.as_str()))
        {
            wrong.push(format!("{name} is not in the row of {number}"));
        }
    }
    for name in everywhere {
        if !races.iter().any(|race| race.name == name) {
            wrong.push(format!("{name} is no race"));
        }
    }
    wrong
}

/// First cells that stand twice in one table of a page.
fn twice(page: &str) -> Vec<&str> {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for line in page.lines() {
        match line
            .strip_prefix("| ")
            .and_then(|row| row.split(" | ").next())
        {
            Some("---") => {}
            Some(first) if !seen.insert(first) => wrong.push(first),
            Some(_) => {}
            None => seen.clear(),
        }
    }
    wrong
}

#[test]
fn no_row_stands_twice() {
    assert_eq!(
        twice("| a | b |\n| --- | --- |\n| c | d |\n| a | e |\n\n| c | f |\n"),
        ["a"]
    );
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    for name in ["catalogue.md", "limits.md", "mutators.md"] {
        let page = std::fs::read_to_string(docs.join(name)).expect("the page is there");
        assert_eq!(twice(&page), [""; 0], "docs/{name}");
    }
}

#[test]
fn the_catalogue_names_every_race_and_no_other() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/catalogue.md");
    let page = std::fs::read_to_string(path).expect("the page is there");
    let listed = gupcheck(&["list", "--json"]);
    let of = |race| Race {
        name: word(race, "race").to_owned(),
        number: word(race, "catalogue")
            .trim_end_matches(char::is_lowercase)
            .to_owned(),
    };
    let races: Vec<_> = listed.iter().map(of).collect();
    let wrong = complaints(&page, &races);
    assert!(wrong.is_empty(), "docs/catalogue.md: {}", wrong.join("; "));
    assert!(rows(&page).len() > 40 && races.len() > 100);
}

/// The test above can fail, in each way.
#[test]
fn a_page_that_is_wrong_is_told() {
    let page = "# Words\n\n## Races\n\n| id | race |\n| --- | --- |\n| R01 | `a/b` |\n| R06 | `a/c` |\n| K3 | `a/d` |\n\n\
                ## Pairs\n\n`pairs/A-B`: `zap`, `fault`; see `a/b/c.rs`\n";
    let race = |name: &str, number: &str| Race {
        name: name.to_owned(),
        number: number.to_owned(),
    };
    let races = || {
        let all = [
            ("a/b", "R01"),
            ("a/c", "R06"),
            ("a/d", "K3"),
            ("pairs/zap-fault", "-"),
        ];
        Vec::from(all.map(|(name, number)| race(name, number)))
    };
    let told = |page: &str, races: &[Race]| complaints(page, races).join("; ");
    assert_eq!(told(page, &races()), "");
    let twice = page.replace("| K3", "| R06 | again |\n| K3");
    assert_eq!(told(&twice, &races()), "R06 comes before R06");
    let turned = page.replace("R06", "R00").replace("`a/c`", "`a/b`, `a/c`");
    let mut renumbered = races();
    renumbered[1].number = "R00".to_owned();
    assert_eq!(told(&turned, &renumbered), "R01 comes before R00");
    let with = |name: &str, number: &str| {
        let mut more = races();
        more.push(race(name, number));
        told(page, &more)
    };
    assert_eq!(with("a/e", "-"), "a/e is not named");
    assert_eq!(with("pairs/zap-split", "-"), "pairs/zap-split is not named");
    assert_eq!(with("a/b", "R06"), "a/b is not in the row of R06");
    assert_eq!(with("a/b", "R07"), "a/b is not in the row of R07");
    let more = page.replace("`a/d`", "`a/d`, `a/x`");
    assert_eq!(told(&more, &races()), "a/x is no race");
}
