//! `page->flags`: the bits that each page has.

use crate::sync::Word;
use bitflags::bitflags;
use std::fmt;

bitflags! {
    /// `page->flags`, as far as GUP and its counterparts care.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct PageFlags: u64 {
        /// `PG_locked`: the folio lock.
        const LOCKED = 1 << 0;
        /// `PG_referenced`.
        const REFERENCED = 1 << 1;
        /// `PG_dirty`.
        const DIRTY = 1 << 2;
        /// `PG_lru`: on an LRU list; whoever clears it may isolate the folio.
        const LRU = 1 << 3;
        /// `PG_head`: the first page of a large folio.
        const HEAD = 1 << 4;
        /// `PG_anon_exclusive`, of each page by itself.
        const ANON_EXCLUSIVE = 1 << 5;
        /// `PG_swapcache`.
        const SWAP_CACHE = 1 << 6;
        /// `PG_hugetlb`.
        const HUGETLB = 1 << 7;
        /// `PG_slab`.
        const SLAB = 1 << 8;
        /// `PG_hwpoison`.
        const HWPOISON = 1 << 9;
        /// `PG_swapbacked` is *clear*: anonymous memory that `MADV_FREE` gave up, and that need not be written out.
        const LAZYFREE = 1 << 10;
        /// `PG_writeback`: its contents are on their way out.
        const WRITEBACK = 1 << 11;
        /// `PG_uptodate` is *clear*, of a page in a cache: its contents are lost, or not there yet.
        const NOT_UPTODATE = 1 << 12;
        /// `HPageMigratable`, of hugetlb's (in the kernel in a word of its own): in use, and nobody has isolated it.
        const MIGRATABLE = 1 << 13;
    }
}

impl Word for PageFlags {
    fn into_word(self) -> u64 {
        self.bits()
    }
    fn from_word(word: u64) -> Self {
        Self::from_bits_truncate(word)
    }
    fn show(word: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = Self::from_word(word);
        if flags.is_empty() {
            return f.write_str("-");
        }
        for (nth, (name, _)) in flags.iter_names().enumerate() {
            let separator = if nth > 0 { "+" } else { "" };
            write!(f, "{separator}{}", name.to_lowercase())?;
        }
        Ok(())
    }
    /// The flags that were set and those that were cleared: a page has many, and a write seldom changes two.
    fn show_change(old: u64, new: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (old, new) = (Self::from_word(old), Self::from_word(new));
        if old == new {
            return f.write_str("no flag changed");
        }
        let changes = [("+", new - old), ("-", old - new)];
        let changes = changes.into_iter().flat_map(|(sign, flags)| {
            let names = flags.iter_names().map(|(name, _)| name.to_lowercase());
            names.map(move |name| format!("{sign}{name}"))
        });
        f.write_str(&changes.collect::<Vec<_>>().join(" "))
    }
}
