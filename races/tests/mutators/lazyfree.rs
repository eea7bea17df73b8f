//! Reclaim of a page that `MADV_FREE` gave up, against a caller that pins it (R08).

use gupcheck_races::prelude::*;

/// `shrink_folio_list`, of one page: whether it was discarded. The last reference frees it, here the isolation's.
fn shrink_folio_list(cpu: &Cpu<'_>, area: Area, pfn: Pfn) -> bool {
    let _span = cpu.span("shrink_folio_list");
    let folio = Folio::of(cpu.machine().page(pfn));
    if !folio.trylock(cpu) {
        return false;
    }
    folio_get(cpu, folio);
    let discarded = try_to_unmap_one(cpu, area, folio);
    folio.unlock(cpu);
    folio_put(cpu, folio);
    discarded
}

/// `try_to_unmap_one`, of a folio that is anonymous and not swap-backed: unmapped, unless somebody holds it.
fn try_to_unmap_one(cpu: &Cpu<'_>, area: Area, folio: Folio<'_>) -> bool {
    let mm = cpu.machine().mm(area.mm);
    let ptep = find_locked_pte(cpu, mm, area.start).expect("nobody unmaps here");
    // ptep_clear_flush
    let pte = ptep.get_and_clear(cpu);
    flush_tlb(cpu);
    // ORDERING: full, between the cleared entry and the look at the count. Pairs with pin-barrier (P12).
    if cpu.does(Step::PeekBarrier) {
        smp_mb(cpu);
    }
    // The isolation's reference, and the mapping's.
    let unused = folio_ref_count_is(cpu, folio, 2);
    if unused {
        page_remove_rmap(cpu, folio.head());
        folio_put(cpu, folio);
    } else {
        ptep.set(cpu, pte);
    }
    pte_unmap_unlock(cpu, ptep);
    unused
}

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    let mut scene = Scene::new(boot);
    let gup = scene.pinners(size.cpus, area, Foll::WRITE);
    let reclaim = scene.cpu("kswapd", move |cpu| shrink_folio_list(cpu, area, page));
    scene.always("what a caller pinned is not discarded", move |end| {
        !end.did(reclaim) || !end.any_got(&gup, page)
    });
    scene.sometimes("the page is discarded", did(reclaim));
    scene.sometimes("a caller pins it", gets(gup[0], page));
    scene.into_program()
}

pub(crate) const RACE: Race = Race {
    name: "mutators/lazyfree",
    catalogue: "R08",
    about: "A page is pinned while reclaim decides whether anybody holds it.",
    profiles: NO_IPI,
    needs: &[
        Need::of(Step::AddUnlessZero, NO_IPI),
        Need::of(Step::PteRecheck, NO_IPI),
        Need::of(Step::PeekBarrier, WEAKEST),
    ],
    indifferent: &[Step::RecheckOrder],
    ..Race::of(build)
};
