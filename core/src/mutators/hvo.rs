//! hugetlb gives the memory of struct pages back (HVO): the struct pages of a huge page's tails are all the same, so one page of
//! them is mapped for all, read-only.
//!
//! # The protocol, of v6.10 (bd225530a4c7)
//!
//! 1. the count is frozen: nobody gets a reference of the page any more;
//! 2. a grace period: whoever has seen the count as it was is through (M-P19);
//! 3. the struct page is mapped read-only, and looks like a head's, because it is one;
//! 4. the count is given back: what is read there from now on is the head's.
//!
//! A speculative reference writes to the struct page even where it is refused, if the instruction gets there. After 3 that is a
//! fault of the kernel. So it looks first ([`folio_ref_try_add`]): is the count zero, and then, is it a fake head.
//! v6.6 to v6.8 do neither 1 and 2 nor look.
//!
//! [`folio_ref_try_add`]: crate::folio::folio_ref_try_add

use crate::cpu::{Cpu, synchronize_rcu};
use crate::folio::{Folio, folio_ref_freeze};
use crate::lkmm::write_once;
use crate::step::Step;

/// `hugetlb_vmemmap_optimize_folio`, of a page that the caller has just allocated, and of whose struct page alone something is
/// to be told: it stands for a tail. Whether it was remapped: not if somebody else has a reference.
///
/// # Panics
/// If boot did not say that its struct page may be mapped read-only.
pub fn hugetlb_vmemmap_optimize(cpu: &Cpu<'_>, folio: Folio<'_>) -> bool {
    let _span = cpu.span("hugetlb_vmemmap_optimize_folio");
    let vmemmap = folio.head().memory.vmemmap;
    let vmemmap = vmemmap.expect("boot said that the struct page may be mapped read-only");
    let Some(frozen) = folio_ref_freeze(cpu, folio, 1) else {
        return false;
    };
    // ORDERING: whoever saw the count before it was frozen, and no fake head, is through with its atomic. Pairs with
    // ref-tests-writable (P14). Without it: R33. Step `vmemmap-grace-period`.
    if cpu.does(Step::VmemmapGracePeriod) {
        synchronize_rcu(cpu);
    }
    // vmemmap_remap_pte
    vmemmap.writable.free(cpu);
    write_once(cpu, vmemmap.fake_head, true);
    frozen.unfreeze(cpu, 1);
    true
}
