//! Entries of two words: in which order their halves are read and written; and what the walk compares.

use crate::common::{World, boot, boot_without, got, populated};
use gupcheck_core::arch::{ARM64, Profile, S390, X86_PAE};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::folio::{Owner, Pfn};
use gupcheck_core::gup::{
    Errno, Foll, get_user_mapping_size, get_user_pages_fast_only, perf_get_page_size,
};
use gupcheck_core::mm::{Backing, VmFlags};
use gupcheck_core::pgtable::{Bits, Entry, EntryPtr, Level, PAGE_SIZE, find_entry};
use gupcheck_core::step::Step;

const P: Entry = Entry::leaf(Pfn(5), true);

/// What is written to an entry by `work`, write by write.
fn values(without: &[Step], from: Entry, work: impl Fn(&World, EntryPtr<'_>)) -> Vec<Entry> {
    let mut boot = boot_without(&X86_PAE, without);
    let (area, _) = populated(&mut boot, 1);
    boot.change_pte(area.mm, area.start, |_| from);
    let world = World::new(boot);
    let cpu = world.cpu();
    let mm = world.machine.mm(area.mm);
    let ptep = find_entry(&cpu, mm, area.start, Level::Pte).expect("mapped");
    let table = ptep.table().expect("a table");
    let slot = table.table.entries[0];
    world.written(slot, || work(&world, ptep))
}

/// The lower half of an entry, and nothing else: the flags, and the lowest bit of the frame.
fn low(entry: Entry) -> Entry {
    Entry::new(Pfn(entry.pfn().0 % 2), entry.bits())
}

/// The upper half.
fn high(entry: Entry) -> Entry {
    Entry::new(Pfn(entry.pfn().0 - entry.pfn().0 % 2), Bits::empty())
}

#[test]
fn an_entry_becomes_present_last_and_ceases_to_be_first() {
    let set = |world: &World, ptep: EntryPtr<'_>| ptep.set(&world.cpu(), P);
    let clear = |world: &World, ptep: EntryPtr<'_>| ptep.set(&world.cpu(), Entry::NONE);
    assert_eq!(values(&[], Entry::NONE, set), [high(P), P]);
    assert_eq!(values(&[], P, clear), [high(P), Entry::NONE]);
    let reversed = &[Step::HalfStoreOrder];
    assert_eq!(values(reversed, Entry::NONE, set), [low(P), P]);
    assert_eq!(values(reversed, P, clear), [low(P), Entry::NONE]);
}

#[test]
fn a_locked_instruction_changes_both_halves_at_once() {
    let cleared = values(&[], P, |world, ptep| {
        assert_eq!(ptep.get_and_clear(&world.cpu()), P);
    });
    assert_eq!(cleared, [Entry::NONE]);
    let set = values(&[], Entry::NONE, |world, ptep| {
        ptep.set_pmd(&world.cpu(), P);
    });
    assert_eq!(set, [P]);
}

#[test]
fn what_is_read_by_halves_is_the_entry() {
    for entry in [Entry::NONE, P, P.migration(true)] {
        for without in [
            &[][..],
            &[Step::LowHalfFirst],
            &[Step::LowHalfAgain],
            &[Step::LowHalfFirst, Step::LowHalfAgain],
        ] {
            values(without, entry, |world, ptep| {
                let cpu = world.cpu();
                assert_eq!(ptep.read_once(&cpu), entry);
                assert!(ptep.is(&cpu, entry));
                assert!(!ptep.is(&cpu, Entry::new(Pfn(6), entry.bits())));
                assert!(!ptep.is(&cpu, Entry::new(Pfn(7), entry.bits())));
                assert!(!ptep.is(&cpu, entry.with(Bits::SPECIAL)));
            });
        }
    }
}

#[test]
fn hardwares_marks_are_no_change_to_who_leaves_them_out() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let (area, pages) = populated(&mut boot, 1);
        let clean = Entry::leaf(pages[0], false).with(Bits::WRITE);
        boot.change_pte(area.mm, area.start, |_| clean);
        let world = World::new(boot);
        let cpu = world.cpu();
        let ptep = find_entry(&cpu, world.machine.mm(area.mm), area.start, Level::Pte);
        let ptep = ptep.expect("mapped");
        assert!(ptep.use_by_hardware(&cpu, clean, true));
        assert_eq!(ptep.get(&cpu), clean.with(Bits::DIRTY), "{profile}");
        assert!(!ptep.is(&cpu, clean) && ptep.is_but_for_marks(&cpu, clean));
        assert!(!ptep.is_but_for_marks(&cpu, clean.without(Bits::WRITE)));
    }
}

/// An area of four pages, of which the first two are before the boundary of a root entry.
fn over_the_boundary(without: &[Step]) -> (World, Area, Vec<Pfn>) {
    let mut boot = boot_without(&S390, without);
    let mm = boot.new_mm();
    let start = boot.geometry().span(Level::Pgd) - 2 * PAGE_SIZE;
    let vma = boot.mmap(mm, start, 4, VmFlags::PRIVATE, Backing::Anon);
    let end = start + 4 * PAGE_SIZE;
    let area = Area {
        mm,
        vma,
        start,
        end,
        pages: 4,
    };
    let pages = boot.populate(area);
    (World::new(boot), area, pages)
}

#[test]
fn a_level_that_is_folded_at_run_time_goes_along_the_table_above() {
    let (world, area, pages) = over_the_boundary(&[]);
    let gup = get_user_pages_fast_only(&world.cpu(), area.mm, area.start, 4, Foll::WRITE);
    assert_eq!(got(&gup), pages);
}

#[test]
#[should_panic(expected = "what lies beside the walker's own copy of an entry is taken for one")]
fn a_pointer_to_a_copy_goes_along_the_stack() {
    let (world, area, _) = over_the_boundary(&[Step::FoldedByPlace]);
    get_user_pages_fast_only(&world.cpu(), area.mm, area.start, 4, Foll::WRITE);
}

/// A range that does not cross the boundary shows nothing.
#[test]
fn the_first_entry_of_a_copy_is_right() {
    let (world, area, pages) = over_the_boundary(&[Step::FoldedByPlace]);
    let gup = get_user_pages_fast_only(&world.cpu(), area.mm, area.start, 2, Foll::WRITE);
    assert_eq!(got(&gup), pages[..2]);
}

/// Perf and KVM: the level of the entry that maps an address, and what each says where nothing does.
#[test]
fn the_size_of_a_mapping_is_the_level_of_its_entry() {
    for profile in Profile::ALL {
        let mut boot = boot(profile);
        let area = boot.anon_area(8);
        let small = boot.anon_page(Owner::Us, 0);
        boot.map(area.mm, area.start, small, true);
        let huge = boot.thp(Owner::Us, 0);
        let second = area.start + 4 * PAGE_SIZE;
        boot.map_huge(area.mm, second, huge, true);
        let world = World::new(boot);
        let cpu = world.cpu();
        let none = area.start + PAGE_SIZE;
        let sizes = [
            (area.start, Some(Level::Pte)),
            (second + PAGE_SIZE, Some(Level::Pmd)),
            (none, None),
            (area.start + 32 * PAGE_SIZE, None),
        ];
        for (addr, size) in sizes {
            assert_eq!(perf_get_page_size(&cpu, area.mm, addr), size, "{profile}");
            let kvms = size.ok_or(Errno::Eagain);
            assert_eq!(
                get_user_mapping_size(&cpu, area.mm, addr),
                kvms,
                "{profile}"
            );
        }
    }
    let mut boot = boot(&ARM64);
    let (area, _) = populated(&mut boot, 1);
    boot.change_pte(area.mm, area.start, Boot::prot_none);
    let world = World::new(boot);
    // Perf counts what the kernel calls present; KVM what hardware may use.
    let perf = perf_get_page_size(&world.cpu(), area.mm, area.start);
    assert_eq!(perf, Some(Level::Pte));
    let kvm = get_user_mapping_size(&world.cpu(), area.mm, area.start);
    assert_eq!(kvm, Err(Errno::Eagain));
}
