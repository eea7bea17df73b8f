//! Who owns which reference, after any sequence of what a process and the kernel do to its memory: a property of random programs, on one
//! CPU, so that the books ([`audit`]) must be right after every step.
//!
//! The model that they are compared with is simple: a page has a reference for each entry that maps it, each slot of the swap cache that
//! has it, and each reference and pin that the program has and has not given back. What GUP returns is what is mapped there.

use crate::books::{Held, audit};
use crate::common::{World, boot};
use gupcheck_core::arch::Profile;
use gupcheck_core::boot::Area;
use gupcheck_core::cpu::Cpu;
use gupcheck_core::folio::{Folio, PageFlags, Pfn, folio_get};
use gupcheck_core::gup::{
    Foll, Gup, UserRange, get_user_pages_fast, get_user_pages_unlocked, pin_user_pages_fast,
    pin_user_pages_unlocked, put_page, unpin_user_page,
};
use gupcheck_core::mm::{FaultFlags, VmFlags};
use gupcheck_core::mutators::{
    change_prot_numa, collapse_huge_page, do_user_addr_fault, dup_mm, exit_mmap, ksm_merge,
    madvise_dontneed, migrate_page, mprotect, munmap, reclaim_pages, split_huge_page,
};
use gupcheck_core::pgtable::{Entry, Level, PAGE_SHIFT, PAGE_SIZE, find_entry};

/// Pages of the area: a huge page of them, and some beside it.
const PAGES: u32 = 6;
const STEPS: u32 = 100;
const PROGRAMS: u64 = 1_000;

/// Numbers that look random, the same for the same seed (xorshift64*).
struct Dice(u64);

impl Dice {
    const fn roll(&mut self, below: u32) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) as u32;
        high % below
    }

    const fn one_in(&mut self, n: u32) -> bool {
        self.roll(n) == 0
    }
}

/// A process, its child, and what the program holds.
struct Program<'w> {
    world: &'w World,
    dice: Dice,
    parent: Area,
    child: Area,
    /// Whether the child was made, and is not gone yet.
    forked: bool,
    exited: bool,
    mapped: bool,
    /// Pages, and whether they are pinned.
    held: Vec<(Pfn, bool)>,
    /// How often each kind of step was taken.
    taken: [u32; KINDS as usize],
}

const KINDS: u32 = 15;

impl Program<'_> {
    /// The parent, or the child while there is one.
    fn area(&mut self) -> Area {
        if self.forked && !self.exited && self.dice.one_in(3) {
            self.child
        } else {
            self.parent
        }
    }

    /// A page of it.
    fn addr(&mut self, area: Area) -> u64 {
        area.start + u64::from(self.dice.roll(PAGES)) * PAGE_SIZE
    }

    fn frame(&mut self) -> Pfn {
        let frames = self.world.machine.pages().len() as u32;
        Pfn(self.dice.roll(frames))
    }

    fn step(&mut self) {
        let kind = self.dice.roll(KINDS);
        self.taken[kind as usize] += 1;
        let area = self.area();
        let addr = self.addr(area);
        // The engine forgets what was asked of it before.
        self.world.ops(|cpu| match kind {
            0..=3 => self.gup(cpu, area, addr, kind),
            4 | 5 => self.give_back(cpu),
            6 => {
                let write = self.dice.one_in(2);
                let flags = if write {
                    FaultFlags::WRITE
                } else {
                    FaultFlags::empty()
                };
                do_user_addr_fault(cpu, area.mm, addr, flags);
            }
            7 => {
                let end = (addr + u64::from(1 + self.dice.roll(3)) * PAGE_SIZE).min(area.end);
                madvise_dontneed(cpu, area.mm, addr, end);
            }
            8 => {
                reclaim_pages(cpu, &[self.frame()]);
            }
            9 => {
                migrate_page(cpu, self.frame());
            }
            10 => {
                let frame = self.frame();
                if self.world.flags(frame).contains(PageFlags::HEAD) {
                    // Whoever splits a folio has a reference of it.
                    let head = self.world.machine.page(frame);
                    folio_get(cpu, Folio::of(head));
                    let _ = split_huge_page(cpu, frame);
                    put_page(cpu, head);
                }
            }
            11 => {
                collapse_huge_page(cpu, area.mm, area.start);
            }
            12 => self.fork_or_exit(cpu),
            13 => self.protect(cpu, area),
            _ => {
                ksm_merge(cpu, area.mm, addr, None);
            }
        });
    }

    fn gup(&mut self, cpu: &Cpu<'_>, area: Area, addr: u64, kind: u32) {
        let pages = 1 + self.dice.roll(3);
        let mut flags = Foll::empty();
        flags.set(Foll::WRITE, self.dice.one_in(2));
        flags.set(Foll::HONOR_NUMA_FAULT, self.dice.one_in(4));
        let range = UserRange {
            mm: area.mm,
            start: addr,
            nr_pages: pages as usize,
        };
        let (mm, count) = (area.mm, pages as i32);
        let (gup, pins) = match kind {
            0 => (pin_user_pages_fast(cpu, mm, addr, count, flags), true),
            1 => (get_user_pages_fast(cpu, mm, addr, count, flags), false),
            2 => (pin_user_pages_unlocked(cpu, range, flags), true),
            _ => (get_user_pages_unlocked(cpu, range, flags), false),
        };
        self.check(&gup, area, addr, pages, flags, pins);
        self.held
            .extend(gup.pages.iter().map(|page| (page.pfn, pins)));
    }

    /// What was got is a prefix of the range, and what is mapped there; what may be written to is writable, what is pinned exclusive.
    fn check(&self, gup: &Gup<'_>, area: Area, addr: u64, asked: u32, flags: Foll, pins: bool) {
        let got = gup.result.unwrap_or(0);
        assert_eq!(got, gup.pages.len());
        assert!(got <= asked as usize);
        let mut addr = addr;
        for page in &gup.pages {
            let (entry, pfn) = self.leaf(area, addr).expect("what was got is mapped");
            assert_eq!(page.pfn, pfn);
            assert!(!flags.contains(Foll::WRITE) || entry.is_writable());
            let head = self.world.get(page.compound_head).0.unwrap_or(pfn);
            let exclusive = [pfn, head]
                .iter()
                .any(|&pfn| self.world.flags(pfn).contains(PageFlags::ANON_EXCLUSIVE));
            let zero = self.world.machine.zero_page == Some(pfn);
            assert!(!pins || zero || exclusive, "{pfn} is pinned and shared");
            addr += PAGE_SIZE;
        }
    }

    fn leaf(&self, area: Area, addr: u64) -> Option<(Entry, Pfn)> {
        let cpu = self.world.cpu();
        let mm = self.world.machine.mm(area.mm);
        let pmd = find_entry(&cpu, mm, addr, Level::Pmd)?.get(&cpu);
        if pmd.is_huge() {
            let span = self.world.machine.geometry.span(Level::Pmd);
            let nth = (addr & (span - 1)) >> PAGE_SHIFT;
            return Some((pmd, pmd.pfn().plus(nth as u32)));
        }
        let pte = find_entry(&cpu, mm, addr, Level::Pte)?.get(&cpu);
        pte.pte_present().then(|| (pte, pte.pfn()))
    }

    fn give_back(&mut self, cpu: &Cpu<'_>) {
        if self.held.is_empty() {
            return;
        }
        let nth = self.dice.roll(self.held.len() as u32) as usize;
        let (pfn, pinned) = self.held.swap_remove(nth);
        let page = self.world.machine.page(pfn);
        if pinned {
            unpin_user_page(cpu, page);
        } else {
            put_page(cpu, page);
        }
    }

    fn fork_or_exit(&mut self, cpu: &Cpu<'_>) {
        if !self.forked && self.mapped {
            self.forked = true;
            // Where there is no memory for it the child is taken down again.
            self.exited = dup_mm(cpu, self.parent.mm, self.child.mm).is_err();
            if self.exited {
                exit_mmap(cpu, self.child.mm);
            }
        } else if self.forked && !self.exited && self.dice.one_in(4) {
            self.exited = true;
            exit_mmap(cpu, self.child.mm);
        } else if self.mapped && self.dice.one_in(40) {
            self.mapped = false;
            munmap(cpu, self.parent.mm, self.parent.vma);
        }
    }

    fn protect(&mut self, cpu: &Cpu<'_>, area: Area) {
        if area.mm != self.parent.mm || !self.mapped {
            return;
        }
        match self.dice.roll(3) {
            0 => change_prot_numa(cpu, area),
            1 => mprotect(cpu, area, VmFlags::READ),
            _ => mprotect(cpu, area, VmFlags::READ | VmFlags::WRITE),
        }
    }

    fn audit(&self) {
        let zero = self.world.machine.zero_page;
        let held = self.held.iter().filter(|(pfn, pinned)| {
            // A pin of the zero page is not counted.
            !(*pinned && zero == Some(*pfn))
        });
        let held: Vec<_> = held
            .map(|&(pfn, pinned)| {
                if pinned {
                    Held::Pins(pfn, 1)
                } else {
                    Held::Refs(pfn, 1)
                }
            })
            .collect();
        audit(self.world, &held);
    }
}

/// One program; how often it took each kind of step.
fn run(seed: u64) -> [u32; KINDS as usize] {
    let profiles = Profile::ALL;
    let profile = profiles[seed as usize % profiles.len()];
    let mut boot = boot(profile);
    let parent = boot.anon_area(PAGES);
    boot.populate(parent);
    boot.protectable(parent);
    boot.wants_huge_pages(parent);
    let child = boot.child_without_tables(parent);
    boot.swap_space(4);
    boot.zero_page();
    boot.free_pages(24);
    for _ in 0..3 {
        boot.free_huge_block();
    }
    let world = World::new(boot);
    let mut program = Program {
        world: &world,
        dice: Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1),
        parent,
        child,
        forked: false,
        exited: false,
        mapped: true,
        held: Vec::new(),
        taken: [0; KINDS as usize],
    };
    for _ in 0..STEPS {
        program.step();
        program.audit();
    }
    program.taken
}

#[test]
fn every_reference_is_somebodys_after_any_sequence_of_steps() {
    let mut taken = [0; KINDS as usize];
    for seed in 1..=PROGRAMS {
        for (sum, kind) in taken.iter_mut().zip(run(seed)) {
            *sum += kind;
        }
    }
    assert_eq!(taken.iter().sum::<u32>(), STEPS * PROGRAMS as u32);
    assert!(taken.iter().all(|&kind| kind > 1_000), "{taken:?}");
}
