//! The same as `uffd/pin` of a huge page, which moves as a whole. Its pins are counted in a word of their own.

use gupcheck_races::prelude::*;

use crate::areas::two_huge;
use crate::pin;

pub(crate) const RACE: Race = Race {
    name: "uffd/huge-pin",
    about: "A huge page is pinned while UFFDIO_MOVE takes it to another address as a whole.",
    indifferent: &[],
    build,
    ..pin::RACE
};

fn build(size: Size, kernel: Kernel) -> Program {
    let mut boot = Boot::for_pages(kernel, size.cpus + 1, size.pages);
    let (areas, head) = two_huge(&mut boot);
    let pages = (0..size.pages).map(|n| head.plus(n)).collect();
    pin::build(boot, size, areas, pages)
}
