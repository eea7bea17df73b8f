//! What the fast path refuses although the entry would allow it: by whose the folio is.

use crate::common::{World, boot, got, populated, set_flag};
use gupcheck_core::arch::X86_NATIVE;
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::folio::{Mapping, PageFlags, Pfn};
use gupcheck_core::gup::{Foll, pin_user_pages_fast_only};

/// One mapped page whose entry or folio `change` spoils; how many pages a pin with `flags` gets.
pub(crate) fn pin_one(flags: Foll, change: impl FnOnce(&mut Boot, Area, Pfn)) -> usize {
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 1);
    change(&mut boot, area, pages[0]);
    let world = World::new(boot);
    let before = (world.refs(pages[0]), world.flags(pages[0]));
    let gup = pin_user_pages_fast_only(&world.cpu(), area.mm, area.start, 1, flags);
    assert!(world.no_locks_held());
    let count = got(&gup).len();
    if count == 0 {
        let after = (world.refs(pages[0]), world.flags(pages[0]));
        assert_eq!(before, after, "a walk that gives up leaves no trace");
    }
    count
}

pub(crate) fn mapped_as(mapping: Mapping) -> impl Fn(&mut Boot, Area, Pfn) {
    move |boot, _, pfn| {
        let cell = boot.page(pfn).mapping;
        boot.layout().set(cell, mapping);
    }
}

// PARITY: 8, 21
#[test]
fn long_term_write_pins_are_for_mappings_known_to_be_safe() {
    use Mapping::{Anon, File, Ksm, Movable, None, Secretmem, Shmem};
    let all = Foll::WRITE | Foll::LONGTERM;
    for (mapping, allowed) in [
        (Anon, 1),
        (Ksm, 1),
        (Shmem, 1),
        (None, 0),
        (Movable, 0),
        (Secretmem, 0),
        (File, 0),
    ] {
        assert_eq!(pin_one(all, mapped_as(mapping)), allowed, "{mapping:?}");
        if mapping != Secretmem {
            assert_eq!(pin_one(Foll::WRITE, mapped_as(mapping)), 1, "{mapping:?}");
        }
    }
}

// PARITY: 8
#[test]
fn slab_is_never_held_for_long_and_hugetlb_always_may_be() {
    for (flag, allowed) in [(PageFlags::SLAB, 0), (PageFlags::HUGETLB, 1)] {
        let change = |boot: &mut Boot, area: Area, pfn: Pfn| {
            mapped_as(Mapping::File)(boot, area, pfn);
            set_flag(boot, pfn, flag, true);
        };
        assert_eq!(pin_one(Foll::WRITE | Foll::LONGTERM, change), allowed);
    }
}

#[test]
fn secretmem_is_found_out_unless_it_is_not_on_the_lru_yet() {
    assert_eq!(pin_one(Foll::empty(), mapped_as(Mapping::Secretmem)), 0);
    // The fault of v6.6's cheap first look.
    let batched = |boot: &mut Boot, area: Area, pfn: Pfn| {
        mapped_as(Mapping::Secretmem)(boot, area, pfn);
        set_flag(boot, pfn, PageFlags::LRU, false);
    };
    assert_eq!(pin_one(Foll::empty(), batched), 1);
}
