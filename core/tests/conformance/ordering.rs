//! Which barriers the key functions issue, and in which order, under each profile.

use crate::common::{World, boot, set_flag};
use gupcheck_core::arch::{ARM64, Profile, WEAK, Words, X86_NATIVE, X86_PV};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::cpu::{
    Cpu, local_irq_restore, local_irq_save, rcu_read_lock, rcu_read_unlock, synchronize_rcu,
    tlb_remove_table_sync_one,
};
use gupcheck_core::folio::{
    Folio, Owner, PageFlags, Pfn, folio_put, folio_ref_freeze, page_add_new_rmap, page_add_rmap,
    page_dup_rmap, page_remove_rmap,
};
use gupcheck_core::gup::{Foll, get_user_pages_fast, pin_user_pages_fast_only};
use gupcheck_core::mutators::{
    Scan, collapse_huge_page, madvise_dontneed, migrate_page, munmap, split_huge_page,
};
use gupcheck_core::pgtable::Entry;

/// The operations of `work` on what `set_up` made, without those that only look after lifetimes.
fn ops<S>(
    profile: &'static Profile,
    set_up: impl FnOnce(&mut Boot) -> S,
    work: impl FnOnce(&Cpu<'_>, &S),
) -> Vec<String> {
    let mut boot = boot(profile);
    let scene = set_up(&mut boot);
    let world = World::new(boot);
    let ops = world.ops(|cpu| work(cpu, &scene));
    let life = |op: &String| op.starts_with("read page") || op.contains(".owner");
    ops.into_iter().filter(|op| !life(op)).collect()
}

fn one_page(boot: &mut Boot) -> (Area, Pfn) {
    let area = boot.anon_area(1);
    let page = boot.populate(area)[0];
    boot.free_block(1);
    (area, page)
}

fn four_pages(boot: &mut Boot) -> Area {
    let area = boot.anon_area(4);
    boot.populate(area);
    boot.free_block(2);
    area
}

/// The operations from the first that is `from` to the first `to` behind it, both included.
fn between<'a>(ops: &'a [String], from: &str, to: &str) -> &'a [String] {
    let start = ops.iter().position(|op| op == from).expect(from);
    let length = ops[start..].iter().position(|op| op == to).expect(to);
    &ops[start..=start + length]
}

/// Where in `ops` the `nth` operation that is `op` stands.
fn place(ops: &[String], op: &str, nth: usize) -> usize {
    let mut places = ops.iter().enumerate().filter(|(_, other)| *other == op);
    places.nth(nth).expect(op).0
}

#[test]
fn a_pin_is_read_then_pin_then_recheck() {
    let ops = ops(&ARM64, one_page, |cpu, &(area, _)| {
        pin_user_pages_fast_only(cpu, area.mm, area.start, 1, Foll::WRITE);
    });
    assert_eq!(
        ops,
        [
            "load.Relaxed mm0.has_pinned",
            "or.Relaxed mm0.has_pinned",
            "load.Relaxed mm0.write_protect_seq",
            "fence.Acquire",
            "enter irqs off",
            "enter rcu",
            "load.Dependency mm0.pgd[0]",
            "load.Dependency mm0.pud[0]",
            "load.Dependency mm0.pmd[1]",
            "load.Dependency mm0.pte[4]",
            "load.Dependency page3.compound_head",
            "load.Relaxed page3.refcount",
            "add_unless.Full page3.refcount",
            "load.Relaxed page3.compound_head",
            "load.Relaxed page3.flags",
            "add.Relaxed page3.refcount",
            "fence.SeqCst",
            "load.Relaxed page3.flags",
            "load.Relaxed page3.mapping",
            "load.Relaxed mm0.pmd[1]",
            "load.Relaxed mm0.pte[4]",
            "or.Relaxed page3.flags",
            "leave rcu",
            "leave irqs off",
            "fence.Acquire",
            "load.Relaxed mm0.write_protect_seq",
            "load.Dependency page3.compound_head",
            "load.Relaxed page3.mapping",
            "load.Relaxed page3.flags",
        ]
    );
}

#[test]
fn pmdp_collapse_flush_ends_as_the_profile_has_it() {
    for (profile, expected) in [
        (&X86_NATIVE, &["xchg.Full mm0.pmd[1]", "wait irqs off"][..]),
        (&X86_PV, &["xchg.Full mm0.pmd[1]", "fence.SeqCst"]),
        (&ARM64, &["xchg.Relaxed mm0.pmd[1]", "fence.SeqCst"]),
        (&WEAK, &["xchg.Relaxed mm0.pmd[1]"]),
    ] {
        let ops = ops(profile, four_pages, |cpu, area| {
            collapse_huge_page(cpu, area.mm, area.start);
        });
        let pmd_lock = ops[place(&ops, expected[0], 0) - 1].clone();
        let unlock = pmd_lock.replace("lock", "unlock");
        let flush = between(&ops, expected[0], &unlock);
        assert_eq!(flush[..flush.len() - 1], *expected, "{profile}");
        // Whatever the flush was, every CPU is interrupted before a reference is counted.
        assert_eq!(
            ops[place(&ops, &unlock, 0) + 1],
            "wait irqs off",
            "{profile}"
        );
    }
}

/// Nobody looks at what a collapse clears from the table that it has unlinked; it is an exchange all the same.
#[test]
fn a_collapse_exchanges_each_entry_of_the_table_that_it_has_unlinked() {
    for profile in Profile::ALL {
        let ops = ops(profile, four_pages, |cpu, area| {
            let scan = collapse_huge_page(cpu, area.mm, area.start);
            assert_eq!(scan, Scan::Succeed);
        });
        let unlinked = place(&ops, "wait irqs off", 0);
        let cleared: Vec<_> = (ops[unlinked..].iter())
            .filter(|op| op.contains(" mm0.pte[") && !op.starts_with("load"))
            .cloned()
            .collect();
        let order = profile.clear;
        let expected = [4, 5, 6, 7].map(|n| format!("xchg.{order:?} mm0.pte[{n}]"));
        assert_eq!(cleared, expected, "{profile}");
    }
}

#[test]
fn clearing_a_pte_is_as_strong_as_the_profile() {
    for profile in Profile::ALL {
        let ops = ops(profile, one_page, |cpu, &(area, _)| {
            munmap(cpu, area.mm, area.vma);
        });
        let clear = ops.iter().find(|op| op.starts_with("xchg."));
        let order = profile.clear;
        assert!(clear.is_some_and(|op| op.starts_with(&format!("xchg.{order:?} mm0.pte["))));
    }
}

#[test]
fn a_clear_is_followed_by_a_full_barrier_before_pins_are_looked_at() {
    for profile in Profile::ALL {
        let ops = ops(profile, one_page, |cpu, &(_, page)| {
            migrate_page(cpu, page);
        });
        let clear = ops
            .iter()
            .position(|op| op.starts_with("xchg."))
            .expect("a clear");
        let bit = ops[clear..].iter().find(|op| op.starts_with("and.Relaxed"));
        let bit = bit.expect("the exclusive bit is cleared");
        let page = bit.replace("and.Relaxed ", "").replace(".flags", "");
        let cleared = place(&ops, bit, 0);
        let look = ops[..cleared]
            .iter()
            .rposition(|op| *op == format!("load.Relaxed {page}.refcount"));
        let look = look.expect("a look at the pins");
        let barriers = ops[clear..look]
            .iter()
            .filter(|op| *op == "fence.SeqCst")
            .count();
        assert!(barriers >= 1, "{profile}");
        assert_eq!(
            ops[cleared + 1],
            "fence.SeqCst",
            "{profile}: the bit before the entry"
        );
        // A store of half an entry leaves the other half as it finds it.
        let next = cleared + 2 + usize::from(profile.words == Words::Two);
        assert!(ops[next].starts_with("store.Relaxed"), "{profile}");
    }
}

#[test]
fn a_split_gives_each_tail_its_state_before_its_count() {
    let huge = |boot: &mut Boot| {
        let area = boot.anon_area(4);
        let head = boot.thp(Owner::Us, 1);
        boot.map_huge(area.mm, area.start, head, true);
        boot.deposit(area.mm, area.start, Entry::NONE);
        (area, head)
    };
    for profile in Profile::ALL {
        let ops = ops(profile, huge, |cpu, &(_, head)| {
            assert_eq!(split_huge_page(cpu, head), Ok(()));
        });
        let unfrozen: Vec<_> = ops
            .iter()
            .filter(|op| op.starts_with("store.Release "))
            .collect();
        let head = unfrozen
            .last()
            .expect("the head's count")
            .replace("store.Release ", "");
        let freeze = place(&ops, &format!("cmpxchg.Full {head}"), 0);
        assert_eq!(unfrozen.len(), 4, "three tails, and the head last");
        for count in &unfrozen[..3] {
            let tail = count.replace("store.Release ", "").replace(".refcount", "");
            let order = [
                freeze,
                place(&ops, &format!("store.Relaxed {tail}.flags"), 0),
                place(&ops, &format!("store.Relaxed {tail}.compound_head"), 0),
                place(&ops, count, 0),
                place(&ops, &format!("store.Release {head}"), 0),
            ];
            assert!(order.is_sorted(), "{profile} {tail}: {order:?}");
            assert!(ops[order[1]..order[2]].contains(&"fence.Release".to_owned()));
        }
    }
}

#[test]
fn a_new_table_and_a_new_page_are_published_behind_a_write_barrier() {
    for profile in Profile::ALL {
        let hole = |boot: &mut Boot| {
            let area = boot.anon_area(1);
            boot.free_block(1);
            area
        };
        let ops = ops(profile, hole, |cpu, area| {
            get_user_pages_fast(cpu, area.mm, area.start, 1, Foll::WRITE);
        });
        let two = profile.words == Words::Two;
        let link = if two { "xchg.Full" } else { "store.Relaxed" };
        let pmd = place(&ops, &format!("{link} mm0.pmd[1]"), 0);
        assert_eq!(ops[pmd - 1], "fence.Release", "{profile}");
        let zeroed = ops[..pmd]
            .iter()
            .filter(|op| op.contains(".entry["))
            .count();
        assert_eq!(
            zeroed, 4,
            "{profile}: the table is empty before it is linked"
        );
        let pte = ops
            .iter()
            .rposition(|op| op.starts_with("store") && op.contains(".entry["));
        let pte = pte.expect("the page is mapped");
        let wmb = ops[pmd + 1..pte]
            .iter()
            .filter(|op| *op == "fence.Release")
            .count();
        // And one between the halves of an entry.
        assert_eq!(wmb, 1 + usize::from(two), "{profile}");
    }
}

#[test]
fn dropping_and_freezing_are_fully_ordered() {
    let held = |boot: &mut Boot| boot.anon_page(Owner::Us, 2);
    let drop = ops(&ARM64, held, |cpu, &pfn| {
        folio_put(cpu, Folio::of(cpu.machine().page(pfn)));
    });
    assert_eq!(drop, ["sub.Full page0.refcount"]);
    let freeze = ops(&ARM64, held, |cpu, &pfn| {
        let folio = Folio::of(cpu.machine().page(pfn));
        assert!(folio_ref_freeze(cpu, folio, 1).is_none());
        assert!(folio_ref_freeze(cpu, folio, 2).is_some());
    });
    assert_eq!(freeze, ["cmpxchg.Full page0.refcount"; 2]);
}

/// A count that goes down, or up again, returns a value; that of a child's mapping returns none; of a new page it is stored.
#[test]
fn a_map_count_is_as_ordered_as_its_atomic() {
    let held = |boot: &mut Boot| boot.anon_page(Owner::Us, 1);
    let counted = ops(&ARM64, held, |cpu, &pfn| {
        let page = cpu.machine().page(pfn);
        page_add_new_rmap(cpu, page);
        page_dup_rmap(cpu, page);
        page_remove_rmap(cpu, page);
        page_add_rmap(cpu, page);
    });
    let expected = [
        "store.Relaxed page0.mapcount",
        "add.Relaxed page0.mapcount",
        "sub.Full page0.mapcount",
        "add.Full page0.mapcount",
    ];
    assert_eq!(counted, expected);
}

#[test]
fn a_folio_lock_acquires_and_releases() {
    let held = |boot: &mut Boot| boot.anon_page(Owner::Us, 1);
    let ops = ops(&X86_NATIVE, held, |cpu, &pfn| {
        let folio = Folio::of(cpu.machine().page(pfn));
        assert!(folio.trylock(cpu) && !folio.trylock(cpu));
        folio.unlock(cpu);
    });
    let lock = "test_and_set.Acquire page0.flags";
    assert_eq!(ops, [lock, lock, "and.Release page0.flags"]);
}

#[test]
fn a_grace_period_waits_for_more_than_an_ipi() {
    let ipi = ops(&ARM64, |_| (), |cpu, ()| tlb_remove_table_sync_one(cpu));
    assert_eq!(ipi, ["wait irqs off"]);
    let rcu = ops(&ARM64, |_| (), |cpu, ()| synchronize_rcu(cpu));
    assert_eq!(rcu, ["wait rcu"]);
    // Interrupts off is a reader, a reader with interrupts on is no more than that.
    let irqs_off = |cpu: &Cpu<'_>, (): &()| {
        local_irq_save(cpu);
        local_irq_restore(cpu);
    };
    let both = ["enter irqs off", "enter rcu", "leave rcu", "leave irqs off"];
    assert_eq!(ops(&ARM64, |_| (), irqs_off), both);
    let reader = |cpu: &Cpu<'_>, (): &()| {
        rcu_read_lock(cpu);
        rcu_read_unlock(cpu);
    };
    assert_eq!(ops(&ARM64, |_| (), reader), ["enter rcu", "leave rcu"]);
}

#[test]
fn what_overlaps_is_one_reader() {
    let outlives_interrupts_off = |cpu: &Cpu<'_>, (): &()| {
        local_irq_save(cpu);
        rcu_read_lock(cpu);
        local_irq_restore(cpu);
        rcu_read_unlock(cpu);
    };
    let expected = ["enter irqs off", "enter rcu", "leave irqs off", "leave rcu"];
    assert_eq!(ops(&ARM64, |_| (), outlives_interrupts_off), expected);
    let interrupts_off_outlives = |cpu: &Cpu<'_>, (): &()| {
        rcu_read_lock(cpu);
        local_irq_save(cpu);
        rcu_read_unlock(cpu);
        local_irq_restore(cpu);
    };
    let expected = ["enter rcu", "enter irqs off", "leave rcu", "leave irqs off"];
    assert_eq!(ops(&ARM64, |_| (), interrupts_off_outlives), expected);
    let nested = |cpu: &Cpu<'_>, (): &()| {
        local_irq_save(cpu);
        rcu_read_lock(cpu);
        local_irq_save(cpu);
        local_irq_restore(cpu);
        rcu_read_lock(cpu);
        rcu_read_unlock(cpu);
        rcu_read_unlock(cpu);
        local_irq_restore(cpu);
    };
    let expected = ["enter irqs off", "enter rcu", "leave rcu", "leave irqs off"];
    assert_eq!(ops(&ARM64, |_| (), nested), expected);
}

#[test]
fn the_lock_bit_behind_a_migration_entry_is_read_after_the_head() {
    let migrating = |boot: &mut Boot| {
        let (area, page) = one_page(boot);
        boot.change_pte(area.mm, area.start, |pte| pte.migration(true));
        set_flag(boot, page, PageFlags::LOCKED, true);
        area
    };
    let ops = ops(&ARM64, migrating, |cpu, area| {
        madvise_dontneed(cpu, area.mm, area.start, area.end);
    });
    let look = place(&ops, "load.Dependency page3.compound_head", 0);
    let then = ["fence.Acquire", "load.Relaxed page3.flags"];
    assert_eq!(ops[look + 1..look + 3], then);
}

/// The operations on what is named, in order, verb and name.
fn order_of(ops: &[String], what: &[&str]) -> Vec<String> {
    let wanted = |op: &&String| what.iter().any(|name| op.ends_with(name));
    ops.iter().filter(wanted).cloned().collect()
}

#[test]
fn an_area_leaves_its_anon_vma_before_its_tables_are_unlinked() {
    for profile in Profile::ALL {
        let ops = ops(profile, one_page, |cpu, &(area, _)| {
            munmap(cpu, area.mm, area.vma);
        });
        let zap = ops
            .iter()
            .position(|op| op.starts_with("xchg."))
            .expect("a zap");
        let unlinked = place(&ops, "store.Relaxed mm0.pmd[1]", 0);
        let rmap = order_of(&ops[zap..unlinked], &["mm0.anon_vma", "in_anon_vma"]);
        let expected = [
            "lock mm0.anon_vma",
            "store.Relaxed mm0.vma0.in_anon_vma",
            "unlock mm0.anon_vma",
        ];
        assert_eq!(rmap, expected, "{profile}");
    }
}

#[test]
fn khugepaged_holds_the_anon_vma_from_the_clear_to_the_end_of_isolation() {
    for profile in Profile::ALL {
        let ops = ops(profile, four_pages, |cpu, area| {
            assert_eq!(collapse_huge_page(cpu, area.mm, area.start), Scan::Succeed);
        });
        let (locked, unlocked) = (
            place(&ops, "lock mm0.anon_vma", 0),
            place(&ops, "unlock mm0.anon_vma", 0),
        );
        let order = profile.clear;
        let cleared = place(&ops, &format!("xchg.{order:?} mm0.pmd[1]"), 0);
        let isolated = ops.iter().rposition(|op| op.starts_with("and.Full"));
        let isolated = isolated.expect("the last page is isolated");
        // ptep_clear is an exchange, too.
        let copied = place(&ops, &format!("xchg.{order:?} mm0.pte[4]"), 0);
        let steps = [locked, cleared, isolated, unlocked, copied];
        assert!(steps.is_sorted(), "{profile}: {steps:?}");
    }
}

#[test]
fn a_refused_collapse_puts_the_pmd_back_before_it_lets_go_of_the_anon_vma() {
    let read_only = |boot: &mut Boot| {
        let area = four_pages(boot);
        for n in 0..4 {
            let addr = area.start + n * gupcheck_core::pgtable::PAGE_SIZE;
            boot.change_pte(area.mm, addr, |pte| {
                pte.without(gupcheck_core::pgtable::Bits::WRITE)
            });
        }
        area
    };
    let ops = ops(&ARM64, read_only, |cpu, area| {
        assert_eq!(collapse_huge_page(cpu, area.mm, area.start), Scan::PageRo);
    });
    let back = place(&ops, "store.Relaxed mm0.pmd[1]", 0);
    assert!(back < place(&ops, "unlock mm0.anon_vma", 0));
}

#[test]
fn a_split_holds_the_anon_vma_from_the_first_mapping_to_the_last() {
    let huge = |boot: &mut Boot| {
        let area = boot.anon_area(4);
        let head = boot.thp(Owner::Us, 1);
        boot.map_huge(area.mm, area.start, head, true);
        boot.deposit(area.mm, area.start, Entry::NONE);
        (area, head)
    };
    let ops = ops(&ARM64, huge, |cpu, &(_, head)| {
        assert_eq!(split_huge_page(cpu, head), Ok(()));
    });
    let rmap = order_of(&ops, &["mm0.anon_vma"]);
    assert_eq!(rmap, ["lock mm0.anon_vma", "unlock mm0.anon_vma"]);
    let first = ops
        .iter()
        .position(|op| op.starts_with("xchg."))
        .expect("the pmd");
    assert!(place(&ops, "lock mm0.anon_vma", 0) < first);
    let released = ops.iter().rposition(|op| op.starts_with("and.Release"));
    let tails = ops.iter().rposition(|op| op.starts_with("sub.Full"));
    let unlocked = place(&ops, "unlock mm0.anon_vma", 0);
    assert!(tails < Some(unlocked) && Some(unlocked) < released);
}

#[test]
fn migration_looks_at_a_count_and_freezes_that_of_a_page_in_the_swap_cache() {
    for cached in [false, true] {
        let set_up = |boot: &mut Boot| {
            let (_, page) = one_page(boot);
            if cached {
                boot.add_to_swap_cache(page);
            }
            page
        };
        let ops = ops(&ARM64, set_up, |cpu, &page| {
            assert!(migrate_page(cpu, page).is_some());
        });
        let freezes = ops.iter().filter(|op| op.starts_with("cmpxchg")).count();
        assert_eq!(freezes, usize::from(cached));
        let stores = ops
            .iter()
            .filter(|op| *op == "store.Release page3.refcount");
        assert_eq!(
            stores.count(),
            usize::from(cached),
            "nothing else is given back"
        );
        let rmap = order_of(&ops, &["mm0.anon_vma"]);
        assert_eq!(rmap.len(), 4, "two walks, each with the lock by itself");
    }
}
