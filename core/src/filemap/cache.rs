//! The page cache of a file.
//!
//! # The rules
//!
//! 1. A folio that is in the cache has a reference of the cache's, and `mapping` says whose it is. It leaves the cache with the folio
//!    locked: whoever holds that lock and finds `mapping` as it was may believe it.
//! 2. Whoever finds a folio has a reference of it, and nothing more: until it has locked the folio and asked for `mapping` again, the
//!    file may have been truncated.
//! 3. A folio is put into the cache locked, and before what was to be in it is there (`NOT_UPTODATE`).
//! 4. A file becomes shorter first (`i_size`), and then its pages leave the cache, one by one. Whoever has looked at the length before
//!    that looks again once it has locked a page: otherwise a page stays mapped that nobody looks for any more.

use super::find::{Cache, filemap_get_entry};
use crate::cpu::Cpu;
use crate::errno::Errno;
use crate::folio::{
    Folio, Mapping, Owner, PageFlags, alloc_folio, clear_page_flags, folio_put, folio_ref_add,
    folio_ref_freeze, folio_wait_locked, set_page_flags,
};
use crate::lkmm::{read_once, read_once_is, smp_store_release, smp_wmb, write_once};
use crate::step::Step;
use crate::types::{Cached, File};

pub(super) fn cache_of(file: &File, index: u64) -> Cache {
    Cache {
        lock: file.lock,
        place: file.pages[index as usize],
    }
}

/// `i_size_read`: whether the file is long enough to have this page.
#[track_caller]
pub fn i_size_reaches(cpu: &Cpu<'_>, file: &File, index: u64) -> bool {
    index < u64::from(read_once(cpu, file.size))
}

/// `i_size_write`.
#[track_caller]
pub fn truncate_size(cpu: &Cpu<'_>, file: &File, pages: u32) {
    write_once(cpu, file.size, pages);
}

/// `folio->mapping == mapping`: whether it is still the file's. With the folio locked.
#[track_caller]
pub fn folio_is_in(cpu: &Cpu<'_>, file: &File, folio: Folio<'_>) -> bool {
    read_once_is(cpu, folio.head().mapping, file.mapping)
}

/// What a file system's own `page_mkwrite` does beside that: what the page will be written out with is made ready. With the folio locked.
#[track_caller]
pub fn prepare_write(cpu: &Cpu<'_>, file: &File, index: u64) {
    write_once(cpu, file.prepared[index as usize], true);
}

/// `folio_test_uptodate`.
#[track_caller]
pub fn folio_is_uptodate(cpu: &Cpu<'_>, folio: Folio<'_>) -> bool {
    !folio.test(cpu, PageFlags::NOT_UPTODATE)
}

/// `folio_mark_uptodate`. (Of a new folio that nobody else knows yet the mark is no atomic: `__folio_mark_uptodate`.)
#[track_caller]
pub fn folio_mark_uptodate(cpu: &Cpu<'_>, folio: Folio<'_>) {
    // ORDERING: the contents before the mark. Pairs with folio_test_uptodate. No step: no race of the catalogue looks at a file's
    // contents.
    smp_wmb(cpu);
    clear_page_flags(cpu, folio.head(), PageFlags::NOT_UPTODATE);
}

/// `filemap_get_folio`, and with `FGP_CREAT` and `FGP_FOR_MMAP` where there is none: a new folio, in the cache, not locked, and
/// with nothing in it yet. `None` without memory.
pub fn filemap_get_or_create_folio<'m>(
    cpu: &Cpu<'m>,
    file: &File,
    index: u64,
    create: bool,
) -> Option<Folio<'m>> {
    let _span = cpu.span("__filemap_get_folio");
    // Each turn but the last saw somebody else put a folio there.
    loop {
        let found = filemap_get_entry(cpu, cache_of(file, index));
        if found.is_some() || !create {
            return found;
        }
        let folio = filemap_alloc_folio(cpu)?;
        if filemap_add_folio(cpu, file, index, folio).is_ok() {
            folio.unlock(cpu);
            return Some(folio);
        }
        folio_put(cpu, folio);
    }
}

/// `filemap_alloc_folio`: a new folio for a file, with nothing in it.
pub fn filemap_alloc_folio<'m>(cpu: &Cpu<'m>) -> Option<Folio<'m>> {
    let folio = alloc_folio(cpu, 0, Owner::Us)?;
    // A new page has no mark that says that it is up to date.
    write_once(cpu, folio.head().flags, PageFlags::NOT_UPTODATE);
    Some(folio)
}

/// `filemap_add_folio`: a new folio, which nobody else knows, and which is locked then.
///
/// # Errors
/// `-EEXIST` if somebody else was first; then it is as it was.
pub fn filemap_add_folio(
    cpu: &Cpu<'_>,
    file: &File,
    index: u64,
    folio: Folio<'_>,
) -> Result<(), Errno> {
    let _span = cpu.span("filemap_add_folio");
    let (head, cache) = (folio.head(), cache_of(file, index));
    // __folio_set_locked: no atomic.
    let flags = read_once(cpu, head.flags);
    write_once(cpu, head.flags, flags | PageFlags::LOCKED);
    folio_ref_add(cpu, folio, 1);
    write_once(cpu, head.mapping, file.mapping);
    cache.lock(cpu);
    let vacant = read_once_is(cpu, cache.place, Cached(None));
    if vacant {
        // ORDERING: what the folio is, and that it is locked, before it can be found. Pairs with the address dependency of
        // filemap_get_entry. No step: no race of the catalogue looks at a folio that is new in the cache.
        smp_store_release(cpu, cache.place, Cached(Some(head.pfn)));
    }
    cache.unlock(cpu);
    if vacant {
        set_page_flags(cpu, head, PageFlags::LRU);
        return Ok(());
    }
    write_once(cpu, head.mapping, Mapping::None);
    folio_put(cpu, folio);
    // __folio_clear_locked
    write_once(cpu, head.flags, flags);
    Err(Errno::Eexist)
}

/// `filemap_read_folio`: what is in a locked folio, which is unlocked then.
/// Whether it could be read: that is asked once nobody has it locked.
pub fn filemap_read_folio(cpu: &Cpu<'_>, file: &File, folio: Folio<'_>) -> bool {
    let _span = cpu.span("filemap_read_folio");
    if !file.unreadable {
        folio_mark_uptodate(cpu, folio);
    }
    folio.unlock(cpu);
    folio_wait_locked(cpu, folio);
    folio_is_uptodate(cpu, folio)
}

/// `filemap_remove_folio`: a locked folio leaves the cache, which gives its reference up. The caller has one of its own.
pub fn filemap_remove_folio(cpu: &Cpu<'_>, file: &File, index: u64, folio: Folio<'_>) {
    let _span = cpu.span("filemap_remove_folio");
    let cache = cache_of(file, index);
    cache.lock(cpu);
    write_once(cpu, cache.place, Cached(None));
    write_once(cpu, folio.head().mapping, Mapping::None);
    cache.unlock(cpu);
    folio_put(cpu, folio);
}

/// `__remove_mapping`, of a locked folio of which the caller and the cache have the only references: it is in no file any more, and its count
/// is zero. Not if somebody else has a reference, or it was written to meanwhile.
pub fn remove_file_mapping(cpu: &Cpu<'_>, file: &File, index: u64, folio: Folio<'_>) -> bool {
    let _span = cpu.span("__remove_mapping");
    let cache = cache_of(file, index);
    cache.lock(cpu);
    let Some(frozen) = folio_ref_freeze(cpu, folio, 2) else {
        cache.unlock(cpu);
        return false;
    };
    // ORDERING: the freeze's, which is full: whoever marked the folio dirty did so before it dropped its reference, and without
    // that the count would not have been frozen. Pairs with put-ordered (P27). Without the look: R08. Step `remove-checks-dirty`.
    let written_to = cpu.does(Step::RemoveChecksDirty) && folio.test(cpu, PageFlags::DIRTY);
    if written_to {
        frozen.unfreeze(cpu, 2);
    } else {
        frozen.keep(cpu);
        // __filemap_remove_folio
        write_once(cpu, cache.place, Cached(None));
        write_once(cpu, folio.head().mapping, Mapping::None);
    }
    cache.unlock(cpu);
    !written_to
}
