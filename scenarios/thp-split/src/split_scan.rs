//! A huge page of which a part is mapped no more is split by somebody, while the shrinker looks into the queue.
//!
//! A folio that is split leaves the queue, under the queue's lock, while its count is frozen. Otherwise the shrinker finds a small
//! page there, and would split that.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "thp-split/split-scan",
    catalogue: "-",
    about: "A partly unmapped huge page is split while the shrinker, which would split it, too, looks into the queue.",
    needs: &[Need::of(Step::SplitUnqueues, EVERYWHERE)],
    ..Race::of(build)
};

/// As many CPUs as there are callers elsewhere split it.
fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages + 1);
    let area = boot.pmd_area();
    let head = boot.partly_mapped_thp(area, 1..size.pages + 1);
    for _ in 0..size.cpus {
        boot.take_reference(head);
    }
    let mut scene = Scene::new(boot);
    let splitters = scene.alike("cpu{} split", size.cpus, move |cpu: &Cpu<'_>| {
        let split = split_huge_page(cpu, head);
        folio_put(cpu, Folio::of(cpu.machine().page(head)));
        split
    });
    let shrinker = scene.cpu("shrinker", |cpu| deferred_split_scan(cpu) > 0);
    scene.always("what is large is queued, and nothing else", move |end| {
        end.is_large(head) == end.is_queued_for_split(head)
    });
    scene.sometimes("the folio is split", did(splitters[0]));
    scene.sometimes("the shrinker splits it", did(shrinker));
    scene.into_program()
}
