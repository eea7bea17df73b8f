//! Every race there is: the only place that knows the scenario crates.

use gupcheck_races::race::Race;

/// The races of all scenario crates, crate by crate.
pub(crate) fn all_races() -> Vec<&'static Race> {
    let crates = [
        gupcheck_pte_clear::RACES,
        gupcheck_munmap::RACES,
        gupcheck_fault::RACES,
        gupcheck_devmap::RACES,
        gupcheck_files::RACES,
        gupcheck_thp_fault::RACES,
        gupcheck_thp_split::RACES,
        gupcheck_thp_collapse::RACES,
        gupcheck_cow::RACES,
        gupcheck_fork::RACES,
        gupcheck_pairs::RACES,
        gupcheck_peer::RACES,
        gupcheck_protect::RACES,
        gupcheck_mremap::RACES,
        gupcheck_slow::RACES,
        gupcheck_tables::RACES,
        gupcheck_uffd::RACES,
        gupcheck_reclaim::RACES,
        gupcheck_migration::RACES,
        gupcheck_walker::RACES,
    ];
    crates.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_race_says_what_could_happen() {
        for race in all_races() {
            assert!(!race.about.is_empty(), "{}", race.name);
        }
    }

    #[test]
    fn names_are_unique_and_have_a_crate_and_a_name() {
        let mut names: Vec<_> = all_races().iter().map(|race| race.name).collect();
        for name in &names {
            let parts: Vec<_> = name.split('/').collect();
            assert!(matches!(parts[..], [family, race] if !family.is_empty() && !race.is_empty()));
        }
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
