//! R57: KVM maps a page for its guest, of which it holds no reference, while the page is unmapped and freed.
//!
//! The walker's shape, with a sequence in place of the entry: sample, get the page, look again. Whoever unmaps tells KVM before
//! and after; in between, and if something came in between, the guest has to fault again.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "walker/shadow",
    catalogue: "R57",
    about: "A page is unmapped and freed while KVM, which found it, maps it for its guest.",
    needs: &[
        Need::of(Step::NotifierInvalidate, EVERYWHERE),
        Need::of(Step::NotifierRetry, EVERYWHERE),
        Need::of(Step::NotifierInProgress, EVERYWHERE),
        Need::of(Step::NotifierSequence, EVERYWHERE),
        Need::of(Step::AddUnlessZero, NO_IPI),
        // Between the cleared entry and the sequence that moves. By the kernel's own model, and so under `weak`, the locks do:
        // that of the entry is dropped, and KVM's is taken; C11's locks are weaker there (docs/limits.md).
        Need::of(Step::RmapOrdered, ONLY_ARM64),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    boot.populate(area);
    boot.secondary_mmu(area.mm);
    let mut scene = Scene::new(boot);
    let vcpus = scene.alike("vcpu{}", size.cpus, guest_access(area));
    scene.cpu("madvise", dontneed(area));
    scene.always("what the guest has is not free (I1)", move |end| {
        (end.guests_page(area.mm)).is_none_or(|pfn| !end.is_free(pfn))
    });
    for (text, ret) in [
        ("maps the page", "0"),
        ("has to fault again", "-EAGAIN"),
        ("finds no page", "-EFAULT"),
    ] {
        scene.sometimes(&format!("KVM {text}"), move |end| {
            end.is(vcpus[0], "ret", ret)
        });
    }
    scene.into_program()
}
