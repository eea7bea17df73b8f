//! Relations between few nodes.

/// A relation: for each node, the nodes it is related to.
pub(super) type Relation = Vec<u64>;

pub(super) fn closure(mut r: Relation) -> Relation {
    for k in 0..r.len() {
        for i in 0..r.len() {
            if r[i] >> k & 1 == 1 {
                r[i] |= r[k];
            }
        }
    }
    r
}

pub(super) fn has_cycle(r: &Relation) -> bool {
    (closure(r.clone()).iter().enumerate()).any(|(i, to)| to >> i & 1 == 1)
}

pub(super) fn compose(a: &Relation, b: &Relation) -> Relation {
    (a.iter())
        .map(|&to| {
            (0..b.len())
                .filter(|k| to >> k & 1 == 1)
                .fold(0, |all, k| all | b[k])
        })
        .collect()
}

pub(super) fn union(a: &Relation, b: &Relation) -> Relation {
    a.iter().zip(b).map(|(x, y)| x | y).collect()
}

pub(super) fn filter(r: &Relation, keep: impl Fn(usize, usize) -> bool) -> Relation {
    (r.iter().enumerate())
        .map(|(i, &to)| {
            (0..r.len())
                .filter(|&k| to >> k & 1 == 1 && keep(i, k))
                .fold(0, |all, k| all | 1 << k)
        })
        .collect()
}
