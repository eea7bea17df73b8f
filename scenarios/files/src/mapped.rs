//! What the races of this family have in common: a file that is mapped, who has pinned its pages, and what becomes of them.

use gupcheck_races::prelude::*;

/// A file whose pages are all in memory, an area that maps it, with its table and nothing in it, and the pages.
pub(crate) fn cached_file(
    boot: &mut Boot,
    backing: Backing,
    flags: VmFlags,
    pages: u32,
) -> (FileId, Area, Vec<Pfn>) {
    let file = boot.file(backing, pages);
    let area = boot.file_area(file, pages, flags);
    boot.tables_down_to(area.mm, area.start, Level::Pte);
    let pages = (0..pages).map(|nth| boot.cached(file, nth));
    (file, area, pages.collect())
}

/// The same, and all of them are mapped: those of a shared area to be written to.
pub(crate) fn mapped_file(
    boot: &mut Boot,
    backing: Backing,
    flags: VmFlags,
    pages: u32,
) -> (FileId, Area, Vec<Pfn>) {
    let (file, area, pages) = cached_file(boot, backing, flags, pages);
    for (nth, &page) in (0..).zip(&pages) {
        boot.map_cached(area, nth, page, flags.contains(VmFlags::SHARED));
    }
    (file, area, pages)
}

/// A page of a shared area that somebody has written to, of a file system that tracks dirty pages, with a pin each of so many
/// drivers.
pub(crate) fn pinned_and_dirty(boot: &mut Boot, size: Size) -> (FileId, Pfn) {
    let shared = VmFlags::SHARED_WRITABLE;
    let (file, area, pages) = mapped_file(boot, Backing::File, shared, size.pages);
    boot.written_to(file, 0, pages[0]);
    boot.has_pinned_before(area.mm);
    let pins = size.cpus as i32 * GUP_PIN_COUNTING_BIAS;
    boot.set_references(pages[0], 2 + pins);
    (file, pages[0])
}

/// A device writes to a page, and its driver hears of that: it is in memory by then.
pub(crate) fn device_writes(cpu: &Cpu<'_>, page: &Page) {
    write_once(cpu, page.contents, 1);
    smp_mb(cpu);
}

/// Whether what was written to the first page of a file is not lost: it is on the disk, or will be, because the page is dirty.
pub(crate) fn is_kept(end: &Ending<'_>, file: FileId, page: Pfn) -> bool {
    on_disk(end, file) == end.contents_of(page) || is_dirty(end, page)
}

/// What of the first page of a file is on the disk.
pub(crate) fn on_disk(end: &Ending<'_>, file: FileId) -> u32 {
    end.end.value(end.machine.files[file.0 as usize].disk[0])
}

/// Whether a page is to be written out.
pub(crate) fn is_dirty(end: &Ending<'_>, page: Pfn) -> bool {
    let flags = end.end.value(end.machine.page(page).flags);
    flags.contains(PageFlags::DIRTY)
}

/// Whether the file system has heard of a write to the first page of an area and its file, if it may be written to by an entry.
pub(crate) fn is_writer_heard_of(end: &Ending<'_>, file: FileId, area: Area) -> bool {
    let prepared = end.machine.files[file.0 as usize].prepared[0];
    !end.entry_of(area, 0).is_writable() || end.end.value(prepared)
}

/// Whether the file system has heard that the first page of a file is to be written out, if it is.
pub(crate) fn is_heard_of(end: &Ending<'_>, file: FileId, page: Pfn) -> bool {
    let prepared = end.machine.files[file.0 as usize].prepared[0];
    !is_dirty(end, page) || end.end.value(prepared)
}
