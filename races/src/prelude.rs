//! All that the file of a race usually needs, for one `use`: the kernel model's functions by their own names, what a race is
//! made of, and the words that most races have in common. `docs/mutators.md` tells them, and shows two races that begin so.

pub use crate::acts::*;
pub use crate::ends::*;
pub use crate::invariants::Invariant;
pub use crate::lanes::Lanes;
pub use crate::profiles::*;
pub use crate::race::{Need, Race, SMALL, SMALL_FOR_ONE, SMALL_FOR_ONE_PAGE, Size, Tested};
pub use crate::reply::Reply;
pub use crate::scene::{Ending, Hold, Scene};
pub use gupcheck_core::arch::{ARM64, POWERPC, Profile, RISCV_SBI, WEAK, X86_NATIVE, X86_PV};
pub use gupcheck_core::boot::{Area, Boot};
pub use gupcheck_core::cpu::*;
pub use gupcheck_core::folio::*;
pub use gupcheck_core::gup::*;
pub use gupcheck_core::lkmm::*;
pub use gupcheck_core::machine::{FileId, MmId};
pub use gupcheck_core::mm::*;
pub use gupcheck_core::mutators::*;
pub use gupcheck_core::pgtable::*;
pub use gupcheck_core::step::{Kernel, Step};
pub use gupcheck_core::swap::*;
pub use gupcheck_core::sync::LaneId;
pub use gupcheck_program::{Program, Returned};
