//! Adding a race stays easy: nine files of races in ten have no more than sixty lines. Where that fails, what the races
//! have in common wants a word (`races/src/{acts,ends,scene}.rs`, `core/src/boot`), and no line wants to be longer.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{gupcheck, word};

/// As many lines as the file of a race may have, if nine in ten are to be read at a glance.
const MOST: usize = 60;

/// The files of the scenario crates, but for the lists of their races. (The crate of the litmus tests has no race.)
fn files() -> Vec<PathBuf> {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let within = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).expect("a folder can be read");
        entries
            .map(|entry| entry.expect("an entry").path())
            .collect()
    };
    let crates = within(&scenarios)
        .into_iter()
        .map(|family| family.join("src"));
    let mut files: Vec<_> = (crates
        .filter(|sources| sources.is_dir() && !sources.ends_with("litmus/src")))
    .flat_map(|sources| within(&sources))
    .filter(|file| file.is_file() && !file.ends_with("lib.rs"))
    .collect();
    files.sort();
    files
}

/// The races that a file names, by the strings that stand there.
fn races_in<'a>(text: &str, races: &BTreeSet<&'a str>) -> Vec<&'a str> {
    let named = |race: &&str| text.contains(&format!("\"{race}\""));
    races.iter().copied().filter(named).collect()
}

/// The length that so many in a hundred do not exceed: of `lengths` in order, which are some.
fn percentile(lengths: &[usize], hundredths: usize) -> usize {
    lengths[(lengths.len() * hundredths).div_ceil(100) - 1]
}

#[test]
#[allow(
    clippy::print_stdout,
    reason = "the figures are for whoever asks for them"
)]
fn the_file_of_a_race_is_short() {
    let listed = gupcheck(&["list", "--json"]);
    let races: BTreeSet<_> = listed.iter().map(|race| word(race, "race")).collect();
    let mut found = BTreeSet::new();
    let mut lengths = Vec::new();
    for file in files() {
        let text = fs::read_to_string(&file).expect("a source file can be read");
        let here = races_in(&text, &races);
        if !here.is_empty() {
            lengths.push((text.lines().count(), file));
            found.extend(here);
        }
    }
    assert_eq!(
        found, races,
        "each race is in one of the files that are counted"
    );
    lengths.sort();
    let counts: Vec<_> = lengths.iter().map(|&(lines, _)| lines).collect();
    let [median, ninety, largest] = [50, 90, 100].map(|hundredths| percentile(&counts, hundredths));
    println!(
        "{} races in {} files: median {median} lines, ninetieth per cent {ninety}, largest {largest}",
        races.len(),
        counts.len()
    );
    let long: Vec<_> = lengths.iter().filter(|&&(lines, _)| lines > MOST).collect();
    assert!(
        ninety <= MOST,
        "the ninetieth per cent has {ninety} lines; over {MOST} are {long:#?}"
    );
}

#[test]
fn a_percentile_is_the_length_that_so_many_do_not_exceed() {
    let lengths: Vec<_> = (1..=10).collect();
    assert_eq!([50, 90, 100].map(|n| percentile(&lengths, n)), [5, 9, 10]);
    assert_eq!([50, 90, 100].map(|n| percentile(&[7], n)), [7, 7, 7]);
    assert_eq!(percentile(&[1, 2, 3], 90), 3);
}
