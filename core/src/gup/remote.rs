//! Pages of another process: `pin_user_pages_remote`.

use super::entry::valid_gup_args;
use super::slow::gup_longterm_locked;
use super::{Asked, Foll, Gup};
use crate::cpu::Cpu;
use crate::errno::Errno;
use crate::machine::MmId;
use crate::pgtable::PAGE_SIZE;

/// `pin_user_pages_remote`, called by a task of `current`, with the mmap lock of `mm` taken around it for reading, as its
/// callers have it. There is no fast walk of another's page tables.
pub fn pin_user_pages_remote<'m>(
    cpu: &Cpu<'m>,
    current: MmId,
    mm: MmId,
    start: u64,
    nr_pages: i32,
    flags: Foll,
) -> Gup<'m> {
    let _span = cpu.span("pin_user_pages_remote");
    let Some(flags) = valid_gup_args(flags, Foll::PIN | Foll::TOUCH | Foll::REMOTE) else {
        return Gup::error(Errno::Einval);
    };
    let asked = Asked {
        mm,
        start: start & !(PAGE_SIZE - 1),
        flags,
        lockless: 0,
    };
    let [current, mm] = [current, mm].map(|mm| cpu.machine().mm(mm));
    gup_longterm_locked(cpu, mm, current, start, nr_pages as usize, flags).asked(asked)
}
