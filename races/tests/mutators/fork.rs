//! fork against a caller that pins: what a child shares was not pinned (R04).

use gupcheck_races::prelude::*;

/// `dup_mmap`, of one page: whether the child shares it.
pub(crate) fn dup_mmap(cpu: &Cpu<'_>, parent: Area, child: Area) -> bool {
    let _span = cpu.span("dup_mmap");
    let (src, dst) = (cpu.machine().mm(parent.mm), cpu.machine().mm(child.mm));
    src.write_lock(cpu);
    src.write_protect_begin(cpu);
    let shared = copy_present_pte(cpu, src, dst, parent.start);
    src.write_protect_end(cpu);
    flush_tlb(cpu);
    src.write_unlock(cpu);
    shared
}

/// `copy_present_pte`. Where the page may be pinned the kernel makes the child a copy; here it gets nothing.
fn copy_present_pte(cpu: &Cpu<'_>, parent: &Mm, child: &Mm, addr: u64) -> bool {
    let dst = find_locked_pte(cpu, child, addr).expect("boot made the table");
    let src = find_locked_pte(cpu, parent, addr).expect("nobody unmaps here");
    let pte = src.get(cpu);
    let page = cpu.machine().page(pte.pfn());
    let folio = page_folio(cpu, page);
    folio_get(cpu, folio);
    let shared = page_try_dup_anon_rmap(cpu, page, || parent.needs_cow_for_dma(cpu, folio));
    if shared {
        let read_only = pte.without(Bits::WRITE);
        src.exchange(cpu, read_only);
        dst.set(cpu, read_only);
    } else {
        folio_put(cpu, folio);
    }
    pte_unmap_unlock(cpu, src);
    pte_unmap_unlock(cpu, dst);
    shared
}

/// The mm has pinned pages before: `fork/first-pin` is about the first time.
fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    let child = boot.child_of(area);
    boot.has_pinned_before(area.mm);
    let mut scene = Scene::new(boot);
    let gup = scene.pinners(size.cpus, area, Foll::WRITE);
    let fork = scene.cpu("fork", move |cpu| dup_mmap(cpu, area, child));
    scene.always("what the child shares is pinned by nobody", move |end| {
        !end.did(fork) || !end.any_got(&gup, page)
    });
    scene.sometimes("the child shares it", did(fork));
    scene.sometimes("a caller pins it", gets(gup[0], page));
    scene.into_program()
}

pub(crate) const RACE: Race = Race {
    name: "mutators/fork",
    catalogue: "R04",
    about: "A page is pinned while fork decides whether the child may share it.",
    profiles: NO_IPI,
    needs: &[
        Need::of(Step::PincountBarrier, RELAXED),
        Need::of(Step::SeqcountBegin, NO_IPI),
        Need::of(Step::SeqcountRetry, NO_IPI),
        Need::of(Step::UndoUnchecked, NO_IPI),
        Need::of(Step::UndoEveryPin, NO_IPI),
    ],
    indifferent: &[Step::RecheckOrder],
    ..Race::of(build)
};
