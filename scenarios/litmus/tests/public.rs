//! LKMM by the graph engine, on other people's tests: `LITMUS_FOLDER=... cargo test -p gupcheck-litmus --test public -- --ignored`.
//!
//! The engine must say what the kernel's model says by brute force, data races included, load buffering left out on both sides.

mod support;

use gupcheck_litmus::{Coverage, Litmus, Report};
use gupcheck_program::{Limits, Model};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use support::{explore, graph};

/// Tests of which the engine says something else, each by the end of its name, and why.
const DIFFERENCES: &[(&str, &str)] = &[
    (
        "C-LB+rl-deref-o-rul+o-sync-o+rl-o-o-rlu.litmus",
        "no load buffering across a grace period: which of section and wait comes first is one choice here, for the order of loads \
         and for what is ordered",
    ),
    ("C-isa2+rl-o-o-rul+rl-o-o-rul+o-srcu-o.litmus", "the same"),
    (
        "C-srcu-mb-5.litmus",
        "smp_mb__after_srcu_read_unlock orders what comes before the unlock; here, all that comes before itself",
    ),
    (
        "C-S-rcunoderef-1.litmus",
        "a section comes before a wait or the wait before it, for plain accesses as well, which LKMM's axiom of RCU says of marked \
         ones only",
    ),
];

/// What became of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Became {
    Agreed,
    /// It differs, as is known.
    Known,
    Differs,
    TooLarge,
    Unsupported,
    Unread,
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, into);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "litmus")
        {
            into.push(path);
        }
    }
}

fn compared(name: &str, source: &str) -> (Became, String) {
    let Ok(litmus) = Litmus::parse(source) else {
        return (Became::Unread, String::new());
    };
    if let Some(why) = litmus.beyond_engines() {
        return (Became::Unsupported, why.to_owned());
    }
    let until = Instant::now() + Duration::from_secs(5);
    let mut enough = |judged| judged > 200_000 || Instant::now() > until;
    let (wanted, _) = litmus.lkmm_in_order(usize::MAX, &mut enough);
    if !matches!(wanted.coverage, Coverage::Complete) {
        return (Became::TooLarge, format!("{:?}", wanted.coverage));
    }
    let limits = Limits {
        time: Some(Duration::from_secs(5)),
        ..Limits::default()
    };
    let found = explore(&litmus, &graph(), Model::Lkmm, limits);
    match found.coverage {
        Coverage::Truncated(why) => return (Became::TooLarge, why),
        Coverage::Unsupported(why) => return (Became::Unsupported, why),
        _ => {}
    }
    let races = |report: &Report| report.flags.contains(&"data-race");
    let says = |report: &Report| (report.observation, races(report));
    let (found, wanted) = (says(&found), says(&wanted));
    if found == wanted {
        (Became::Agreed, format!("{found:?}"))
    } else if DIFFERENCES.iter().any(|(end, _)| name.ends_with(end)) {
        (Became::Known, format!("{found:?} for {wanted:?}"))
    } else {
        (Became::Differs, format!("{found:?} for {wanted:?}"))
    }
}

#[test]
#[allow(
    clippy::print_stdout,
    reason = "the figures are for whoever asks for them"
)]
#[ignore = "other people's tests are not part of this project"]
fn the_engine_says_what_the_kernels_model_says_without_load_buffering() {
    let folder = std::env::var("LITMUS_FOLDER").expect("LITMUS_FOLDER names a folder");
    let mut all = Vec::new();
    files(Path::new(&folder), &mut all);
    all.sort();
    let mut counts: BTreeMap<Became, u64> = BTreeMap::new();
    let mut differ = Vec::new();
    for path in &all {
        let bytes = std::fs::read(path).expect("a file");
        let text = Litmus::text(&bytes);
        if !text.starts_with("C ") {
            continue;
        }
        let (became, words) = compared(&path.to_string_lossy(), &text);
        *counts.entry(became).or_default() += 1;
        if became == Became::Differs {
            differ.push(format!("{}: {words}", path.display()));
        }
    }
    println!("{counts:?}");
    let agreed = counts
        .get(&Became::Agreed)
        .is_some_and(|&agreed| agreed > 0);
    assert!(
        agreed && differ.is_empty(),
        "{counts:?}\n{}",
        differ.join("\n")
    );
}
