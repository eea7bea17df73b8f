//! R57 against ksmd: KVM has a page mapped for its guest to write to, and ksmd makes it one of KSM's.
//!
//! KVM keeps no reference, so the count that ksmd compares knows nothing of the guest. ksmd tells KVM, around its
//! write-protection (and again where it replaces the page by another, which this one is not): from then on a guest that wants to
//! write finds the page read-only.

use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "cow/ksm-shadow",
    catalogue: "R57",
    about: "A page becomes one of KSM's while KVM maps it for its guest to write to.",
    needs: &[
        Need::of(Step::NotifierInvalidate, EVERYWHERE),
        Need::of(Step::NotifierInProgress, EVERYWHERE),
        // Elsewhere ksmd sees the reference that KVM has until it has mapped the page. Here nothing orders that look.
        Need::of(Step::NotifierRetry, WEAKEST),
        Need::of(Step::NotifierSequence, WEAKEST),
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
    let ksmd = scene.cpu("ksmd", move |cpu| ksm_merge(cpu, area.mm, area.start, None));
    scene.always("a guest writes to no page of KSM's (I5)", move |end| {
        !end.did(ksmd) || end.guests_page(area.mm).is_none()
    });
    let first = vcpus[0];
    scene.sometimes("KVM maps the page, and ksmd takes it", move |end| {
        end.did(ksmd) && end.is(first, "ret", "0")
    });
    for (text, ret) in [("has to fault again", "-EAGAIN"), ("finds none", "-EFAULT")] {
        scene.sometimes(&format!("KVM {text}"), move |end| end.is(first, "ret", ret));
    }
    scene.into_program()
}
