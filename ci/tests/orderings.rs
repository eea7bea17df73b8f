//! The `ORDERING:` comments of the kernel model, against the steps and the races that there are: each names its step, or
//! says that it has none; a partner has the id beside it; and a race that is said to come back without a step is one that
//! rests on it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{gupcheck, word};
use serde_json::Value;

/// What `list` says of a step.
struct Listed {
    id: String,
    carried: bool,
    /// The catalogue's ids of the races that rest on it.
    races: Vec<String>,
}

fn listed() -> BTreeMap<String, Listed> {
    let races = gupcheck(&["list", "--json"]);
    let id_of = |name: &Value| {
        let race = races.iter().find(|race| &race["race"] == name);
        word(race.expect("a race that is listed"), "catalogue").to_owned()
    };
    let steps = gupcheck(&["list", "--steps", "--json"]).into_iter();
    let entry = |step: Value| {
        let carriers = step["carried_by"].as_array().expect("a list");
        let listed = Listed {
            id: word(&step, "id").to_owned(),
            carried: step["standing"] == "carried",
            races: carriers.iter().map(id_of).collect(),
        };
        (word(&step, "step").to_owned(), listed)
    };
    steps.map(entry).collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// The comments of a source that say how something is ordered, each as one line.
fn comments(source: &str) -> Vec<String> {
    let mut comments: Vec<String> = Vec::new();
    let mut is_inside = false;
    for line in source.lines() {
        let comment = line.trim().strip_prefix("// ");
        let begins = comment.and_then(|text| text.strip_prefix("ORDERING: "));
        is_inside &= comment.is_some();
        match (begins, comment) {
            (Some(text), _) => comments.push(text.to_owned()),
            (None, Some(text)) if is_inside => {
                let last = comments.last_mut().expect("it has begun");
                last.push(' ');
                last.push_str(text);
            }
            _ => {}
        }
        is_inside |= begins.is_some();
    }
    comments
}

/// Whether a word is a letter and a number, perhaps with another letter behind: `R06a`, `P12`.
fn is_id(word: &str, prefix: &str) -> bool {
    word.strip_prefix(prefix)
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// What is wrong with a comment.
fn complaints(comment: &str, steps: &BTreeMap<String, Listed>) -> Vec<String> {
    let mut wrong = Vec::new();
    let quoted: Vec<_> = comment.split('`').skip(1).step_by(2).collect();
    let named: Vec<_> = quoted.iter().filter_map(|name| steps.get(*name)).collect();
    if let Some(unknown) = quoted.iter().find(|name| !steps.contains_key(**name)) {
        wrong.push(format!("`{unknown}` is no step"));
    }
    if named.is_empty() && !comment.contains("No step") {
        wrong.push("no step is named".to_owned());
    }
    let is_mark = |c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let words: Vec<_> = comment
        .split(is_mark)
        .filter(|word| !word.is_empty())
        .collect();
    for (nth, &word) in words.iter().enumerate() {
        let is_step_id = is_id(word, "P") || is_id(word, "M-P");
        if is_step_id && !steps.values().any(|step| step.id == word) {
            wrong.push(format!("{word} is no step's id"));
        }
        let before = nth.checked_sub(1).and_then(|nth| steps.get(words[nth]));
        if is_step_id && before.is_some_and(|step| step.id != word) {
            wrong.push(format!("{word} is not {}", words[nth - 1]));
        }
        let rests = |step: &&&Listed| step.races.iter().any(|id| id.starts_with(word));
        let is_claimed = named.iter().any(|step| step.carried);
        if is_id(word, "R") && is_claimed && named.iter().find(rests).is_none() {
            wrong.push(format!("{word} does not rest on it"));
        }
    }
    wrong
}

#[test]
fn comments_on_ordering_name_steps_and_races_that_rest_on_them() {
    let steps = listed();
    let mut files = Vec::new();
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src");
    sources(&core, &mut files);
    let (mut seen, mut wrong) = (0, Vec::new());
    for file in files {
        let source = fs::read_to_string(&file).expect("UTF-8");
        for comment in comments(&source) {
            seen += 1;
            let complaints = complaints(&comment, &steps).into_iter();
            wrong.extend(complaints.map(|why| format!("{}: {why}: {comment}", file.display())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 40, "only {seen} comments");
}

/// What is asked of comments can fail.
#[test]
fn a_wrong_comment_is_found() {
    let listed = |id: &str, carried, race: &str| Listed {
        id: id.to_owned(),
        carried,
        races: vec![race.to_owned()],
    };
    let steps = BTreeMap::from([
        ("pin-barrier".to_owned(), listed("P12", true, "R06a")),
        ("share-barrier".to_owned(), listed("M-P9", false, "")),
    ]);
    for right in [
        "full. Pairs with share-barrier (M-P9). Without it: R06. Step `pin-barrier`.",
        "full. Pairs with pin-barrier (P12). Without it: R03 B. Step `share-barrier`.",
        "release. Pairs with the next trylock. No step.",
    ] {
        assert_eq!(complaints(right, &steps), [""; 0], "{right}");
    }
    for (text, why) in [
        (
            "full. Without it: R05. Step `pin-barrier`.",
            "R05 does not rest on it",
        ),
        (
            "full. Pairs with pin-barrier (P2). No step.",
            "P2 is no step's id",
        ),
        (
            "full. Pairs with pin-barrier (M-P9). No step.",
            "M-P9 is not pin-barrier",
        ),
        ("full. Step `pin-barier`.", "`pin-barier` is no step"),
        ("full, as ever.", "no step is named"),
    ] {
        let said = complaints(text, &steps);
        assert!(said.iter().any(|said| said == why), "{text}: {said:?}");
    }
    let source = "    // ORDERING: full,\n    // as ever.\n    let x = 1;\n    // Not this.\n";
    assert_eq!(comments(source), ["full, as ever."]);
}
