//! Which ordering was missing, as a failing race tells it: where a barrier was taken away, that barrier, or a weaker one that does, of
//! the CPU that had it; and that with it nothing fails.

use std::process::Command;

use serde_json::Value;

/// A race, a profile, the step that is knocked out; then what is told first, and of which CPU.
type Row = [&'static str; 5];

const ROWS: [Row; 11] = [
    [
        "protect/huge",
        "weak",
        "pin-barrier",
        "smp_mb between",
        "cpu0 gup",
    ],
    [
        "protect/huge",
        "arm64",
        "pin-barrier",
        "smp_mb between",
        "cpu0 gup",
    ],
    [
        "fault/table-garbage",
        "weak",
        "table-publish-barrier",
        "smp_store_release at",
        "fault",
    ],
    [
        "fault/table-garbage",
        "arm64",
        "table-publish-barrier",
        "smp_store_release at",
        "fault",
    ],
    [
        "thp-fault/publish",
        "arm64",
        "folio-publish-barrier",
        "smp_store_release at",
        "fault",
    ],
    [
        "thp-split/pin-through-pmd",
        "weak",
        "peek-barrier",
        "smp_mb between",
        "split",
    ],
    [
        "reclaim/lazyfree",
        "weak",
        "lazyfree-barrier",
        "smp_mb between",
        "kswapd",
    ],
    [
        "migration/stale-write",
        "weak",
        "rmap-ordered",
        "smp_store_release at",
        "migration",
    ],
    [
        "devmap/layout",
        "arm64",
        "flush-barrier",
        "smp_mb between",
        "truncate",
    ],
    [
        "walker/vmemmap-pfn",
        "weak",
        "unfreeze-release",
        "smp_store_release at",
        "hugetlb",
    ],
    [
        "pte-clear/next-life",
        "weak",
        "put-ordered",
        "smp_store_release at",
        "allocator",
    ],
];

/// What a run tells of the orderings that were missing.
fn missing(race: &str, profile: &str, step: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_gupcheck"))
        .args([
            "run",
            race,
            "--profile",
            profile,
            "--knock-out",
            step,
            "--json",
        ])
        .output()
        .expect("the command exists");
    assert_eq!(output.status.code(), Some(1), "{race} {profile} {step}");
    let record: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    let told = record["missing_ordering"].as_array().expect("a list");
    let words = told.iter().map(|told| told.as_str().expect("words"));
    words.map(str::to_owned).collect()
}

#[test]
fn a_barrier_that_was_taken_away_is_told_where_it_was() {
    for [race, profile, step, barrier, lane] in ROWS {
        let told = missing(race, profile, step);
        let first = &told[0];
        let is_there = first.starts_with(barrier) && first.contains(&format!(" of {lane}: "));
        assert!(is_there, "{race} {profile} {step}: {told:#?}");
        assert!(
            first.contains("Never (complete, "),
            "{race} {profile} {step}: {told:#?}"
        );
    }
}

#[test]
fn a_step_that_is_no_ordering_is_not_told_as_one() {
    let told = missing("walker/shadow", "weak", "notifier-sequence");
    assert!(
        told[0].starts_with("no ordering would forbid this execution"),
        "{told:#?}"
    );
}
