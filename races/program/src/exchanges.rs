//! The ways to exchange CPUs that do the same.

/// The ways to exchange CPUs of the same kind, but for leaving each in its place: for each CPU, who takes it. `kinds` has
/// each CPU's kind.
pub fn exchanges(kinds: &[usize]) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for &kind in kinds {
        all = (all.iter())
            .flat_map(|taken: &Vec<usize>| {
                let free = (0..kinds.len())
                    .filter(|&other| kinds[other] == kind && !taken.contains(&other));
                free.map(|other| [&taken[..], &[other]].concat())
            })
            .collect();
    }
    all.retain(|exchange| !exchange.is_sorted());
    all
}

#[cfg(test)]
mod tests {
    use super::exchanges;

    #[test]
    fn only_those_of_a_kind_are_exchanged() {
        assert_eq!(exchanges(&[0, 1, 0]), [[2, 1, 0]]);
        assert_eq!(exchanges(&[5, 5, 5]).len(), 5, "3! - 1");
        assert!(exchanges(&[0, 1, 2]).is_empty());
    }
}
