//! R19: the mm has one user, who frees page tables; so nobody else can be in them, it was thought.
//!
//! But a CPU that went over to a kernel thread keeps the mm, and may walk it speculatively in hardware; and a kernel thread
//! may begin to use the mm (`kthread_use_mm`) just after its users were counted. Until v4.19 (a6f572084fbe) tables of such an mm
//! were freed at once, before any flush.

use gupcheck_races::prelude::*;

const PROFILES: &[&Profile] = &[&X86_PV, &ARM64, &RISCV_SBI];
const RELAXED: &[&Profile] = &[&ARM64, &RISCV_SBI];

pub(crate) const RACE: Race = Race {
    name: "munmap/lone-user",
    catalogue: "R19",
    about: "The only user of an mm frees page tables that hardware walks, or a kernel thread that begins to use the mm.",
    profiles: PROFILES,
    needs: &[
        Need::of(Step::IrqsOffHoldRcu, PROFILES),
        Need::of(Step::AddUnlessZero, PROFILES),
        Need::of(Step::PutOrdered, RELAXED),
        Need::of(Step::TlbFlush, PROFILES),
        Need::of(Step::RcuTableFree, PROFILES),
        Need::of(Step::LoneUserWaits, PROFILES),
        Need::of(Step::EntrySingleLoad, PROFILES),
        Need::of(Step::PteRecheck, PROFILES),
        Need::of(Step::PinBarrier, RELAXED),
    ],
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
    let area = boot.anon_area(size.pages);
    let page = boot.populate(area)[0];
    boot.hardware(area);
    boot.lone_user(area.mm);
    let mut scene = Scene::new(boot);
    let gup = scene.callers(size.cpus, Hold::Reference, move |cpu| {
        let mm = cpu.machine().mm(area.mm);
        assert!(mm.mmget_not_zero(cpu), "munmap uses it");
        let got = get_user_pages_fast_only(cpu, area.mm, area.start, area.pages, Foll::WRITE);
        mm.mmput(cpu);
        got
    });
    let lazy = scene.cpu("lazy", hardware_use(area));
    scene.cpu("munmap", move |cpu| munmap(cpu, area.mm, area.vma));
    scene.sometimes("hardware uses a page", gets(lazy, page));
    scene.sometimes("a caller gets every page", gets_all(gup[0], size.pages));
    scene.sometimes("a caller gets nothing", gets_nothing(gup[0]));
    scene.into_program()
}
