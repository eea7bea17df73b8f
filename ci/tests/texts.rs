//! Whole texts of real failures, one of each family of races. `UPDATE_EXPECT=1 cargo test` rewrites them; then read
//! what has changed.

use std::process::Command;

use expect_test::expect_file;

/// The text of a race without a step, but for what differs from run to run.
fn text(race: &str, profile: &str, step: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_gupcheck"))
        .args(["run", race, "--profile", profile, "--knock-out", step])
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(1), "{race} without {step}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let title = format!("\n{race} (");
    let told = &text[text.find(&title).expect("a title") + 1..];
    let told = &told[..told.rfind("1 failed").expect("a summary")];
    let lines = told.lines().map(|line| {
        if let Some((before, _)) = line.split_once(" replay gup1:") {
            return format!("{before} replay TOKEN");
        }
        match line.split_once(" in ") {
            Some((before, after)) if after.contains("up to this one") => {
                let (_, after) = after.split_once(',').unwrap_or_default();
                format!("{before} in TIME,{after}")
            }
            _ => line.to_owned(),
        }
    });
    let lines: Vec<_> = lines.collect();
    format!("{}\n", lines.join("\n").trim_end())
}

#[test]
fn a_pin_that_is_not_ordered_misses_the_cleared_entry() {
    let text = text("pte-clear/look", "weak", "pin-barrier");
    expect_file!["texts/pte-clear.txt"].assert_eq(&text);
}

#[test]
fn a_page_is_got_through_a_detached_table() {
    let text = text("thp-collapse/detached-table", "arm64", "pmd-recheck");
    expect_file!["texts/thp-collapse.txt"].assert_eq(&text);
}

#[test]
fn a_reference_is_lost_when_the_head_moves() {
    let text = text("thp-split/head-moves", "arm64", "head-recheck");
    expect_file!["texts/thp-split.txt"].assert_eq(&text);
}

#[test]
fn a_table_is_freed_under_a_walker() {
    let text = text("munmap/table-free", "arm64", "rcu-table-free");
    expect_file!["texts/munmap.txt"].assert_eq(&text);
}

#[test]
fn a_table_is_seen_before_it_is_filled() {
    let text = text("fault/table-publish", "weak", "table-publish-barrier");
    expect_file!["texts/fault.txt"].assert_eq(&text);
}

#[test]
fn a_migration_entry_is_left_behind() {
    let text = text("pairs/migration-collapse", "arm64", "rmap-walk-lock");
    expect_file!["texts/pairs.txt"].assert_eq(&text);
}

#[test]
fn a_peer_pins_what_was_taken_away() {
    let text = text("peer/m1", "weak", "pte-recheck");
    expect_file!["texts/peer.txt"].assert_eq(&text);
}
