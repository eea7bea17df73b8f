//! What GUP's callers claim: that each page which they got was mapped where they asked for it, with the permission that they
//! asked for, at some instant at which they held its reference (I1).
//!
//! The facts are translations, found as hardware finds them: from the root down, through entries that user space may use.
//! Of what slow GUP gave, the kernel asks a little less, and so do we:
//!
//! * it follows a prot-none entry, unless `FOLL_HONOR_NUMA_FAULT` says otherwise or `FOLL_FORCE` takes it into an area that
//!   may not be accessed;
//! * with `FOLL_FORCE` it takes a page to be written that is mapped read-only, once its copy-on-write is broken.
//!
//! A pin of the zero page takes no reference, and claims nothing.

use std::sync::Arc;

use gupcheck_core::folio::{CompoundHead, GUP_PIN_COUNTING_BIAS, PageFlags, Pfn};
use gupcheck_core::gup::{Asked, Foll};
use gupcheck_core::machine::{Machine, MmId};
use gupcheck_core::pgtable::{Entry, Level, PAGE_SHIFT, PAGE_SIZE};
use gupcheck_core::sync::{CellId, LaneId, Word};
use gupcheck_program::Returned;
use gupcheck_program::witness::{Claim, Claims, Fact, Facts, Witness};

/// A frame that is mapped at an address, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Translation {
    mm: MmId,
    /// Which page of the address space.
    index: u32,
    page: Pfn,
    /// To be written.
    write: bool,
    /// By an entry that is present to the kernel alone, if need be.
    hint: bool,
}

impl Translation {
    const fn pack(self) -> Fact {
        (self.page.0 as u64)
            | (self.index as u64) << 24
            | (self.mm.0 as u64) << 48
            | (self.write as u64) << 62
            | (self.hint as u64) << 63
    }

    const fn unpack(fact: Fact) -> Self {
        Self {
            page: Pfn(fact as u32 & 0xff_ffff),
            index: (fact >> 24) as u32 & 0xff_ffff,
            mm: MmId((fact >> 48) as u32 & 0x3fff),
            write: fact >> 62 & 1 == 1,
            hint: fact >> 63 == 1,
        }
    }
}

/// What a call was for, in a number.
pub(crate) fn pack(asked: &Asked) -> u64 {
    u64::from(asked.flags.bits())
        | (asked.lockless as u64) << 24
        | u64::from(asked.mm.0) << 32
        | asked.start >> PAGE_SHIFT << 40
}

fn unpack(aside: u64) -> Asked {
    Asked {
        flags: Foll::from_bits_truncate(aside as u32 & 0xff_ffff),
        lockless: (aside >> 24 & 0xff) as usize,
        mm: MmId((aside >> 32) as u32 & 0xff),
        start: aside >> 40 << PAGE_SHIFT,
    }
}

/// The witness of a scene's callers.
pub(crate) struct Translations {
    machine: Arc<Machine>,
    callers: Vec<LaneId>,
    shown: Vec<CellId>,
    counts: Vec<CellId>,
}

impl Translations {
    /// What these callers claim, if there are any.
    pub(crate) fn of(machine: &Arc<Machine>, callers: &[LaneId]) -> Option<Self> {
        let pages = machine.pages();
        let entries = pages.iter().flat_map(|page| &page.table.entries);
        (!callers.is_empty()).then(|| Self {
            machine: Arc::clone(machine),
            callers: callers.to_vec(),
            shown: entries.map(|entry| entry.id()).collect(),
            counts: pages.iter().map(|page| page.refcount.id()).collect(),
        })
    }

    /// What a caller claims, page by page.
    fn translations(returned: &Returned) -> impl Iterator<Item = (Translation, Foll)> {
        let asked = returned.aside().map(unpack);
        asked.into_iter().flat_map(move |asked| {
            let first = (asked.start >> PAGE_SHIFT) as u32;
            let pages = returned.all("page").enumerate();
            pages.map(move |(nth, page)| {
                let is_forced = asked.flags.contains(Foll::FORCE);
                let honours = asked.flags.contains(Foll::HONOR_NUMA_FAULT);
                let is_slow = nth >= asked.lockless;
                let translation = Translation {
                    mm: asked.mm,
                    index: first + nth as u32,
                    page: Pfn(page as u32),
                    write: asked.flags.contains(Foll::WRITE) && !(is_slow && is_forced),
                    hint: is_slow && (is_forced || !honours),
                };
                (translation, asked.flags)
            })
        })
    }

    fn head_of(&self, page: Pfn, memory: &dyn Fn(CellId) -> u64) -> Pfn {
        let head = self.machine.page(page).compound_head.id();
        CompoundHead::from_word(memory(head)).0.unwrap_or(page)
    }

    /// How many units of its count a page is that was got like this.
    fn units(&self, head: Pfn, flags: Foll, memory: &dyn Fn(CellId) -> u64) -> u64 {
        let its = PageFlags::from_word(memory(self.machine.page(head).flags.id()));
        if flags.contains(Foll::PIN) && !its.contains(PageFlags::HEAD) {
            GUP_PIN_COUNTING_BIAS as u64
        } else {
            1
        }
    }
}

impl Witness for Translations {
    fn shown(&self) -> &[CellId] {
        &self.shown
    }

    fn counts(&self) -> &[CellId] {
        &self.counts
    }

    fn holds(&self, fact: Fact, memory: &dyn Fn(CellId) -> u64) -> bool {
        let wanted = Translation::unpack(fact);
        let addr = u64::from(wanted.index) << PAGE_SHIFT;
        let Some((leaf, level)) = leaf(&self.machine, wanted.mm, addr, memory) else {
            return false;
        };
        let is_permitted = leaf.access_permitted(wanted.write)
            || wanted.hint && leaf.is_prot_none() && (!wanted.write || leaf.is_writable());
        let within = addr & (self.machine.geometry.span(level) - 1);
        is_permitted && leaf.pfn().plus((within >> PAGE_SHIFT) as u32) == wanted.page
    }

    fn concerns(&self, count: CellId, fact: Fact) -> bool {
        // The head of the page's folio, whatever that will be, lies before it and not far away.
        let page = Translation::unpack(fact).page.0;
        let most = self.machine.geometry.pages_per_pmd();
        (page.saturating_sub(most - 1)..=page)
            .any(|head| self.machine.page(Pfn(head)).refcount.id() == count)
    }

    fn facts(&self, returned: &Returned) -> Facts {
        let all = Self::translations(returned);
        all.map(|(translation, _)| translation.pack()).collect()
    }

    fn claims(&self, returned: &Returned, memory: &dyn Fn(CellId) -> u64) -> Claims {
        let mut claims = Claims::new();
        let all: Vec<_> = Self::translations(returned).collect();
        for (translation, flags) in all.into_iter().rev() {
            let is_uncounted =
                flags.contains(Foll::PIN) && self.machine.zero_page == Some(translation.page);
            if is_uncounted {
                continue;
            }
            let head = self.head_of(translation.page, memory);
            let count = self.machine.page(head).refcount.id();
            let later = claims.iter().filter(|claim| claim.count == count).count() as u64;
            let units = self.units(head, flags, memory);
            claims.push(Claim {
                fact: translation.pack(),
                count,
                // Its first unit, below the others of its own, and below all those of later pages.
                above: later * units + units - 1,
            });
        }
        claims
    }

    fn may_claim(&self, lane: LaneId) -> bool {
        self.callers.contains(&lane)
    }

    fn denial(&self, fact: Fact) -> String {
        let Translation {
            mm,
            index,
            page,
            write,
            ..
        } = Translation::unpack(fact);
        let writable = if write { " writable" } else { "" };
        format!(
            "{page} was never mapped{writable} at {:#x} of mm{} while it held it",
            u64::from(index) * PAGE_SIZE,
            mm.0
        )
    }
}

/// The leaf by which an address is mapped, and at which level.
pub(crate) fn leaf(
    machine: &Machine,
    mm: MmId,
    addr: u64,
    memory: &dyn Fn(CellId) -> u64,
) -> Option<(Entry, Level)> {
    let geometry = &machine.geometry;
    let mut table = machine.mm(mm).pgd;
    let mut level = Level::Pgd;
    loop {
        // Half of an entry of two words may name a frame that there is not.
        let page = machine.pages().get(table.0 as usize)?;
        let cell = page.table.entries[geometry.index(level, addr)];
        let entry = Entry::from_word(memory(cell.id()));
        let mut lower = std::iter::successors(level.below(), |level| level.below());
        match lower.find(|&level| !geometry.is_folded(level)) {
            Some(below) if !entry.is_huge() && !entry.is_devmap() => {
                if !entry.access_permitted(false) {
                    return None;
                }
                (table, level) = (entry.pfn(), below);
            }
            _ => return Some((entry, level)),
        }
    }
}
