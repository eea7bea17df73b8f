//! Files, and who maps them when the CPUs start.

use super::{Area, Boot};
use crate::machine::{FileId, MmId};
use crate::sync::Name;
use crate::types::{
    Backing, Bits, Cached, Entry, File, FileMap, Level, Mapping, Owner, PAGE_SHIFT, PageFlags, Pfn,
    VmFlags,
};

impl Boot {
    /// A file of `pages` pages, nothing of which is in memory: one of a filesystem that tracks dirty pages ([`Backing::File`]), one
    /// of shmem, one of secretmem; or, in place of the first, one of hugetlbfs, whose pages are huge.
    ///
    /// # Panics
    /// If there is one of the kind already: whose a page is, is told by its kind alone. Or if the kind is none that is read from
    /// a cache.
    pub fn file(&mut self, backing: Backing, pages: u32) -> FileId {
        let mapping = match backing {
            Backing::File | Backing::Hugetlb => Mapping::File,
            Backing::Shmem => Mapping::Shmem,
            Backing::Secretmem => Mapping::Secretmem,
            other => panic!("{other:?} has no page cache here"),
        };
        let files = &mut self.machine.files;
        assert!(
            files.iter().all(|file| file.mapping != mapping),
            "there is a file of this kind already"
        );
        let nth = files.len() as u32;
        let mut file = File::declare(&mut self.layout, nth, mapping, pages);
        file.huge = backing == Backing::Hugetlb;
        files.push(file);
        FileId(nth)
    }

    /// An mm with an area of `pages` pages that maps a file, from its first page on.
    pub fn file_area(&mut self, file: FileId, pages: u32, flags: VmFlags) -> Area {
        let backing = match self.machine.files[file.0 as usize].mapping {
            Mapping::Shmem => Backing::Shmem,
            Mapping::Secretmem => Backing::Secretmem,
            _ if self.machine.files[file.0 as usize].huge => Backing::Hugetlb,
            _ => Backing::File,
        };
        let area = self.area_of(pages, flags, backing);
        self.maps_file(area, file, 0);
        area
    }

    /// The area maps a file from the page `pgoff` on.
    ///
    /// # Panics
    /// If there is a directory of huge pages in it.
    pub fn maps_file(&mut self, area: Area, file: FileId, pgoff: u64) {
        let name = Name::new("mm{}.vma{}.in_i_mmap", [area.mm.0, area.vma as u32]);
        let object = Name::new("mm{}", [area.mm.0]);
        let in_i_mmap = (self.layout).object(object, |layout| layout.atomic(name, true));
        let vma = &mut self.machine.mms[area.mm.0 as usize].vmas[area.vma];
        vma.pgoff = pgoff;
        vma.file = Some(FileMap {
            file: file.0,
            in_i_mmap,
        });
        self.assert_no_faults_in_directories();
    }

    /// The page `index` of a file is in memory, clean: that page.
    pub fn cached(&mut self, file: FileId, index: u32) -> Pfn {
        let pfn = self.frame();
        let file = &self.machine.files[file.0 as usize];
        let (mapping, place) = (file.mapping, file.pages[index as usize]);
        let page = self.page(pfn);
        let (of, flags, refcount, owner) = (page.mapping, page.flags, page.refcount, page.owner);
        self.layout.set(place, Cached(Some(pfn)));
        self.layout.set(of, mapping);
        self.layout.set(flags, PageFlags::LRU);
        self.layout.set(refcount, 1);
        self.layout.set_plain(owner, Owner::Us);
        pfn
    }

    /// A huge page of hugetlb's, of the cache of a file: its head. The pool of such pages is empty.
    pub fn cached_huge(&mut self, file: FileId, index: u32) -> Pfn {
        let head = self.hugetlb_page(1);
        let file = &self.machine.files[file.0 as usize];
        let (mapping, place) = (file.mapping, file.pages[index as usize]);
        let of = self.page(head).mapping;
        self.layout.set(place, Cached(Some(head)));
        self.layout.set(of, mapping);
        head
    }

    /// A huge page of hugetlb's, anonymous, with `refs` references, mapped nowhere: its head.
    pub fn hugetlb_page(&mut self, refs: i32) -> Pfn {
        if self.machine.hugetlb.is_none() {
            self.machine.hugetlb = Some(self.layout.spin_lock("hugetlb_lock"));
        }
        let level = self.machine.hstate;
        let order = self.geometry().shift(level) - PAGE_SHIFT;
        let head = self.large_folio(order as u8, Owner::Us, refs);
        let flags = self.page(head).flags;
        self.layout.set(
            flags,
            PageFlags::HEAD | PageFlags::HUGETLB | PageFlags::MIGRATABLE,
        );
        head
    }

    /// A directory of huge pages at `addr`, that an entry of `level` links, with nothing in it: the directory.
    ///
    /// # Panics
    /// If an area there maps a file: a fault would make an entry of the directory, and of a page of another size.
    pub fn hugepd(&mut self, mm: MmId, addr: u64, level: Level) -> Pfn {
        let span = self.geometry().span(level);
        let start = addr & !(span - 1);
        self.directories.push((mm, start..start + span));
        self.assert_no_faults_in_directories();
        let slot = self.tables_down_to(mm, addr, level);
        let directory = self.table(mm, Level::Pte, addr);
        self.layout.set(slot, Entry::directory(directory));
        directory
    }

    /// What is in a directory is mapped from the start: only hugetlb's areas without a file have any.
    fn assert_no_faults_in_directories(&self) {
        for (mm, span) in &self.directories {
            let mut areas = self.machine.mms[mm.0 as usize].vmas.iter();
            let file =
                areas.any(|vma| vma.file.is_some() && vma.start < span.end && span.start < vma.end);
            assert!(!file, "an area of a file has a directory of huge pages");
        }
    }

    /// Maps the large folio that `head` heads by the `nth` entry of a directory, with one reference for the mapping.
    pub fn map_hugepte(&mut self, directory: Pfn, nth: usize, head: Pfn, write: bool) {
        let slot = self.page(directory).table.entries[nth];
        self.layout.set(slot, Entry::leaf(head, write).huge());
        self.count_entire_mapping(head);
        self.hold_mapping(head);
    }

    /// hugetlb's pages are gigantic: each is mapped by a leaf of the PUD level.
    pub const fn gigantic_pages(&mut self) {
        self.machine.hstate = Level::Pud;
    }

    /// Maps a page of the cache by a PTE, with one reference for the mapping.
    pub fn map_cached(&mut self, area: Area, nth: u32, pfn: Pfn, write: bool) {
        let slot = self.tables_down_to(area.mm, area.addr(nth), Level::Pte);
        self.layout.set(slot, Entry::leaf(pfn, write));
        self.count_mapping(pfn);
        let flags = self.page(pfn).flags;
        let shared = self.layout.get(flags) - PageFlags::ANON_EXCLUSIVE;
        self.layout.set(flags, shared);
    }

    /// Somebody has written to a page of a file's cache, and the file system was told before: it is dirty.
    pub fn written_to(&mut self, file: FileId, index: u32, pfn: Pfn) {
        let prepared = self.machine.files[file.0 as usize].prepared[index as usize];
        self.layout.set(prepared, true);
        let flags = self.page(pfn).flags;
        let dirty = self.layout.get(flags) | PageFlags::DIRTY;
        self.layout.set(flags, dirty);
    }

    /// Maps a frame that is no page to anybody, by its number (`remap_pfn_range`): nothing of it is counted.
    pub fn map_pfn(&mut self, area: Area, nth: u32, write: bool) -> Pfn {
        let pfn = self.frame();
        let page = self.page(pfn);
        let (refcount, owner) = (page.refcount, page.owner);
        self.layout.set(refcount, 1);
        self.layout.set_plain(owner, Owner::Us);
        let slot = self.tables_down_to(area.mm, area.addr(nth), Level::Pte);
        let entry = Entry::leaf(pfn, write).with(Bits::SPECIAL);
        self.layout.set(slot, entry);
        pfn
    }

    /// The file cannot be read.
    pub fn unreadable(&mut self, file: FileId) {
        self.machine.files[file.0 as usize].unreadable = true;
    }
}
