//! The books: who should hold a reference of what at the end, against what the counts say.
//!
//! Every reference belongs to an entry that maps the folio, a page table that is in use, the swap cache, the page cache, a GUP caller that
//! was given the page, or somebody whom the scenario names. The counts must say exactly that: one too many
//! is a leak, one too few a use after free to come (I3, I9). A reference that landed on the wrong folio
//! shows twice. Beside them, map counts must equal the entries that map, and a page is on the free list
//! exactly if it has no reference (I13). A slot of swap space is used by as many entries as name it, and by the cache exactly
//! if a folio is cached for it, which is then marked, and knows which slot.

use gupcheck_core::folio::{COMPOUND_MAPPED, GUP_PIN_COUNTING_BIAS, Page, PageFlags, Pfn};
use gupcheck_core::machine::Machine;
use gupcheck_core::pgtable::{Entry, Level};
use gupcheck_core::swap::{Cached, SwapSlot, SwapUse};
use gupcheck_core::sync::LaneId;

use crate::ending::{Ending, Hold};

/// Who may hold references beside page tables.
#[derive(Debug, Default)]
pub(crate) struct Books {
    callers: Vec<(LaneId, Hold)>,
    owners: Vec<LaneId>,
    held: Vec<(Pfn, i32)>,
}

fn slots_of(machine: &Machine) -> &[SwapSlot] {
    machine.swap_space().map_or(&[], |swap| &swap.slots)
}

/// What the books say of one folio, by its head.
#[derive(Clone, Copy, Default)]
struct Account {
    refs: i32,
    pins: i32,
    /// PTEs that map this very page.
    mapped: i32,
    /// Entries above the PTE level that map all of the folio, of its head.
    entire: i32,
}

/// All accounts of one ending, indexed by frame.
struct Accounts<'a> {
    ending: &'a Ending<'a>,
    folios: Vec<Account>,
    /// How many entries name each slot of swap space.
    slots: Vec<u32>,
}

impl Books {
    /// A GUP caller keeps what it got.
    pub(crate) fn caller(&mut self, lane: LaneId, hold: Hold) {
        self.callers.push((lane, hold));
    }

    /// The callers, and what they keep.
    pub(crate) fn callers(&self) -> &[(LaneId, Hold)] {
        &self.callers
    }

    /// A CPU owns the page that it returns.
    pub(crate) fn owner(&mut self, lane: LaneId) {
        self.owners.push(lane);
    }

    /// Somebody keeps references throughout.
    pub(crate) fn held(&mut self, head: Pfn, refs: i32) {
        self.held.push((head, refs));
    }

    /// Whether every count is what it should be; if not, all that is wrong.
    pub(crate) fn balance(&self, ending: &Ending<'_>) -> Result<(), String> {
        let mut accounts = Accounts {
            ending,
            folios: vec![Account::default(); ending.machine.pages().len()],
            slots: vec![0; slots_of(ending.machine).len()],
        };
        for pagemap in ending.machine.pagemaps() {
            for n in 0..pagemap.pages {
                // A device's page that nobody uses has one.
                accounts.of(ending.machine.page(pagemap.first.plus(n))).refs += 1;
            }
        }
        for mm in ending.machine.mms() {
            accounts.table(mm.pgd, Level::Pgd);
            for place in mm.deposited {
                if let Some(table) = ending.end.plain(place).0 {
                    accounts.of(ending.machine.page(table)).refs += 1;
                }
            }
        }
        accounts.huge_zero_page();
        accounts.swap_cache();
        accounts.page_cache();
        for &(lane, hold) in &self.callers {
            for page in ending.pages(lane) {
                accounts.hold(page, hold);
            }
        }
        for &lane in &self.owners {
            for page in ending.pages(lane) {
                accounts.of(page).refs += 1;
            }
        }
        for &(head, refs) in &self.held {
            // As the count itself does, it may wrap.
            let account = accounts.of(ending.machine.page(head));
            account.refs = account.refs.wrapping_add(refs);
        }
        accounts.agree()
    }
}

impl<'a> Accounts<'a> {
    /// The account of the folio that `page` is in now.
    fn of(&mut self, page: &'a Page) -> &mut Account {
        let head = self.ending.head_of(page).pfn;
        &mut self.folios[head.0 as usize]
    }

    fn hold(&mut self, page: &'a Page, hold: Hold) {
        let large = self.is_large(self.ending.head_of(page));
        let account = self.of(page);
        match hold {
            Hold::Reference => account.refs += 1,
            Hold::Pin if large => {
                account.refs += 1;
                account.pins += 1;
            }
            Hold::Pin => account.refs = account.refs.wrapping_add(GUP_PIN_COUNTING_BIAS),
        }
    }

    fn is_large(&self, head: &Page) -> bool {
        self.ending.end.value(head.flags).contains(PageFlags::HEAD)
    }

    /// The huge zero page, if there is one.
    fn zero_head(&self) -> Option<Pfn> {
        let zero = self.ending.machine.huge_zero.as_ref()?;
        self.ending.end.value(zero.page).0
    }

    /// The one reference of the huge zero page: who maps it has none.
    fn huge_zero_page(&mut self) {
        if let Some(head) = self.zero_head() {
            self.of(self.ending.machine.page(head)).refs += 1;
        }
    }

    /// The swap cache's references, of small folios.
    fn swap_cache(&mut self) {
        for slot in slots_of(self.ending.machine) {
            if let Cached(Some(pfn)) = self.ending.end.value(slot.cached) {
                self.of(self.ending.machine.page(pfn)).refs += 1;
            }
        }
    }

    /// The page cache's references: one of each folio that a file has in memory.
    fn page_cache(&mut self) {
        for file in &self.ending.machine.files {
            for &place in &file.pages {
                if let Cached(Some(pfn)) = self.ending.end.value(place) {
                    self.of(self.ending.machine.page(pfn)).refs += 1;
                }
            }
        }
    }

    /// A table in use, and everything below it.
    fn table(&mut self, table: Pfn, level: Level) {
        let machine: &'a Machine = self.ending.machine;
        let page = machine.page(table);
        self.of(page).refs += 1;
        let below = std::iter::successors(level.below(), |l| l.below())
            .find(|&l| !machine.geometry.is_folded(l));
        for &cell in &page.table.entries {
            let entry: Entry = self.ending.end.value(cell);
            match below {
                Some(below) if !entry.is_huge() && entry.access_permitted(false) => {
                    self.table(entry.pfn(), below);
                }
                // DAX neither holds a reference nor counts the mapping.
                _ if entry.is_devmap() => {}
                _ if entry.is_huge() && self.zero_head() == Some(entry.pfn()) => {}
                _ if entry.pte_present() && !entry.is_special() => {
                    self.of(machine.page(entry.pfn())).refs += 1;
                    let account = &mut self.folios[entry.pfn().0 as usize];
                    if entry.is_huge() {
                        account.entire += 1;
                    } else {
                        account.mapped += 1;
                    }
                }
                _ => {
                    let uses = entry.swap_slot();
                    let uses = uses.and_then(|slot| self.slots.get_mut(slot as usize));
                    if let Some(uses) = uses {
                        *uses += 1;
                    }
                }
            }
        }
    }

    /// What `_nr_pages_mapped` of a large folio should be.
    fn pages_mapped(&self, head: &Page) -> i32 {
        let pages = 1 << self.ending.end.value(head.order);
        let by_pte = (0..pages)
            .filter(|&n| self.folios[head.pfn.plus(n).0 as usize].mapped > 0)
            .count();
        // hugetlb's pages are not counted there.
        let hugetlb = self
            .ending
            .end
            .value(head.flags)
            .contains(PageFlags::HUGETLB);
        let entire = self.folios[head.pfn.0 as usize].entire > 0 && !hugetlb;
        by_pte as i32 + i32::from(entire) * COMPOUND_MAPPED
    }

    fn agree(&self) -> Result<(), String> {
        let wrong: Vec<_> = (self.ending.machine.pages().iter())
            .flat_map(|page| self.complaints(page))
            .chain(self.slot_complaints())
            .collect();
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(wrong.join(", "))
        }
    }

    /// What is wrong with slots, and with who is marked as cached.
    fn slot_complaints(&self) -> Vec<String> {
        let (end, machine) = (self.ending.end, self.ending.machine);
        let mut wrong = Vec::new();
        let mut cached = vec![None; machine.pages().len()];
        for (nth, slot) in slots_of(machine).iter().enumerate() {
            let (used, folio) = (end.value(slot.used), end.value(slot.cached).0);
            let due = SwapUse {
                entries: self.slots[nth],
                has_cache: folio.is_some(),
            };
            if used != due {
                wrong.push(format!(
                    "swap{nth} is used by {used:?} and should be by {due:?}"
                ));
            }
            if let Some(pfn) = folio {
                cached[pfn.0 as usize] = Some(nth as u32);
            }
        }
        for page in machine.pages() {
            let marked = end.value(page.flags).contains(PageFlags::SWAP_CACHE);
            let slot = marked.then(|| end.value(page.swap));
            if slot != cached[page.pfn.0 as usize] {
                let is = cached[page.pfn.0 as usize];
                wrong.push(format!(
                    "{} says that it is cached for slot {slot:?}, and is for {is:?}",
                    page.pfn
                ));
            }
        }
        wrong
    }

    /// What is wrong with a page's counts.
    fn complaints(&self, page: &Page) -> Vec<String> {
        let end = self.ending.end;
        let account = self.folios[page.pfn.0 as usize];
        let mut wrong = Vec::new();
        let mut compare = |what, is: i32, due: i32| {
            if is != due {
                wrong.push(format!("{}.{what} is {is} and should be {due}", page.pfn));
            }
        };
        compare("refcount", end.value(page.refcount), account.refs);
        if self.is_large(page) {
            compare("pincount", end.value(page.pincount), account.pins);
        }
        compare("mapcount", end.value(page.mapcount), account.mapped);
        compare(
            "entire_mapcount",
            end.value(page.entire_mapcount),
            account.entire,
        );
        if self.is_large(page) {
            let due = self.pages_mapped(page);
            compare("nr_pages_mapped", end.value(page.nr_pages_mapped), due);
        }
        // A page with no reference left is the allocator's, and no other is.
        let is_tail = end.value(page.compound_head).0.is_some();
        let is_free = end.plain(page.buddy);
        // Nor is one that was poisoned when it was freed.
        let poisoned = account.refs == 0 && end.value(page.flags).contains(PageFlags::HWPOISON);
        if !is_tail && !poisoned && is_free != (account.refs == 0) {
            let where_ = if is_free {
                "on the free list"
            } else {
                "not on the free list"
            };
            wrong.push(format!("{} is {where_}", page.pfn));
        }
        wrong
    }
}
