//! In which order something is taken back that could not be done; and what must be so before a page can be found.

use crate::books::{Held, audit};
use crate::common::{World, boot, populated};
use crate::files::{MAY_RETRY, SHARED, mapped, touch};
use gupcheck_core::arch::X86_NATIVE;
use gupcheck_core::filemap::{filemap_add_folio, filemap_alloc_folio};
use gupcheck_core::folio::{Memory, PageFlags, folio_put};
use gupcheck_core::gup::{Errno, Foll, pin_user_pages_unlocked};
use gupcheck_core::mm::{Backing, FaultFlags, VmFault};

fn place(ops: &[String], op: &str) -> usize {
    let found = ops.iter().position(|other| other == op);
    found.unwrap_or_else(|| panic!("{op} is not among {ops:#?}"))
}

/// Somebody else was first: the folio is nobody's, then the cache's reference goes, and then it is unlocked.
#[test]
fn a_page_that_is_not_added_to_a_cache_is_unlocked_last() {
    let (mut boot, _, file) = mapped(Backing::File, SHARED);
    boot.cached(file, 0);
    boot.free_pages(1);
    let world = World::new(boot);
    let cpu = world.cpu();
    let folio = filemap_alloc_folio(&cpu).expect("there is memory");
    let new = folio.head().pfn;
    let ops = world.ops(|cpu| {
        let of = &cpu.machine().files[file.0 as usize];
        assert_eq!(filemap_add_folio(cpu, of, 0, folio), Err(Errno::Eexist));
    });
    let undone: Vec<_> = ops[place(&ops, "unlock file0.xa_lock")..]
        .iter()
        .filter(|op| op.contains(&format!(" {new}.")))
        .collect();
    let expected = ["store.Relaxed", "sub.Full", "store.Relaxed"];
    let expected = [0, 1, 2].map(|n| {
        let fields = ["mapping", "refcount", "flags"];
        format!("{} {new}.{}", expected[n], fields[n])
    });
    assert_eq!(undone, expected.iter().collect::<Vec<_>>());
    assert_eq!(world.flags(new), PageFlags::NOT_UPTODATE);
    folio_put(&cpu, folio);
    audit(&world, &[]);
}

/// secretmem's page has its contents before it can be found; a file's is read after that.
#[test]
fn what_is_in_a_cache_without_its_contents() {
    for (backing, without) in [
        (Backing::Secretmem, false),
        (Backing::Shmem, true),
        (Backing::File, true),
    ] {
        let (mut boot, area, file) = mapped(backing, SHARED);
        boot.free_pages(2);
        let world = World::new(boot);
        // The table is allocated first; the page that is freed last comes out first.
        let pages = 0..world.machine.pages().len() as u32;
        let free: Vec<_> = pages
            .map(gupcheck_core::folio::Pfn)
            .filter(|&pfn| world.is_free(pfn))
            .collect();
        let marks: Vec<_> = (free.iter())
            .map(|&pfn| world.machine.page(pfn).flags)
            .collect();
        let mut seen = vec![];
        let written = world.written(marks[0], || {
            seen = world.written(marks[1], || {
                assert_eq!(touch(&world, area, FaultFlags::empty()), VmFault::Done);
            });
        });
        let all = written.iter().chain(&seen);
        let ever = all
            .into_iter()
            .any(|flags| flags.contains(PageFlags::NOT_UPTODATE));
        assert_eq!(ever, without, "{backing:?}");
        assert!(crate::files::cache(&world, file, 0).is_some());
        audit(&world, &[]);
    }
}

/// Whether a page was read is asked once nobody has it locked.
#[test]
fn a_page_that_was_read_is_looked_at_again() {
    for wait in [FaultFlags::empty(), MAY_RETRY] {
        let (mut boot, area, file) = mapped(Backing::File, SHARED);
        boot.free_pages(2);
        let world = World::new(boot);
        let ops = world.ops(|_| assert_eq!(touch(&world, area, wait), VmFault::Done));
        let page = crate::files::cache(&world, file, 0).expect("it was read");
        assert!(place(&ops, &format!("spin {page}.flags")) > 0);
        audit(&world, &[]);
    }
}

/// A device's page that does not move: the page that it was to move to is given back first, and then the mappings come back.
#[test]
fn the_new_page_of_a_device_goes_before_the_mappings_come_back() {
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 1);
    let coherent = Memory {
        coherent: true,
        ..Memory::default()
    };
    boot.set_memory(pages[0], coherent);
    let new = boot.free_block(0);
    // Which the first look lets pass, and the second does not.
    boot.take_reference(pages[0]);
    let slot = boot.table_of(area);
    let slot = boot.page(slot).table.entries[0];
    let name = boot.layout().decl(slot.id()).name.to_string();
    let world = World::new(boot);
    let ops = world.ops(|cpu| {
        let gup = pin_user_pages_unlocked(cpu, area.into(), Foll::WRITE | Foll::LONGTERM);
        assert_eq!(gup.result, Err(Errno::Ebusy));
    });
    let freed = ops
        .iter()
        .rposition(|op| *op == format!("write {new}.buddy"));
    let restored = ops
        .iter()
        .rposition(|op| *op == format!("store.Relaxed {name}"));
    assert!(freed.is_some() && freed < restored, "{ops:#?}");
    audit(&world, &[Held::Refs(pages[0], 1)]);
}
