//! `--reduce symmetry` on the kernel's races: the same outcomes as without, and fewer executions.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use support::{gupcheck, word};

/// Executions of a race that are enough to compare it here. The races with more are the same code at another length.
const MOST: &str = "2000";

struct Explored {
    executions: u64,
    outcomes: BTreeSet<String>,
}

/// The families of races that have callers, as patterns: in pairs, those who are several wait for others, and who waits is
/// nobody's twin.
fn families() -> BTreeSet<String> {
    let races = gupcheck(&["list", "--json"]);
    let families = races
        .iter()
        .filter_map(|race| word(race, "race").split('/').next());
    let with_callers = families.filter(|&family| family != "pairs");
    with_callers.map(|family| format!("{family}/*")).collect()
}

/// Every such race under every profile with two callers, if it has not too many executions.
fn explored(reduce: &[&str]) -> BTreeMap<(String, String), Option<Explored>> {
    let run = |family: String| {
        let run = ["run", &family, "--json", "--outcomes", "--cpus", "2"];
        gupcheck(&[&run, &["--max-executions", MOST][..], reduce].concat())
    };
    let runs = families().into_iter().flat_map(run);
    runs.map(|run| {
        let outcomes = || {
            let all = run["histogram"].as_array().expect("a list").iter();
            all.map(|row| word(row, "outcome").to_owned()).collect()
        };
        let explored = (word(&run, "verdict") == "complete").then(|| Explored {
            executions: run["executions"].as_u64().expect("a number"),
            outcomes: outcomes(),
        });
        let name = word(&run, "race").to_owned();
        ((name, word(&run, "profile").to_owned()), explored)
    })
    .collect()
}

#[test]
fn symmetry_loses_no_outcome_of_a_race() {
    let (all, reduced) = (explored(&[]), explored(&["--reduce", "symmetry"]));
    let (mut compared, mut halved) = (0, 0);
    for (race, all) in &all {
        let Some(all) = all else { continue };
        let reduced = reduced[race].as_ref().expect("it has no more executions");
        assert_eq!(all.outcomes, reduced.outcomes, "{race:?}");
        assert!(reduced.executions <= all.executions, "{race:?}");
        compared += 1;
        // Two executions in which the callers do the same are one each.
        halved += usize::from(reduced.executions < all.executions * 6 / 10);
    }
    // Not compared are those with too many executions, at two callers.
    assert!(
        compared * 10 >= all.len() * 4,
        "{compared} of {}",
        all.len()
    );
    assert!(halved * 10 >= compared * 8, "{halved} of {compared}");
}
