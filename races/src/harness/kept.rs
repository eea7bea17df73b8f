//! Tests that replay what `ci/schedules` keeps of a race.

use std::io::Write;

use libtest_mimic::{Failed, Trial};

use crate::again::resolve;
use crate::race::Race;
use gupcheck_replay::{Kept, Must, Store, Token};
use gupcheck_trace::{Page, report};

/// A test for each schedule that is kept of these races.
pub(super) fn trials(races: &[Race], store: Option<&Store>) -> Vec<Trial> {
    let Some(store) = store else {
        return Vec::new();
    };
    let mut trials = Vec::new();
    for &race in races {
        let all = match store.load(race.name) {
            Ok(all) => all,
            Err(error) => {
                let name = format!("{}::kept schedules can be read", race.name);
                trials.push(Trial::test(name, move || Err(error.to_string().into())));
                continue;
            }
        };
        for (nth, kept) in all.into_iter().enumerate() {
            // The profile, as in every test's name; if need be, from a token that is broken.
            let profile = kept.token.split(':').nth(2).unwrap_or("?");
            let name = format!(
                "{}::{profile}::kept schedule {} {}",
                race.name,
                nth + 1,
                match kept.must {
                    Must::Fail => "still fails",
                    Must::Hold => "holds",
                }
            );
            trials.push(Trial::test(name, move || check(&race, &kept)));
        }
    }
    trials
}

/// Replays a schedule that is kept.
pub(super) fn check(race: &Race, kept: &Kept) -> Result<(), Failed> {
    let token: Token = kept.token.parse().map_err(Failed::from)?;
    let instance = resolve(&token, &[race]).map_err(Failed::from)?;
    let again = instance.replay(&token).map_err(Failed::from)?;
    let words = again.words().join("\n");
    let told = || {
        let finding = instance.finding_again(&again);
        let text = finding.map(|finding| report(&finding, Page::default()).to_string());
        format!("{words}\n\n{}", text.unwrap_or_default())
    };
    match kept.must {
        Must::Hold if again.replayed.broken.is_some() => Err(told().into()),
        Must::Fail if !again.is_same_rule() => Err(format!(
            "{}\nWhere that is as it should be, remove this schedule, and keep a new one: `gupcheck run ... \
             --keep`",
            told()
        )
        .into()),
        _ if again.is_exact() => Ok(()),
        _ => {
            // It passes, but not unnoticed: it tests less than it did.
            let line = format!("{}: a kept schedule is stale: {words}\n", race.name);
            // Where not even this can be said, the test has passed all the same.
            let _ = std::io::stderr().write_all(line.as_bytes());
            Ok(())
        }
    }
}
