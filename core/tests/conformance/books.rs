//! A ledger of its own: what every count must be, from what the page tables, the allocator and the test say.

use crate::common::World;
use gupcheck_core::arch::Deposit;
use gupcheck_core::folio::{COMPOUND_MAPPED, GUP_PIN_COUNTING_BIAS, PageFlags, Pfn};
use gupcheck_core::pgtable::{Entry, Level};
use gupcheck_core::swap::SwapUse;

/// What somebody outside the page tables holds of the folio that a page is in.
#[derive(Clone, Copy)]
pub(crate) enum Held {
    /// This many references.
    Refs(Pfn, i32),
    /// This many pins.
    Pins(Pfn, i32),
}

#[derive(Clone, Default)]
struct Line {
    refs: i32,
    pins: i32,
    maps: i32,
    entire: i32,
    table: bool,
}

/// Checks every count of every frame.
///
/// # Panics
/// If one of them is not what it should be.
pub(crate) fn audit(world: &World, held: &[Held]) {
    let mut ledger = Ledger {
        world,
        lines: vec![Line::default(); world.machine.pages().len()],
        named: Vec::new(),
    };
    if let Some(zero) = world.machine.zero_page {
        ledger.lines[zero.0 as usize].refs += 1;
    }
    if let Some(head) = ledger.zero_head() {
        ledger.lines[head.0 as usize].refs += 1;
    }
    if let Some(gate) = world.machine.gate {
        ledger.lines[gate.page.0 as usize].refs += 1;
    }
    for pagemap in world.machine.pagemaps() {
        for n in 0..pagemap.pages {
            // A device's page that nobody uses has one.
            ledger.lines[pagemap.first.plus(n).0 as usize].refs += 1;
        }
        let held = world.get(pagemap.refs);
        assert_eq!(held, 0, "somebody still holds a pagemap");
    }
    for mm in world.machine.mms() {
        ledger.table(mm.pgd, Level::Pgd);
        for place in mm.deposited {
            if let Some(table) = world.plain(place).0 {
                ledger.deposited(table);
            }
        }
    }
    ledger.swap();
    ledger.page_cache();
    for &held in held {
        ledger.held(held);
    }
    ledger.compare();
    assert!(world.no_locks_held(), "a lock is still held");
}

struct Ledger<'w> {
    world: &'w World,
    lines: Vec<Line>,
    /// The slots of swap space that entries name.
    named: Vec<u32>,
}

impl Ledger<'_> {
    fn head(&self, pfn: Pfn) -> Pfn {
        let page = self.world.machine.page(pfn);
        self.world.get(page.compound_head).0.unwrap_or(pfn)
    }

    fn zero_head(&self) -> Option<Pfn> {
        let zero = self.world.machine.huge_zero.as_ref()?;
        self.world.get(zero.page).0
    }

    /// How many of a large folio's pages should be counted as mapped.
    fn pages_mapped(&self, head: Pfn) -> i32 {
        let pages = 1 << self.world.get(self.world.machine.page(head).order);
        let by_ptes = (0..pages)
            .filter(|&n| self.lines[head.plus(n).0 as usize].maps > 0)
            .count();
        // hugetlb's pages are not counted there.
        let hugetlb = self.world.flags(head).contains(PageFlags::HUGETLB);
        let entire = self.lines[head.0 as usize].entire > 0 && !hugetlb;
        by_ptes as i32 + i32::from(entire) * COMPOUND_MAPPED
    }

    fn is_large(&self, pfn: Pfn) -> bool {
        self.world.flags(self.head(pfn)).contains(PageFlags::HEAD)
    }

    fn folio(&mut self, pfn: Pfn) -> &mut Line {
        let head = self.head(pfn);
        &mut self.lines[head.0 as usize]
    }

    fn table(&mut self, table: Pfn, level: Level) {
        assert!(
            self.world.alive(table),
            "{table} is linked, and is no table"
        );
        let line = &mut self.lines[table.0 as usize];
        line.refs += 1;
        line.table = true;
        let geometry = &self.world.machine.geometry;
        let below = Level::ALL
            .into_iter()
            .find(|&below| below > level && !geometry.is_folded(below));
        for &cell in &self.world.machine.page(table).table.entries {
            let entry: Entry = self.world.get(cell);
            if entry.is_hugepd() {
                // Its entries are leaves, as a table's of PTEs are.
                self.table(entry.pfn(), Level::Pte);
            } else if !entry.pte_present() {
                assert!(!entry.is_huge(), "an invalidated entry was left: {entry}");
                self.named.extend(entry.swap_slot());
            } else if let (Some(below), false) = (below, entry.is_huge()) {
                self.table(entry.pfn(), below);
            } else if entry.is_devmap() {
                // DAX neither holds a reference nor counts the mapping.
            } else if self.world.machine.gate.map(|gate| gate.page) == Some(entry.pfn()) {
                // The kernel's own page is not counted.
            } else if entry.is_huge() && self.zero_head() == Some(entry.pfn()) {
                // Nor has the huge zero page either.
            } else if self.world.machine.zero_page != Some(entry.pfn()) && !entry.is_special() {
                self.folio(entry.pfn()).refs += 1;
                let line = &mut self.lines[entry.pfn().0 as usize];
                if entry.is_huge() {
                    line.entire += 1;
                } else {
                    line.maps += 1;
                }
            }
        }
    }

    /// The swap cache's references, and how often each slot is used. After all tables.
    fn swap(&mut self) {
        let Some(swap) = self.world.machine.swap_space() else {
            return;
        };
        for (nth, slot) in swap.slots.iter().enumerate() {
            let cached = self.world.get(slot.cached).0;
            let entries = self.named.iter().filter(|&&named| named as usize == nth);
            let used = SwapUse {
                entries: entries.count() as u32,
                has_cache: cached.is_some(),
            };
            assert_eq!(self.world.get(slot.used), used, "uses of slot {nth}");
            if let Some(pfn) = cached {
                self.folio(pfn).refs += 1;
                let marked = self.world.flags(pfn).contains(PageFlags::SWAP_CACHE);
                assert!(marked, "{pfn} is in the swap cache");
            }
        }
    }

    /// The page cache's references.
    fn page_cache(&mut self) {
        for file in &self.world.machine.files {
            for &place in &file.pages {
                if let Some(pfn) = self.world.get(place).0 {
                    self.folio(pfn).refs += 1;
                    let of = self.world.get(self.world.machine.page(pfn).mapping);
                    assert_eq!(of, file.mapping, "{pfn} is in the page cache");
                }
            }
        }
    }

    fn deposited(&mut self, table: Pfn) {
        let in_table = self.world.machine.kernel.profile.deposit == Deposit::InTable;
        assert_eq!(self.world.alive(table), !in_table, "{table} is deposited");
        let line = &mut self.lines[table.0 as usize];
        line.refs += 1;
        line.table = self.world.alive(table);
    }

    fn held(&mut self, held: Held) {
        match held {
            Held::Refs(pfn, n) => self.folio(pfn).refs += n,
            Held::Pins(pfn, n) if self.is_large(pfn) => {
                let line = self.folio(pfn);
                line.refs += n;
                line.pins += n;
            }
            Held::Pins(pfn, n) => self.folio(pfn).refs += n * GUP_PIN_COUNTING_BIAS,
        }
    }

    fn compare(&self) {
        for (line, page) in self.lines.iter().zip(self.world.machine.pages()) {
            let pfn = page.pfn;
            let world = self.world;
            assert_eq!(world.refs(pfn), line.refs, "references of {pfn}");
            assert_eq!(world.get(page.mapcount), line.maps, "mappings of {pfn}");
            let entire = world.get(page.entire_mapcount);
            assert_eq!(entire, line.entire, "huge mappings of {pfn}");
            if world.flags(pfn).contains(PageFlags::HEAD) {
                let mapped = world.get(page.nr_pages_mapped);
                assert_eq!(mapped, self.pages_mapped(pfn), "mapped pages of {pfn}");
            }
            if self.is_large(pfn) {
                assert_eq!(world.pins(pfn), line.pins, "pins of {pfn}");
            }
            assert_eq!(world.alive(pfn), line.table, "whether {pfn} is a table");
            let owned = self.lines[self.head(pfn).0 as usize].refs > 0;
            // What a driver gets back is on no list.
            let listed = !owned && !page.memory.coherent;
            assert_eq!(world.is_free(pfn), listed, "whether {pfn} is free");
            if !owned {
                assert!(world.flags(pfn).is_empty(), "flags of the free {pfn}");
            }
            let locked = world.flags(pfn).contains(PageFlags::LOCKED);
            assert!(!locked, "{pfn} is still locked");
        }
    }
}
