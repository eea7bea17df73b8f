//! Pages of a file, many at once: how whoever truncates it finds them, and takes them out.

use super::cache::{cache_of, filemap_get_or_create_folio, folio_is_in};
use crate::cpu::Cpu;
use crate::folio::{Folio, Mapping, PageFlags, folio_put};
use crate::lkmm::write_once;
use crate::types::{Cached, File};
use arrayvec::ArrayVec;
use std::ops::Range;

/// `PAGEVEC_SIZE`.
const BATCH: usize = 15;

/// `folio_batch`: folios with a reference each, and where in the file they were found.
pub type FolioBatch<'m> = ArrayVec<(u64, Folio<'m>), BATCH>;

/// `find_get_entries`: what the cache has of these pages, as far as the batch goes.
pub fn find_get_entries<'m>(cpu: &Cpu<'m>, file: &File, pages: Range<u64>) -> FolioBatch<'m> {
    find(cpu, file, pages, |_| true)
}

/// `find_lock_entries`: the same, but for what is not the file's any more, is being written out, or is locked by somebody. What is found is
/// locked.
pub fn find_lock_entries<'m>(cpu: &Cpu<'m>, file: &File, pages: Range<u64>) -> FolioBatch<'m> {
    find(cpu, file, pages, |folio| {
        if !folio.trylock(cpu) {
            return false;
        }
        if folio_is_in(cpu, file, folio) && !folio.test(cpu, PageFlags::WRITEBACK) {
            return true;
        }
        folio.unlock(cpu);
        false
    })
}

fn find<'m>(
    cpu: &Cpu<'m>,
    file: &File,
    pages: Range<u64>,
    takes: impl Fn(Folio<'m>) -> bool,
) -> FolioBatch<'m> {
    let mut batch = FolioBatch::new();
    for index in pages.start..pages.end.min(file.pages.len() as u64) {
        let Some(folio) = filemap_get_or_create_folio(cpu, file, index, false) else {
            continue;
        };
        if !takes(folio) {
            folio_put(cpu, folio);
            continue;
        }
        batch.push((index, folio));
        if batch.is_full() {
            break;
        }
    }
    batch
}

/// `delete_from_page_cache_batch`: locked folios leave the cache, which gives its references up. The caller has some of its own.
pub fn delete_from_page_cache_batch(cpu: &Cpu<'_>, file: &File, batch: &FolioBatch<'_>) {
    let _span = cpu.span("delete_from_page_cache_batch");
    let Some(&(first, _)) = batch.first() else {
        return;
    };
    let lock = cache_of(file, first);
    lock.lock(cpu);
    for &(index, folio) in batch {
        write_once(cpu, folio.head().mapping, Mapping::None);
        write_once(cpu, cache_of(file, index).place, Cached(None));
    }
    lock.unlock(cpu);
    for &(_, folio) in batch {
        folio_put(cpu, folio);
    }
}
