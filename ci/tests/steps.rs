//! Every step carries something, or says why it does not: what `list --steps` says of each, against what the races
//! declare. That a race needs what it declares, and nothing else, is computed by the race's own tests
//! (`races/src/harness/necessity.rs`).

use std::collections::BTreeSet;

use crate::support::{gupcheck, word};
use serde_json::Value;

fn steps_of(races: &[Value], list: fn(&Value) -> Vec<&str>) -> BTreeSet<&str> {
    races.iter().flat_map(list).collect()
}

/// What is wrong with a step that stands as it says, given whether some race needs it, and whether some race tries
/// to do without it.
fn complaint(standing: &str, needed: bool, tried: bool, reasoned: bool) -> Option<&'static str> {
    match (standing, needed, tried) {
        ("carried", false, _) => Some("is carried by no race"),
        ("carried", true, _) if reasoned => Some(
            "is carried by a race now, and `Step::standing` (core/src/step.rs) says that it is not",
        ),
        ("control", _, false) => Some("is a control that no race tries"),
        ("not-yet", _, true) => Some("is tried by a race, of which it says nothing"),
        ("not-yet" | "redundant", ..) if !reasoned => Some("does not say why"),
        ("carried" | "control" | "not-yet" | "redundant", ..) => None,
        _ => Some("stands in a way that nobody knows"),
    }
}

#[test]
fn every_step_is_carried_or_says_why_it_is_not() {
    let races = gupcheck(&["list", "--json"]);
    let needed = steps_of(&races, |race| {
        let needs = race["needs"].as_array().expect("a list").iter();
        needs.map(|need| word(need, "step")).collect()
    });
    let tried = steps_of(&races, |race| {
        let controls = race["controls"].as_array().expect("a list").iter();
        controls
            .map(|step| step.as_str().expect("a string"))
            .collect()
    });
    let steps = gupcheck(&["list", "--steps", "--json"]);
    let mut wrong = Vec::new();
    for step in &steps {
        let name = word(step, "step");
        let (needed, tried) = (needed.contains(name), tried.contains(name));
        let reasoned = step["why"].as_str().is_some_and(|why| !why.is_empty());
        if let Some(why) = complaint(word(step, "standing"), needed, tried, reasoned) {
            wrong.push(format!("{name} {why}"));
        }
        let carriers = step["carried_by"].as_array().expect("a list");
        assert_eq!(!carriers.is_empty(), needed, "{step}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("; "));
    assert!(steps.len() > 30, "only {} steps", steps.len());
}

/// The test above can fail.
#[test]
fn a_step_that_stands_wrongly_is_told() {
    for (standing, needed, tried, reasoned) in [
        ("carried", false, false, false),
        ("carried", true, false, true),
        ("not-yet", false, true, true),
        ("not-yet", false, false, false),
        ("redundant", false, false, false),
        ("control", false, false, false),
        ("heavy", true, false, true),
    ] {
        let said = complaint(standing, needed, tried, reasoned);
        assert!(said.is_some(), "{standing} {needed} {tried} {reasoned}");
    }
    assert_eq!(complaint("carried", true, true, false), None);
    assert_eq!(complaint("redundant", false, true, true), None);
}

/// On x86 the clear, the flush and whoever looks have a barrier each: one of them is enough for R03, and without all three
/// it is back. So each makes the others redundant there, and none of them does nothing. (For R02 not even one is needed
/// there: khugepaged takes a lock in between, which on x86 is a full barrier.)
#[test]
fn on_x86_three_barriers_are_each_others_spares() {
    const ALL: [&str; 3] = ["clear-barrier", "flush-barrier", "peek-barrier"];
    let verdict = |without: &[&str]| {
        let mut arguments = vec!["run", "pte-clear/share", "--profile", "x86-pv"];
        arguments.extend(["--json", "--max-seconds", "0"]);
        for step in without {
            arguments.extend(["--knock-out", step]);
        }
        let runs = gupcheck(&arguments);
        // The name is that of others, too, and more.
        let share = runs
            .iter()
            .find(|run| word(run, "race") == "pte-clear/share");
        word(share.expect("it was run"), "verdict").to_owned()
    };
    for last in ALL {
        let others: Vec<_> = ALL.into_iter().filter(|&step| step != last).collect();
        assert_eq!(verdict(&others), "complete", "{last} alone");
    }
    assert_eq!(verdict(&ALL), "failed");
}
