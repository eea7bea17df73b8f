//! Which races are meant.
//!
//! The whole `crate/name` of a race means that race alone. Any other pattern is a catalogue id (`R06`, which also
//! stands for `R06a`), or a part of a race's name; with `*` or `?` it must match the whole of either. Case does not
//! matter.

use gupcheck_core::step::Step;
use gupcheck_races::race::Race;

/// Those of `races` that `pattern` means, in their order.
pub(crate) fn meant(pattern: &str, races: &[&'static Race]) -> Vec<&'static Race> {
    let exact = |race: &&&Race| race.name.eq_ignore_ascii_case(pattern);
    match races.iter().find(exact) {
        Some(race) => vec![race],
        None => (races.iter().copied())
            .filter(|race| matches(pattern, race))
            .collect(),
    }
}

/// The steps that a pattern means: the one of this name or catalogue id, or those in whose names it is.
pub(crate) fn meant_steps(pattern: &str) -> Vec<Step> {
    let pattern = pattern.to_lowercase();
    if let Ok(step) = pattern.parse() {
        return vec![step];
    }
    let steps = Step::ALL.iter().copied();
    steps
        .filter(|step| step.name().contains(&pattern))
        .collect()
}

/// Whether a pattern that is nobody's whole name means this race.
fn matches(pattern: &str, race: &Race) -> bool {
    let pattern = pattern.to_lowercase();
    let name = race.name.to_lowercase();
    let id = race.catalogue.to_lowercase();
    if pattern.contains(['*', '?']) {
        return glob(pattern.as_bytes(), name.as_bytes())
            || glob(pattern.as_bytes(), id.as_bytes());
    }
    let is_id = id
        .strip_prefix(&pattern)
        .is_some_and(|rest| !pattern.is_empty() && !rest.starts_with(|c: char| c.is_ascii_digit()));
    is_id || name.contains(&pattern)
}

/// `*` is any number of characters, `?` is one.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut retry = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p, t));
                p += 1;
            }
            Some(&c) if c == b'?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((star, from)) => {
                    retry = Some((star, from + 1));
                    p = star + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

/// At most three of `known` that are close to `text`, the closest first.
pub(crate) fn near_misses<'a>(text: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let text = text.to_lowercase();
    let close = |name: &str| {
        let parts = name.split('/').chain([name]);
        parts
            .map(|part| strsim::jaro_winkler(&text, &part.to_lowercase()))
            .fold(0.0, f64::max)
    };
    let mut near: Vec<_> = known.map(|name| (close(name), name)).collect();
    near.retain(|&(score, _)| score > 0.8);
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    near.dedup();
    near.into_iter()
        .take(3)
        .map(|(_, name)| name.to_owned())
        .collect()
}

/// A question to append to an error message, or nothing.
pub(crate) fn did_you_mean(near: &[String]) -> String {
    match near {
        [] => String::new(),
        near => format!("; did you mean {}?", near.join(" or ")),
    }
}

#[cfg(test)]
mod tests {
    use gupcheck_core::sync::Layout;
    use gupcheck_program::Program;

    use super::*;

    static RACE: Race = Race {
        name: "thp-collapse/detached-table",
        catalogue: "R06a",
        about: "",
        profiles: &[],
        before: &[],
        fails: &[],
        needs: &[],
        indifferent: &[],
        tested: &[],
        build: |_, _| Program::new(Layout::new()),
    };

    #[test]
    fn parts_of_the_name_and_ids_match() {
        for pattern in ["thp-collapse", "detached", "e/d", "R06", "r06a", ""] {
            assert!(matches(pattern, &RACE), "{pattern:?}");
        }
        for pattern in ["R0", "R06b", "R6", "thp_collapse", "6a"] {
            assert!(!matches(pattern, &RACE), "{pattern:?}");
        }
    }

    #[test]
    fn a_whole_name_means_that_race_alone() {
        static LONGER: Race = Race {
            name: "thp-collapse/detached-table-freed",
            ..RACE
        };
        let names = |pattern| -> Vec<_> {
            let meant = meant(pattern, &[&LONGER, &RACE]);
            meant.iter().map(|race| race.name).collect()
        };
        assert_eq!(names("thp-collapse/detached-table"), [RACE.name]);
        assert_eq!(names("THP-collapse/detached-table"), [RACE.name]);
        assert_eq!(names(LONGER.name), [LONGER.name]);
        for both in [
            "thp-collapse/detached",
            "detached-table",
            "*detached-table*",
        ] {
            assert_eq!(names(both), [LONGER.name, RACE.name], "{both}");
        }
    }

    #[test]
    fn a_glob_matches_all_of_it() {
        for pattern in [
            "*",
            "thp-*",
            "*/detached-*",
            "R06?",
            "*-*-*",
            "thp-collapse/*e",
        ] {
            assert!(matches(pattern, &RACE), "{pattern:?}");
        }
        for pattern in ["detached*", "thp-?", "R0?", "*x*", "*tables"] {
            assert!(!matches(pattern, &RACE), "{pattern:?}");
        }
    }

    #[test]
    fn near_misses_are_close_and_few() {
        let known = ["pmd-recheck", "pte-recheck", "head-recheck", "tlb-flush"];
        let near = near_misses("pmd-rechek", known.into_iter());
        assert_eq!(near.first().map(String::as_str), Some("pmd-recheck"));
        assert!(!near.contains(&"tlb-flush".to_owned()));
        let names = ["thp-collapse/detached-table", "munmap/table-freed"];
        assert_eq!(near_misses("detached-tabel", names.into_iter()), [names[0]]);
    }
}
