//! The page allocator: what comes back, in which order, and what must not happen twice.

use crate::books::{Held, audit};
use crate::common::{World, boot, populated};
use gupcheck_core::arch::X86_NATIVE;
use gupcheck_core::folio::{Folio, Owner, alloc_folio, folio_put};
use gupcheck_core::pgtable::{Level, pte_free};

#[test]
fn the_allocator_hands_out_what_was_freed_last() {
    let mut boot = boot(&X86_NATIVE);
    let (first, second) = (boot.free_block(0), boot.free_block(0));
    let world = World::new(boot);
    let cpu = world.cpu();
    let take = || alloc_folio(&cpu, 0, Owner::Other).expect("there is a block");
    let (one, two) = (take(), take());
    assert_eq!((one.head().pfn, two.head().pfn), (second, first));
    folio_put(&cpu, two);
    folio_put(&cpu, one);
    let one = take();
    assert_eq!(one.head().pfn, second);
    audit(&world, &[Held::Refs(second, 1)]);
}

#[test]
fn the_allocator_splits_a_large_block() {
    let mut boot = boot(&X86_NATIVE);
    let block = boot.free_block(2);
    let world = World::new(boot);
    let cpu = world.cpu();
    let taken: Vec<_> = (0..4)
        .map(|_| {
            alloc_folio(&cpu, 0, Owner::Other)
                .expect("a page")
                .head()
                .pfn
        })
        .collect();
    assert_eq!(taken, [0, 1, 2, 3].map(|n| block.plus(n)));
    assert!(alloc_folio(&cpu, 0, Owner::Other).is_none());
    audit(
        &world,
        &taken
            .iter()
            .map(|&pfn| Held::Refs(pfn, 1))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn a_large_folio_comes_and_goes_whole() {
    let mut boot = boot(&X86_NATIVE);
    let block = boot.free_block(2);
    let world = World::new(boot);
    let cpu = world.cpu();
    let folio = alloc_folio(&cpu, 2, Owner::Us).expect("a block");
    assert_eq!(folio.nr_pages(&cpu), 4);
    audit(&world, &[Held::Refs(block.plus(3), 1)]);
    folio_put(&cpu, folio);
    assert!(alloc_folio(&cpu, 3, Owner::Us).is_none());
    audit(&world, &[]);
}

#[test]
#[should_panic(expected = "a page was freed that is on the free list already")]
fn freeing_twice_is_a_bug() {
    let mut boot = boot(&X86_NATIVE);
    let block = boot.free_block(0);
    let world = World::new(boot);
    let page = world.machine.page(block);
    world.set(page.refcount, 1);
    folio_put(&world.cpu(), Folio::of(page));
}

#[test]
#[should_panic(expected = "double free")]
fn freeing_a_table_twice_is_a_bug() {
    let mut boot = boot(&X86_NATIVE);
    let (area, _) = populated(&mut boot, 1);
    let slot = boot.tables_down_to(area.mm, area.start, Level::Pmd);
    let table = boot.layout().get(slot).pfn();
    let world = World::new(boot);
    let page = world.machine.page(table);
    pte_free(&world.cpu(), page);
    pte_free(&world.cpu(), page);
}
