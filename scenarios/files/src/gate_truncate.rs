//! R48: the lockless walk asks of which file a page is that is to be held for long, while the file is truncated.
//!
//! Nobody holds the page in its file. Truncation clears `mapping`, so it is read once, and who finds none goes the slow way. (Where a flush is
//! an IPI the page is unmapped first, and that waits for the walker.)

use crate::mapped::mapped_file;
use gupcheck_races::prelude::*;

pub(crate) const RACE: Race = Race {
    name: "files/gate-truncate",
    catalogue: "R48",
    about: "A page of shmem's is truncated while GUP asks whose file it is of, to pin it for long.",
    needs: &[
        Need::of(Step::MappingReadOnce, NO_IPI),
        Need::of(Step::TruncatedFallsBack, NO_IPI),
        Need::of(Step::PteRecheck, EVERYWHERE),
        Need::of(Step::AddUnlessZero, NO_IPI),
    ],
    tested: SMALL_FOR_ONE_PAGE,
    ..Race::of(build)
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let shared = VmFlags::SHARED_WRITABLE;
    let (file, area, _) = mapped_file(&mut boot, Backing::Shmem, shared, size.pages);
    let mut scene = Scene::new(boot);
    let gup = scene.pinners(size.cpus, area, Foll::WRITE | Foll::LONGTERM);
    scene.cpu("truncate", move |cpu| truncate(cpu, file, 0));
    scene.sometimes("a caller pins every page", gets_all(gup[0], size.pages));
    scene.sometimes("a caller is refused", gets_nothing(gup[0]));
    scene.into_program()
}
