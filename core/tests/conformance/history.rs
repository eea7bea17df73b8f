//! Older kernels, which asked other questions: what a step leaves in place that is knocked out.

use crate::books::{Held, audit};
use crate::common::{World, boot_without, got, set_flag};
use gupcheck_core::arch::X86_NATIVE;
use gupcheck_core::boot::Boot;
use gupcheck_core::folio::{Owner, PageFlags};
use gupcheck_core::gup::{Foll, follow_page, get_user_pages_fast_only, get_user_pages_unlocked};
use gupcheck_core::mm::{Backing, VmFlags};
use gupcheck_core::pgtable::{Bits, Entry};
use gupcheck_core::step::Step;

/// From v4.9 to v5.19 a forced write was let through where this call had made a copy *and* the entry was dirty.
#[test]
fn a_copy_and_a_mark_let_a_forced_write_through() {
    for (copied, dirty) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut boot = boot_without(&X86_NATIVE, &[Step::ForcedAsksExclusive]);
        let area = boot.area_of(1, VmFlags::PRIVATE - VmFlags::WRITE, Backing::Anon);
        let page = boot.anon_page(Owner::Us, 0);
        boot.map(area.mm, area.start, page, true);
        let gone = if dirty {
            Bits::WRITE
        } else {
            Bits::WRITE | Bits::DIRTY
        };
        boot.change_pte(area.mm, area.start, |entry| entry.without(gone));
        let world = World::new(boot);
        let (cpu, mm) = (world.cpu(), world.machine.mm(area.mm));
        let mut flags = Foll::WRITE | Foll::FORCE | Foll::GET;
        flags.set(Foll::COW, copied);
        mm.read_lock(&cpu);
        let vma = mm.vma_lookup(&cpu, area.start).expect("an area");
        let followed = follow_page(&cpu, mm, vma, area.start, flags);
        mm.read_unlock(&cpu);
        let followed = followed.map(|page| page.map(|page| page.pfn));
        assert_eq!(
            followed,
            Ok((copied && dirty).then_some(page)),
            "{copied} {dirty}"
        );
    }
}

/// What becomes of an entry before the walk.
type Change = fn(Entry) -> Entry;

/// What those kernels took for done was a write where nobody may write. Where the area may be written to, one fault is not always
/// enough: the first takes a NUMA hint back, and the second copies a page that somebody else has, too.
#[test]
fn where_writing_is_allowed_a_forced_write_is_one_to_the_end() {
    for step in [Step::WriteIntentKept, Step::ForcedAsksExclusive] {
        let mut boot = boot_without(&X86_NATIVE, &[step]);
        let area = boot.anon_area(1);
        let page = boot.anon_page(Owner::Us, 1);
        boot.map(area.mm, area.start, page, false);
        set_flag(&mut boot, page, PageFlags::ANON_EXCLUSIVE, false);
        boot.change_pte(area.mm, area.start, Boot::prot_none);
        let copy = boot.free_block(0);
        let world = World::new(boot);
        let flags = Foll::WRITE | Foll::FORCE;
        let gup = get_user_pages_unlocked(&world.cpu(), area.into(), flags);
        assert_eq!(got(&gup), [copy], "{step:?}");
        audit(&world, &[Held::Refs(page, 1), Held::Refs(copy, 1)]);
    }
}

/// A walk that takes what hardware may not use still wants it to be there, and to be writable for a writer.
#[test]
fn a_walk_that_takes_hints_asks_the_rest() {
    let read_only: Change = |entry| entry.without(Bits::WRITE);
    let migrating: Change = |entry| entry.migration(true);
    let cases: [(Change, Foll, usize); 7] = [
        (Boot::prot_none, Foll::empty(), 1),
        (
            |entry| Boot::prot_none(entry).with(Bits::WRITE),
            Foll::WRITE,
            1,
        ),
        (Boot::prot_none, Foll::WRITE, 0),
        (read_only, Foll::empty(), 1),
        (read_only, Foll::WRITE, 0),
        (migrating, Foll::empty(), 0),
        (migrating, Foll::WRITE, 0),
    ];
    for (nth, (change, flags, expected)) in cases.into_iter().enumerate() {
        let mut boot = boot_without(&X86_NATIVE, &[Step::ProtNoneRefused]);
        let area = boot.anon_area(1);
        boot.populate(area);
        boot.change_pte(area.mm, area.start, change);
        let world = World::new(boot);
        let gup = get_user_pages_fast_only(&world.cpu(), area.mm, area.start, 1, flags);
        assert_eq!(got(&gup).len(), expected, "{nth} {flags:?}");
    }
}
