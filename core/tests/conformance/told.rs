//! Who tells secondary MMUs before it changes what they may have mapped, and once it has.

use crate::common::{World, boot, populated};
use gupcheck_core::arch::{ARM64, X86_NATIVE};
use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::cpu::Cpu;
use gupcheck_core::folio::{Mapping, Pfn};
use gupcheck_core::gup::kvm_page_fault;
use gupcheck_core::mm::FaultFlags;
use gupcheck_core::mutators::{
    do_user_addr_fault, dup_mm, ksm_merge, madvise_dontneed, migrate_page, reclaim_pages,
};

/// What a guest has mapped is taken away by `work`, which moves the sequence so often, and leaves no invalidation under way.
fn told(
    times: u32,
    prepare: impl FnOnce(&mut Boot, Area, Pfn) -> Option<Pfn>,
    work: impl FnOnce(&Cpu<'_>, Area, Option<Pfn>, Pfn),
) {
    let mut boot = boot(&X86_NATIVE);
    let (area, pages) = populated(&mut boot, 1);
    boot.secondary_mmu(area.mm);
    let other = prepare(&mut boot, area, pages[0]);
    boot.free_block(0);
    boot.free_block(0);
    let world = World::new(boot);
    let cpu = world.cpu();
    let kvm = &world.machine.secondary_mmus[0];
    assert_eq!(kvm_page_fault(&cpu, area.mm, area.start), Ok(()));
    assert_eq!(world.plain(kvm.mapped).0, Some(pages[0]));
    work(&cpu, area, other, pages[0]);
    assert_eq!(world.plain(kvm.mapped).0, None);
    assert_eq!(world.get(kvm.sequence), times);
    assert_eq!(world.plain(kvm.in_progress), 0);
}

#[test]
fn fork_tells_before_it_write_protects() {
    let child = |boot: &mut Boot, area, _| Some(Pfn(boot.child_of(area).mm.0));
    told(1, child, |cpu, area, child, _| {
        let child = gupcheck_core::machine::MmId(child.expect("made above").0);
        assert_eq!(dup_mm(cpu, area.mm, child), Ok(()));
    });
}

#[test]
fn whoever_takes_a_page_away_tells() {
    let nothing = |_: &mut Boot, _, _| None;
    told(1, nothing, |cpu, area, _, _| {
        madvise_dontneed(cpu, area.mm, area.start, area.end);
    });
    told(1, nothing, |cpu, _, _, page| {
        assert!(migrate_page(cpu, page).is_some());
    });
    let swap = |boot: &mut Boot, _, _| {
        boot.swap_space(1);
        None
    };
    told(1, swap, |cpu, _, _, page| {
        reclaim_pages(cpu, &[page]);
    });
}

#[test]
fn ksm_tells_when_it_protects_and_when_it_replaces() {
    let kpage = |boot: &mut Boot, _, _| {
        let (other, kpages) = populated(boot, 1);
        boot.share(other, kpages[0]);
        let mapping = boot.page(kpages[0]).mapping;
        boot.layout().set(mapping, Mapping::Ksm);
        Some(kpages[0])
    };
    told(2, kpage, |cpu, area, kpage, _| {
        assert!(ksm_merge(cpu, area.mm, area.start, kpage));
    });
}

/// A page that a guest only reads is mapped for it as it is; a copy takes its place.
#[test]
fn a_copy_on_write_tells() {
    let mut boot = boot(&ARM64);
    let (area, pages) = populated(&mut boot, 1);
    boot.secondary_mmu(area.mm);
    boot.forked(area);
    boot.free_block(0);
    let world = World::new(boot);
    let kvm = &world.machine.secondary_mmus[0];
    let cpu = world.cpu();
    do_user_addr_fault(&cpu, area.mm, area.start, FaultFlags::WRITE);
    assert!(world.refs(pages[0]) == 1 && world.get(kvm.sequence) == 1);
    assert_eq!(world.plain(kvm.in_progress), 0);
}
