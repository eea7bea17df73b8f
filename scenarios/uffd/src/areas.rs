//! What moves where, and who moves it.

use gupcheck_races::prelude::*;

/// Two areas of one mm, as long as each other, with nothing in them, a table of PTEs each, and two pmd tables apart.
pub(crate) fn two(boot: &mut Boot, pages: u32) -> (Area, Area) {
    let src = boot.anon_area(pages);
    let dst = elsewhere(boot, src);
    boot.table_of(src);
    boot.table_of(dst);
    (src, dst)
}

/// The same, with a huge page in the first, and no table in the other: its head.
pub(crate) fn two_huge(boot: &mut Boot) -> ((Area, Area), Pfn) {
    let src = boot.pmd_area();
    let dst = elsewhere(boot, src);
    let head = boot.mapped_thp(src, true);
    ((src, dst), head)
}

fn elsewhere(boot: &mut Boot, area: Area) -> Area {
    let start = boot.geometry().span(Level::Pmd) * 2;
    boot.area_like(area, start)
}

/// Adds CPUs that move all pages of one area to another: each says whether it moved any.
pub(crate) fn movers(scene: &mut Scene, count: u32, (src, dst): (Area, Area)) -> Lanes {
    scene.alike("uffd{}", count, move |cpu: &Cpu<'_>| {
        move_pages(cpu, dst, src).is_ok()
    })
}

/// Brings the area's first page back, takes a reference of it, and has it swapped out: the page.
pub(crate) fn swapped_out_again(cpu: &Cpu<'_>, area: Area) -> Option<Pfn> {
    write_fault(area)(cpu);
    let ptep = find_locked_pte(cpu, cpu.machine().mm(area.mm), area.start)?;
    let pte = ptep.get(cpu);
    let page = pte.pte_present().then(|| pte.pfn());
    if let Some(pfn) = page {
        folio_get(cpu, Folio::of(cpu.machine().page(pfn)));
    }
    pte_unmap_unlock(cpu, ptep);
    reclaim_pages(cpu, &[page?]);
    page
}

/// Whoever comes by way of a page finds it.
pub(crate) fn all_found(scene: &mut Scene, (src, dst): (Area, Area)) {
    let text = "whoever comes by way of a page finds where it is mapped";
    scene.always(text, move |end| {
        end.is_found_by_rmap(src) && end.is_found_by_rmap(dst)
    });
}

/// Where there is more to see than anybody waits for: under x86, states see the whole.
pub(crate) const PART: &[Tested] = &[Tested::part(1, 1, 5_000)];
