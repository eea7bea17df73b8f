//! R54: reclaim discards a page, and its next owner has it, while a thread still reads by a stale translation.
//!
//! A page that was given up and is clean is not written out, so nobody flushes on its account before the list is done. The flush that
//! was put off must come before the pages are freed (`try_to_unmap_flush` in `shrink_folio_list`).

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "reclaim/stale-read",
    catalogue: "R54",
    about: "Reclaim discards a page, puts the flush off, and the page's next owner writes to it, while a thread reads.",
    needs: &[
        Need::of(Step::TlbFlush, EVERYWHERE),
        Need::of(Step::FlushBeforeFree, EVERYWHERE),
    ],
    ..Race::of(build)
};

/// What the next owner writes.
const SECRET: u32 = 2;

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    boot.hardware(area);
    let pages = boot.populate(area);
    for (nth, &page) in (0..).zip(&pages) {
        boot.madvise_free(area.mm, area.start + nth * PAGE_SIZE, page);
    }
    let mut scene = Scene::new(boot);
    let threads = scene.alike("thread{}", size.cpus, move |cpu: &Cpu<'_>| {
        user_read(cpu, area.mm, area.start)
    });
    let reclaim = scene.cpu("kswapd", move |cpu| {
        reclaim_pages(cpu, &pages);
        let next = alloc_folio(cpu, 0, Owner::Other)?;
        write_once(cpu, next.head().contents, SECRET);
        Some(next.head().pfn)
    });
    scene.owns_what_it_returns(reclaim);
    scene.always("no thread reads what is somebody else's", move |end| {
        !threads
            .iter()
            .any(|&lane| end.value(lane) == Some(i64::from(SECRET)))
    });
    scene.sometimes(
        "a thread reads, and the page has another owner",
        move |end| end.value(threads[0]) == Some(0) && end.got(reclaim) == 1,
    );
    scene.sometimes("a thread comes too late", move |end| {
        end.value(threads[0]).is_none()
    });
    scene.into_program()
}
