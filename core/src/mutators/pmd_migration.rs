//! pmd migration entries: a huge pmd becomes one, and is one no more.
//!
//! # The protocol
//!
//! 1. the pmd is made not-present, and flushed: no pin comes through it any more (M-P20);
//! 2. exclusivity is given up, unless the page may be pinned; if it may, the pmd is put back as it was;
//! 3. the migration entry takes its place, and the mapping and its reference are given up;
//! 4. back: a reference, the mapping, exclusivity as the entry remembers it, the pmd, with what the area allows by then. The table
//!    stays deposited throughout.
//!
//! # What happens when somebody comes
//!
//! - A walker: before 1 it is seen by 2, or by whoever counts references afterwards. After 1 its recheck of the pmd fails. The fast
//!   path takes a migration entry for not present and falls back; the slow one waits for it in a fault.
//! - Whoever zaps it takes it away, with the table; then 4 finds nothing. Whoever zaps a part of it splits it first, and 4 finds the
//!   PTEs.
//! - A split of another folio that was mapped there before must leave it alone (`split-skips-migration`).

use crate::cpu::Cpu;
use crate::folio::{
    Folio, folio_add_rmap_pmd, folio_get, folio_put, folio_remove_rmap_pmd, page_anon_exclusive,
    page_try_share_anon_rmap, set_page_anon_exclusive,
};
use crate::mm::{Mm, Vma, pmdp_invalidate};
use crate::pgtable::EntryPtr;
use crate::step::Step;

/// `set_pmd_migration_entry`, under the pmd lock: whether it is one now. If not, the page may be pinned, and the pmd is as it was.
pub(super) fn set_pmd_migration_entry<'m>(
    cpu: &Cpu<'m>,
    mm: &Mm,
    (pmdp, addr): (EntryPtr<'m>, u64),
    folio: Folio<'m>,
) -> bool {
    let _span = cpu.span("set_pmd_migration_entry");
    let present = pmdp.get(cpu);
    let old = pmdp_invalidate(cpu, mm, (pmdp, addr), present);
    let head = cpu.machine().page(old.pfn());
    let exclusive = page_anon_exclusive(cpu, head);
    if exclusive && !page_try_share_anon_rmap(cpu, folio, head) {
        cpu.remark("maybe pinned: the pmd is put back");
        pmdp.set_pmd(cpu, old);
        return false;
    }
    pmdp.set_pmd(cpu, old.migration(exclusive));
    folio_remove_rmap_pmd(cpu, folio);
    folio_put(cpu, folio);
    true
}

/// `remove_migration_pmd`, under the pmd lock: the entry maps all of `new`, in an area.
pub(super) fn remove_migration_pmd(
    cpu: &Cpu<'_>,
    area: Option<&Vma>,
    pmdp: EntryPtr<'_>,
    new: Folio<'_>,
) {
    let _span = cpu.span("remove_migration_pmd");
    let entry = pmdp.get(cpu);
    folio_get(cpu, new);
    let accessible = allows_access(cpu, area);
    folio_add_rmap_pmd(cpu, new);
    if entry.was_exclusive() {
        set_page_anon_exclusive(cpu, new.head());
    }
    let restored = entry.restored(new.head().pfn).huge();
    pmdp.set_pmd(
        cpu,
        if accessible {
            restored
        } else {
            restored.protected(false)
        },
    );
}

/// Whether an area allows any access now (`vm_page_prot`).
pub(super) fn allows_access(cpu: &Cpu<'_>, area: Option<&Vma>) -> bool {
    // ORDERING: the lock's. What the area allows is read under it: mprotect has come before, or finds this entry. Pairs with
    // change_protection. Without it: R45. Step `migration-protection`.
    !cpu.does(Step::MigrationProtection) || area.is_none_or(|vma| vma.vm_flags(cpu).is_accessible())
}
