//! What of a machine is another than usual.

use super::{Area, Boot};
use crate::machine::{GATHER_LIMIT, KhugepagedLimits, MmId};
use crate::sync::{LaneId, Name};
use crate::types::{LazyCpu, PAGE_SIZE, Signal, VmFlags, VmaLock};

impl Boot {
    /// Hardware may walk the area's tables, and keep what it has read until a flush
    /// ([`hardware_access`](crate::mutators::hardware_access)).
    pub fn hardware(&mut self, area: Area) {
        let name = Name::new("mm{}.vma{}.translations", [area.mm.0, area.vma as u32]);
        let section = self.layout.section(name);
        let vmas = &mut self.machine.mms[area.mm.0 as usize].vmas;
        vmas[area.vma].translations = Some(section);
        self.count_flushes(area.mm);
    }

    /// Flushes that are under way are counted.
    fn count_flushes(&mut self, id: MmId) {
        let mm = &mut self.machine.mms[id.0 as usize];
        if mm.tlb_flush_pending.is_none() {
            let name = Name::new("mm{}.tlb_flush_pending", [id.0]);
            let object = Name::new("mm{}", [id.0]);
            let pending = (self.layout).object(object, |layout| layout.atomic(name, 0));
            mm.tlb_flush_pending = Some(pending);
        }
    }

    /// Somebody changes what the area allows ([`mprotect`](crate::mutators::mprotect)).
    pub fn protectable(&mut self, area: Area) {
        let name = Name::new("mm{}.vma{}.flags", [area.mm.0, area.vma as u32]);
        let flags = self.mm(area.mm).vmas[area.vma].flags;
        let cell = (self.layout).object(Name::new("mm{}", [area.mm.0]), |layout| {
            layout.atomic(name, flags)
        });
        let vmas = &mut self.machine.mms[area.mm.0 as usize].vmas;
        vmas[area.vma].changing = Some(cell);
        self.count_flushes(area.mm);
    }

    /// A userfaultfd watches writes to the area ([`mwriteprotect_range`](crate::mutators::mwriteprotect_range)).
    pub fn watched(&mut self, area: Area) {
        let vmas = &mut self.machine.mms[area.mm.0 as usize].vmas;
        vmas[area.vma].flags |= VmFlags::UFFD_WP;
    }

    /// Where [`mremap`](crate::mutators::mremap) will move the area to, at `start`: no area yet, and tables down to its pmds.
    pub fn destination(&mut self, area: Area, start: u64) -> Area {
        let area_there = self.area_like(area, start);
        let pgoff = self.mm(area.mm).vmas[area.vma].pgoff;
        let new = &mut self.machine.mms[area.mm.0 as usize].vmas[area_there.vma];
        new.pgoff = pgoff;
        self.layout.set_plain(new.attached, false);
        self.layout.set(new.in_anon_vma, false);
        area_there
    }

    /// Another area of the same mm, as long, at `start`: nothing is mapped there, and there are tables down to its pmds.
    pub fn area_like(&mut self, area: Area, start: u64) -> Area {
        let (flags, backing) = {
            let vma = &self.mm(area.mm).vmas[area.vma];
            (vma.flags, vma.backing)
        };
        let pages = (area.end - area.start) / PAGE_SIZE;
        let vma = self.mmap(area.mm, start, pages as u32, flags, backing);
        Area {
            vma,
            start,
            end: start + (area.end - area.start),
            ..area
        }
    }

    /// The task on CPU `cpu` may get a signal ([`send_sig`](crate::cpu::send_sig)).
    pub fn signalable(&mut self, cpu: u8) {
        let name = Name::new("task{}.signal", [cpu.into()]);
        let cell = self.layout.atomic(name, Signal::None);
        self.machine.signals.push((LaneId(cpu), cell));
    }

    /// One CPU is in lazy TLB mode, until it comes back to an mm ([`leave_lazy_tlb`](crate::cpu::leave_lazy_tlb)).
    pub fn lazy_cpu(&mut self) {
        self.machine.lazy_cpu = Some(LazyCpu {
            is_lazy: self.layout.atomic("lazy cpu.is_lazy", true),
            irqs_off: self.layout.section("lazy cpu: irqs off"),
        });
    }

    /// The area has a lock of its own (`CONFIG_PER_VMA_LOCK`), which `MADV_DONTNEED` may take instead of the mmap lock
    /// ([`madvise_dontneed_vma`](crate::mutators::madvise_dontneed_vma)).
    pub fn per_vma_lock(&mut self, area: Area) {
        let name = |template| Name::new(template, [area.mm.0, area.vma as u32]);
        let (sequence, lock) = (self.layout).object(Name::new("mm{}", [area.mm.0]), |layout| {
            let sequence = Name::new("mm{}.mm_lock_seq", [area.mm.0]);
            let lock = VmaLock {
                rwsem: layout.rw_lock(name("mm{}.vma{}.vm_lock")),
                seq: layout.atomic(name("mm{}.vma{}.vm_lock_seq"), 0),
            };
            (layout.atomic(sequence, 1), lock)
        });
        let mm = &mut self.machine.mms[area.mm.0 as usize];
        mm.lock_seq = Some(sequence);
        mm.vmas[area.vma].lock = Some(lock);
    }

    /// There is never memory for a batch of tables: each of them is freed by itself.
    pub const fn no_table_batches(&mut self) {
        self.machine.gather.tables = 0;
    }

    /// An unmapping notes this many pages before it must flush.
    pub const fn gather_pages(&mut self, pages: usize) {
        assert!(
            0 < pages && pages <= GATHER_LIMIT,
            "no gathering holds so many"
        );
        self.machine.gather.pages = pages;
    }

    /// khugepaged collapses, with these limits; and not `MADV_COLLAPSE`, which has none.
    pub const fn khugepaged_limits(&mut self, max_ptes_none: u32, max_ptes_shared: u32) {
        self.machine.khugepaged = Some(KhugepagedLimits {
            max_ptes_none,
            max_ptes_shared,
        });
    }

    /// Nobody uses the mm but whoever changes it.
    pub fn lone_user(&mut self, mm: MmId) {
        let users = self.mm(mm).users;
        self.layout.set(users, 1);
    }
}
