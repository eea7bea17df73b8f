//! R57 against fork: KVM has a page mapped for its guest, for writing and without a reference, and a child is to share it.
//!
//! To the child the page is the parent's no more than its own, and the guest is the parent's. Fork finds no pin: KVM keeps none. So
//! it tells KVM before it write-protects anything, and once it has; and who faults for the guest meanwhile faults again.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "fork/shadow",
    catalogue: "R57",
    about: "KVM maps a page for its guest to write to while fork lets a child share it.",
    needs: &[
        Need::of(Step::NotifierInvalidate, EVERYWHERE),
        Need::of(Step::NotifierRetry, EVERYWHERE),
        Need::of(Step::NotifierInProgress, EVERYWHERE),
        Need::of(Step::NotifierSequence, EVERYWHERE),
        // Its write barrier, between the entry and the sequence of KVM's that moves. By the kernel's own model, and so under
        // `weak`, the locks do; C11's are weaker there (docs/limits.md).
        Need::of(Step::ForkSequence, ONLY_ARM64),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    let child = boot.child_of(area);
    boot.secondary_mmu(area.mm);
    let mut scene = Scene::new(boot);
    let vcpus = scene.alike("vcpu{}", size.cpus, guest_access(area));
    let fork = scene.cpu("fork", move |cpu| dup_mm(cpu, area.mm, child.mm));
    scene.always(
        "a guest writes to no page that a child shares (I12)",
        move |end| {
            let shared = end.mapped(child.mm, child.start);
            shared.is_none() || end.guests_page(area.mm) != shared
        },
    );
    scene.always("the child shares the page", move |end| {
        end.did(fork) && end.mapped(child.mm, child.start) == Some(page)
    });
    let first = vcpus[0];
    for (text, ret) in [
        ("maps the page", "0"),
        ("has to fault again", "-EAGAIN"),
        ("finds it read-only", "-EFAULT"),
    ] {
        scene.sometimes(&format!("KVM {text}"), move |end| end.is(first, "ret", ret));
    }
    scene.into_program()
}
