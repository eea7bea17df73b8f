//! The areas that map a file: `i_mmap`.
//!
//! Whoever truncates a file finds them under the file's lock, and unmaps what they have of it. An area that goes leaves the list after
//! its pages are unmapped, and before its tables are freed: whoever finds it there finds tables.

use super::{Mm, Vma};
use crate::cpu::Cpu;
use crate::filemap::File;
use crate::lkmm::{read_once, write_once};
use crate::machine::MmId;
use crate::pgtable::PAGE_SHIFT;
use crate::sync::LockMode;
use std::ops::Range;

/// `vma->vm_file`, if it has one.
pub fn file_of<'m>(cpu: &Cpu<'m>, vma: &Vma) -> Option<&'m File> {
    vma.file.map(|map| &cpu.machine().files[map.file as usize])
}

/// `vma_hugecache_offset`: which huge page of hugetlb's file is at an address.
pub fn vma_hugecache_offset(cpu: &Cpu<'_>, vma: &Vma, addr: u64) -> u64 {
    let machine = cpu.machine();
    let order = machine.geometry.shift(machine.hstate) - PAGE_SHIFT;
    vma.index_of(addr) >> order
}

/// `unlink_file_vma`: nobody finds the area by its file any more, and nobody who did is still under way.
pub fn unlink_file_vma(cpu: &Cpu<'_>, vma: &Vma) {
    let (Some(map), Some(file)) = (vma.file, file_of(cpu, vma)) else {
        return;
    };
    let _span = cpu.span("unlink_file_vma");
    file.i_mmap.lock(cpu, LockMode::Exclusive);
    write_once(cpu, map.in_i_mmap, false);
    file.i_mmap.unlock(cpu, LockMode::Exclusive);
}

/// `vma_interval_tree_foreach`, with `i_mmap` held: the areas that map the page `index` of a file, and its address in each. The file by its number.
pub fn areas_of_file<'m>(
    cpu: &Cpu<'m>,
    file: u32,
    index: u64,
) -> impl Iterator<Item = (MmId, &'m Vma, u64)> {
    let areas = areas_of_pages(cpu, file, index..index + 1);
    areas.map(|(id, vma, addresses)| (id, vma, addresses.start))
}

/// The same of some pages of a file: the addresses of those that each area maps.
pub fn areas_of_pages<'m>(
    cpu: &Cpu<'m>,
    file: u32,
    pages: Range<u64>,
) -> impl Iterator<Item = (MmId, &'m Vma, Range<u64>)> {
    let mms = cpu.machine().mms().iter().zip(0..);
    let areas = mms.flat_map(|(mm, id): (&Mm, u32)| mm.vmas.iter().map(move |vma| (MmId(id), vma)));
    areas.filter_map(move |(id, vma)| {
        let map = vma.file.filter(|map| map.file == file)?;
        let addresses = vma.addresses_of(pages.clone())?;
        read_once(cpu, map.in_i_mmap).then_some((id, vma, addresses))
    })
}
