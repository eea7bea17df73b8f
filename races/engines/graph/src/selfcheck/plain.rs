//! LKMM's rules of plain accesses once more, as the kernel's `linux-kernel.cat` spells them.

use super::lkmm::{Related, or_none};
use super::relation::{Relation, closure, compose, filter, union};

/// "ww-vis", "wr-vis" and "rw-xbstar".
struct Bounds {
    write_write: Relation,
    write_read: Relation,
    read_write: Relation,
}

impl Bounds {
    fn of(n: &Related) -> Self {
        let marked = |a: usize| !n.all[a].plain;
        let then = |relations: &[&Relation]| {
            let (first, others) = relations.split_first().expect("some");
            (others.iter()).fold((*first).clone(), |all, r| compose(&all, r))
        };
        let heeded = |a: usize| n.all[a].is_heeded();
        let both_kinds = union(&n.strong, &n.one_way);
        let rmb = filter(&n.rmb, |a, b| heeded(a) && heeded(b));
        let fence = union(&union(&both_kinds, &rmb), &union(&n.wmb, &n.ordered));
        let strong = union(&n.strong, &n.ordered);
        let into_marked = |r: &Relation| filter(r, |_, b| marked(b));
        let from_marked = |r: &Relation| filter(r, |a, _| marked(a));

        let star = or_none(&closure(union(&n.hb, &n.pb)));
        let at_once = filter(&star, |a, b| a == b || n.internal(a, b));
        let far = compose(&into_marked(&strong), &star);
        let visible = then(&[
            &or_none(&closure(n.cumul.clone())),
            &into_marked(&or_none(&n.rfe)),
            &union(&far, &at_once),
        ]);

        let returning = |a: usize| !n.all[a].is_void;
        let rmb_before = filter(&n.rmb, |a, b| heeded(a) && returning(b));
        let rmb_behind = filter(&n.rmb, |a, b| returning(a) && heeded(b));
        let write_before = from_marked(&or_none(&union(&n.address, &fence)));
        let read_before = union(&union(&n.address, &both_kinds), &rmb_before);
        let read_before = from_marked(&or_none(&read_before));
        let write_behind = compose(&into_marked(&or_none(&fence)), &n.updates);
        let read_behind = into_marked(&or_none(&union(&both_kinds, &rmb_behind)));

        let full = compose(&strong, &star);
        let seen = compose(&write_behind, &visible);
        let into = |before: &Relation| union(&compose(&full, before), &compose(&seen, before));
        Self {
            write_write: union(&fence, &into(&write_before)),
            write_read: union(&fence, &into(&read_before)),
            read_write: union(&fence, &then(&[&read_behind, &star, &write_before])),
        }
    }
}

/// Pairs of different CPUs of which one is plain.
fn candidates(n: &Related, r: &Relation) -> Relation {
    filter(r, |a, b| {
        let (x, y) = (&n.all[a], &n.all[b]);
        let is_initial = n.is_initial(a);
        let one_is_plain = x.plain && y.is_access() || y.plain && x.is_access() && !is_initial;
        !n.internal(a, b) && one_is_plain
    })
}

/// "plain-coherence"
pub(super) fn is_incoherent(n: &Related) -> bool {
    if n.all.iter().all(|node| !node.plain) {
        return false;
    }
    let bounds = Bounds::of(n);
    let against = |seen: &Relation, ordered: &Relation| {
        let pairs = candidates(n, seen);
        (0..pairs.len())
            .any(|a| (0..pairs.len()).any(|b| pairs[a] >> b & 1 == 1 && ordered[b] >> a & 1 == 1))
    };
    against(&n.rf, &bounds.read_write)
        || against(&n.fr, &bounds.write_read)
        || against(&n.co, &bounds.write_write)
}

/// "data-race"
pub(super) fn has_race(n: &Related) -> bool {
    if n.all.iter().all(|node| !node.plain) {
        return false;
    }
    let bounds = Bounds::of(n);
    let marked = |a: usize| !n.all[a].plain;
    let has = |r: &Relation, a: usize, b: usize| r[a] >> b & 1 == 1;
    let any = |pairs: &Relation, is_safe: &dyn Fn(usize, usize) -> bool| {
        let pairs = candidates(n, pairs);
        (0..pairs.len()).any(|a| (0..pairs.len()).any(|b| has(&pairs, a, b) && !is_safe(a, b)))
    };
    let read_later = compose(&or_none(&n.co), &n.rf);
    any(&n.co, &|a, b| {
        has(&bounds.write_write, a, b)
            && (marked(a) || has(&bounds.read_write, a, b))
            && (marked(b) || has(&bounds.write_read, a, b))
    }) || any(&read_later, &|a, b| {
        has(&bounds.write_read, a, b) || has(&bounds.read_write, b, a)
    }) || any(&n.fr, &|a, b| has(&bounds.read_write, a, b))
}
