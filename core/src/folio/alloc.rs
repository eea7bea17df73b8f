//! The page allocator: frames come and go under the zone's lock, and come back with other owners.
//!
//! There is a list of free blocks for each order, linked through the frames, last in, first out: what was
//! freed last is handed out next, as the kernel's per-CPU lists make likely. A block of a higher order is
//! split when its own list is empty; blocks are not merged.

use super::{BlockLink, CompoundHead, Folio, Mapping, Owner, Page, PageFlags, Pfn};
use crate::cpu::Cpu;
use crate::lkmm::{read_once, read_once_is, write_once};
use crate::sync::Fault;

/// `__alloc_pages`: a folio of `1 << order` pages with one reference, or `None` if there is no
/// block that large.
pub fn alloc_folio<'m>(cpu: &Cpu<'m>, order: u8, owner: Owner) -> Option<Folio<'m>> {
    let _span = cpu.span("alloc_pages");
    let machine = cpu.machine();
    machine.zone.lock.lock(cpu);
    let block = take_block(cpu, order);
    machine.zone.lock.unlock(cpu);
    let head = block?;
    prep_new_page(cpu, head, order, owner);
    Some(Folio::of(head))
}

/// Under the zone's lock: a block of `order`, off its list, or off a larger one that is split.
fn take_block<'m>(cpu: &Cpu<'m>, order: u8) -> Option<&'m Page> {
    let machine = cpu.machine();
    let list = machine.zone.free.get(order as usize)?;
    if let BlockLink(Some(first)) = list.read(cpu) {
        let page = machine.page(first);
        list.write(cpu, page.next_free.read(cpu));
        for n in 0..1 << order {
            machine.page(first.plus(n)).buddy.write(cpu, false);
        }
        return Some(page);
    }
    let larger = take_block(cpu, order + 1)?;
    give_block(cpu, larger.pfn.plus(1 << order), order);
    Some(larger)
}

/// Under the zone's lock: a block of `order`, onto its list.
fn give_block(cpu: &Cpu<'_>, first: Pfn, order: u8) {
    let machine = cpu.machine();
    for n in 0..1 << order {
        let page = machine.page(first.plus(n));
        if page.buddy.read(cpu) {
            cpu.fault(Fault::Bug {
                what: "a page was freed that is on the free list already",
                cell: Some(page.buddy.id()),
            });
        }
        page.buddy.write(cpu, true);
    }
    let list = machine.zone.free[order as usize];
    machine.page(first).next_free.write(cpu, list.read(cpu));
    list.write(cpu, BlockLink(Some(first)));
}

/// `prep_new_page`: the first reference, and only then the heads of a large folio, as the kernel has it
/// (`post_alloc_hook`, then `prep_compound_page`). Who holds an old entry for the head may get a reference
/// in between, of what still looks like a small folio.
fn prep_new_page(cpu: &Cpu<'_>, head: &Page, order: u8, owner: Owner) {
    let machine = cpu.machine();
    for n in 0..1 << order {
        machine.page(head.pfn.plus(n)).owner.write(cpu, owner);
    }
    set_page_refcounted(cpu, head);
    if order == 0 {
        return;
    }
    super::set_page_flags(cpu, head, PageFlags::HEAD);
    for n in 1..1 << order {
        let tail = machine.page(head.pfn.plus(n));
        write_once(cpu, tail.compound_head, CompoundHead(Some(head.pfn)));
    }
    write_once(cpu, head.order, order);
    write_once(cpu, head.entire_mapcount, 0);
    write_once(cpu, head.nr_pages_mapped, 0);
    write_once(cpu, head.pincount, 0);
}

/// `set_page_refcounted`: the first reference, of a page that has none.
fn set_page_refcounted(cpu: &Cpu<'_>, page: &Page) {
    // Who drops a reference asks only whether it was the last: one that was dropped too often shows here (I9).
    if !read_once_is(cpu, page.refcount, 0) {
        cpu.fault(Fault::Bug {
            what: "a page was allocated whose reference count is not zero",
            cell: Some(page.refcount.id()),
        });
    }
    write_once(cpu, page.refcount, 1);
}

/// `__folio_put`, `free_unref_page`: back to the free list, by whoever dropped the last reference, or froze it.
pub(crate) fn free_folio(cpu: &Cpu<'_>, folio: Folio<'_>) {
    let _span = cpu.span("__folio_put");
    let head = folio.head();
    let order = if folio.test(cpu, PageFlags::HEAD) {
        destroy_large_folio(cpu, folio)
    } else {
        0
    };
    let machine = cpu.machine();
    // free_zone_device_page: back to the driver.
    if head.memory.coherent {
        write_once(cpu, head.flags, PageFlags::empty());
        write_once(cpu, head.mapping, Mapping::None);
        head.owner.write(cpu, Owner::Free);
        return;
    }
    // free_pages_prepare: a small page that is poisoned does not go back to the list.
    if head.memory.may_fail && folio.test(cpu, PageFlags::HWPOISON) {
        head.owner.write(cpu, Owner::Free);
        return;
    }
    write_once(cpu, head.flags, PageFlags::empty());
    write_once(cpu, head.mapping, Mapping::None);
    for n in 0..1 << order {
        machine.page(head.pfn.plus(n)).owner.write(cpu, Owner::Free);
    }
    machine.zone.lock.lock(cpu);
    if usize::from(order) < machine.zone.free.len() {
        give_block(cpu, head.pfn, order);
    } else {
        // free_gigantic_folio: there is no list for such blocks, and its pages go one by one.
        for n in 0..1 << order {
            give_block(cpu, head.pfn.plus(n), 0);
        }
    }
    machine.zone.lock.unlock(cpu);
}

/// `take_page_off_buddy`, of a free small page: off the list, so that nobody is given it. Whether it was there.
pub fn take_page_off_buddy(cpu: &Cpu<'_>, page: &Page) -> bool {
    let _span = cpu.span("take_page_off_buddy");
    let machine = cpu.machine();
    machine.zone.lock.lock(cpu);
    let free = page.buddy.read(cpu);
    if free {
        page.buddy.write(cpu, false);
        let next = page.next_free.read(cpu);
        let mut link = machine.zone.free[0];
        while let BlockLink(Some(first)) = link.read(cpu)
            && first != page.pfn
        {
            link = machine.page(first).next_free;
        }
        link.write(cpu, next);
    }
    machine.zone.lock.unlock(cpu);
    free
}

/// `destroy_large_folio`: the tails are pages by themselves again. Returns the order that it had.
fn destroy_large_folio(cpu: &Cpu<'_>, folio: Folio<'_>) -> u8 {
    let head = folio.head();
    super::folio_undo_large_rmappable(cpu, folio);
    let order = read_once(cpu, head.order);
    for n in 1..1 << order {
        let tail = cpu.machine().page(head.pfn.plus(n));
        write_once(cpu, tail.compound_head, CompoundHead(None));
        write_once(cpu, tail.flags, PageFlags::empty());
    }
    order
}
