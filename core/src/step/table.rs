//! The steps, a row each: catalogue id, name, what it does, what it pairs with, where it comes from.

use super::row::{Row, steps};

steps! {
    HasPinned = "P1", "has-pinned",
        "Mark the mm as having pins before walking it.",
        "fork's look at the marker", "mm_set_has_pinned_flag, 008cfe4418b3";
    SeqcountBegin = "P2", "seqcount-begin",
        "Sample the write-protect sequence before the walk, and give up while it is odd.",
        "fork's write side of the sequence", "lockless_pages_from_mm, 57efa1fe5957";
    IrqsOffBlockIpi = "P3", "irqs-off-block-ipi",
        "Interrupts off: no broadcast IPI completes while the walker is inside.",
        "the flush IPI where a flush is one, and the explicit sync IPI", "lockless_pages_from_mm; tlb_remove_table_sync_one";
    IrqsOffHoldRcu = "P4", "irqs-off-hold-rcu",
        "Interrupts off: no grace period ends while the walker is inside.",
        "the deferred freeing of tables", "lockless_pages_from_mm; tlb_remove_table";
    EntryReadOnce = "P6", "entry-read-once",
        "Read each entry once, as the head of an address dependency into the next level.",
        "table-publish-barrier (M-P1)", "pgdp_get / READ_ONCE, pmdp_get_lockless; 362a61ad6119";
    AddUnlessZero = "P11", "add-unless-zero",
        "Take the reference only if the count is not zero.",
        "the last drop, and refcount-freeze (M-P7)", "folio_ref_try_add; e286781d5f2e";
    PinBarrier = "P12", "pin-barrier",
        "The conditional reference is a full barrier when it succeeds.",
        "clear-barrier, flush-barrier, peek-barrier (M-P5), unfreeze-release (M-P8)", "page_ref_add_unless, Documentation/atomic_t.txt";
    RefcountGuard = "P13", "refcount-guard",
        "Refuse references while the count is negative.",
        "a wrapped count", "try_get_folio; 88b1a17dfc3e, 8fde12ca79af";
    HeadRecheck = "P15", "head-recheck",
        "Look the head up again once the reference is held, and start over if it is another.",
        "unfreeze-release (M-P8)", "try_get_folio; c24d37322548";
    PincountBarrier = "P17", "pincount-barrier",
        "A full barrier after the pin counter is raised.",
        "peek-barrier (M-P5p)", "try_grab_folio; 088b8aa537c2";
    PmdRecheck = "P18", "pmd-recheck",
        "Read the pmd again after the pin: the table was still linked.",
        "collapse-clear-first (M-P11)", "gup_pte_range; 70cbc3cc78a9";
    PteRecheck = "P19", "pte-recheck",
        "Read the leaf entry again after the pin: the page was still mapped there.",
        "the mutator's clearing of the entry", "gup_pte_range, gup_huge_pmd; 2667f50e8b81";
    RecheckOrder = "P20", "recheck-order",
        "Recheck the pmd before the pte. A control: the other order holds as well.",
        "nothing", "gup_pte_range";
    ExclusiveBarrier = "P22", "exclusive-barrier",
        "A read barrier between the recheck of the entry and the look at the exclusive bit.",
        "the barrier after the bit is cleared", "gup_must_unshare; 088b8aa537c2";
    IrqsRestoredFirst = "P24", "irqs-restored-first",
        "Restore interrupts before the sequence is read again. A control: the other order holds as well.",
        "nothing", "lockless_pages_from_mm";
    SeqcountRetry = "P25", "seqcount-retry",
        "Read the write-protect sequence again after the walk, and undo every pin if it moved.",
        "fork's write side of the sequence", "lockless_pages_from_mm; 57efa1fe5957";
    PutOrdered = "P27", "put-ordered",
        "Dropping a reference orders every use of the page before the free that may follow.",
        "whoever frees", "folio_ref_sub_and_test, put_page";
    TablePublishBarrier = "M-P1", "table-publish-barrier",
        "A write barrier between filling a new table and linking it.",
        "entry-read-once (P6)", "pmd_install, __split_huge_pmd_locked; 362a61ad6119";
    ClearBarrier = "M-P5", "clear-barrier",
        "Clear an entry by a locked exchange, which is a full barrier: x86. Elsewhere the exchange orders nothing.",
        "pin-barrier (P12), pincount-barrier (P17)", "native_ptep_get_and_clear, native_pmdp_get_and_clear";
    FlushBarrier = "M-P5f", "flush-barrier",
        "The flush that follows a cleared entry ends in a full barrier: arm64's DSB, a hypercall.",
        "pin-barrier (P12), pincount-barrier (P17)", "flush_tlb_range, pmdp_collapse_flush, ptep_clear_flush";
    PeekBarrier = "M-P5p", "peek-barrier",
        "A full barrier of its own before pins are looked at, whatever clear and flush were.",
        "pin-barrier (P12), pincount-barrier (P17)", "page_try_share_anon_rmap; 088b8aa537c2";
    TlbFlush = "M-P6", "tlb-flush",
        "Flush the TLB after clearing and before freeing; on some profiles an IPI that waits for walkers.",
        "irqs-off-block-ipi (P3) where a flush is an IPI", "tlb_flush_mmu, flush_tlb_mm_range";
    RefcountFreeze = "M-P7", "refcount-freeze",
        "Decide by exchanging the expected count for zero, not by looking at it.",
        "add-unless-zero (P11)", "folio_ref_freeze";
    UnfreezeRelease = "M-P8", "unfreeze-release",
        "Give frozen counts back last and with release: whoever gets a reference sees the new state.",
        "pin-barrier (P12), head-recheck (P15)", "page_ref_unfreeze";
    ShareBarrier = "M-P9", "share-barrier",
        "A full barrier between clearing the exclusive bit and putting the entry back.",
        "exclusive-barrier (P22)", "page_try_share_anon_rmap; 088b8aa537c2";
    CollapseClearFirst = "M-P11", "collapse-clear-first",
        "Collapse clears the pmd before it counts references.",
        "pmd-recheck (P18)", "collapse_huge_page; 70cbc3cc78a9";
    CollapseSyncIpi = "M-P12", "collapse-sync-ipi",
        "Collapse interrupts every CPU, and waits, before the unlinked table serves for anything else.",
        "irqs-off-block-ipi (P3)", "tlb_remove_table_sync_one; 2ba99c5e0881";
    RcuTableFree = "M-P13", "rcu-table-free",
        "Free page tables only after a grace period, where the flush is no IPI.",
        "irqs-off-hold-rcu (P4)", "tlb_remove_table, CONFIG_MMU_GATHER_RCU_TABLE_FREE; 9e52fc2b50de";
    RereadUnderLock = "M-P17", "reread-under-lock",
        "Read the entry again once the lock is held, and decide on that value.",
        "the other mutators, each under the same lock", "pte_offset_map_lock, vmf_pte_changed, pte_same";
    SplitInvalidateFirst = "M-P20", "split-invalidate-first",
        "Make the huge pmd not-present before the table that replaces it is built from it.",
        "the recheck at the pmd level (P19)", "__split_huge_pmd_locked; 088b8aa537c2";
    MigrationEntryRmb = "M-P22", "migration-entry-rmb",
        "A read barrier between the head of a migration entry's page and the look at the folio's lock bit.",
        "tail-flags-wmb (M-P23)", "pfn_swap_entry_to_page, softleaf_to_folio; 4c5e7f0fcd59";
    TailFlagsWmb = "M-P23", "tail-flags-wmb",
        "A write barrier between a tail's flags and its ceasing to be one.",
        "migration-entry-rmb (M-P22)", "__split_huge_page_tail; e9b61f19858a";
    RmapWalkLock = "M-P24", "rmap-walk-lock",
        "Hold the anon_vma lock for reading while a folio's mappings are walked.",
        "collapse-rmap-lock (M-P26), unlink-rmap-first (M-P27)", "rmap_walk_anon, folio_lock_anon_vma_read";
    SplitRmapLock = "M-P25", "split-rmap-lock",
        "Hold the anon_vma lock for writing from before a folio is unmapped for its split until it is mapped again.",
        "collapse-rmap-lock (M-P26), unlink-rmap-first (M-P27)", "split_huge_page_to_list";
    CollapseRmapLock = "M-P26", "collapse-rmap-lock",
        "Hold the anon_vma lock for writing from before the pmd is cleared until all pages are isolated, or the pmd is back.",
        "rmap-walk-lock (M-P24), split-rmap-lock (M-P25)", "collapse_huge_page";
    UnlinkRmapFirst = "M-P27", "unlink-rmap-first",
        "Take an area out of its anon_vma, under the lock, before the area's tables are freed.",
        "rmap-walk-lock (M-P24), split-rmap-lock (M-P25)", "free_pgtables, unlink_anon_vmas";
    CheckPte = "M-P28", "check-pte",
        "Ask each entry of an rmap walk, under its lock, whether it maps this folio.",
        "whoever zaps a page and faults in another", "page_vma_mapped_walk, check_pte";
    SplitChecksFolio = "M-P29", "split-checks-folio",
        "Split a huge pmd for a folio's sake only if it maps that folio, which is asked under the pmd lock.",
        "whoever zaps a huge page and maps another", "__split_huge_pmd";
    RmapOrdered = "M-P30", "rmap-ordered",
        "Taking a page's map count down, or up if it was mapped before, is a full barrier: the atomic returns a value.",
        "pin-barrier (P12), pincount-barrier (P17)", "page_remove_rmap, page_add_anon_rmap";
    PagemapReference = "P10", "pagemap-reference",
        "Take a reference of a device's pagemap, unless it is dying, before the reference of a page of it.",
        "the kill of the pagemap, and the grace period after it", "get_dev_pagemap; 5c2c2587b132";
    NrPagesCheck = "P29", "nr-pages-check",
        "Return at once if no pages are asked for.",
        "nothing: the loops test for the end after each turn", "later than v6.8: 1dfe4b276c23, CVE-2026-99662";
    ScanUnlessZero = "M-P90", "scan-unless-zero",
        "Take a reference of a folio in the queue of those to split only if its count is not zero.",
        "the last drop, which waits for the queue's lock to take the folio out", "deferred_split_scan, folio_try_get";
    FreeUnqueues = "M-P91", "free-unqueues",
        "Take a folio that is freed out of the queue of those to split, under the queue's lock, before its pages are anybody's.",
        "scan-unless-zero (M-P90)", "folio_undo_large_rmappable, free_transhuge_page; 9a982250f773";
    SplitUnqueues = "M-P92", "split-unqueues",
        "Take a folio that is split out of the queue of those to split, under the queue's lock, while its count is frozen.",
        "scan-unless-zero (M-P90)", "split_huge_page_to_list; 9a982250f773";
    FolioPublishBarrier = "M-P93", "folio-publish-barrier",
        "A write barrier between making a large folio and the entry that maps it.",
        "entry-read-once (P6)", "__folio_mark_uptodate in __do_huge_pmd_anonymous_page, collapse_huge_page; 52f37629fd3c";
    HugeZeroLock = "M-P94", "huge-zero-lock",
        "Make and give back the huge zero page under a lock: its head, its frame and its count change together.",
        "itself", "later than v6.8: 33192a26cdde, CVE-2026-74632";
    SplitSkipsMigration = "M-P95", "split-skips-migration",
        "Leave a pmd migration entry alone that is met while a folio's pmd is to be split: it is another folio's.",
        "set_pmd_migration_entry", "later than v6.8: be6e843fc51a, CVE-2025-37958";
    HugeReuseByReferences = "M-P96", "huge-reuse-by-references",
        "Decide by the references of a huge page whether a write may reuse it, not by its map counts.",
        "a reference that outlives its mapping", "do_huge_pmd_wp_page; 3bff7e3f1f16";
    SplitPageLock = "M-P97", "split-page-lock",
        "Where map counts decide, split a huge pmd under the lock of the page that it maps.",
        "huge-reuse-by-references (M-P96), which came for it", "v5.8 to v5.17: c444eb564fb1, CVE-2020-29368";
    RangeReread = "M-P98", "range-reread",
        "Read every entry of a range again, under the lock, before a large folio is mapped there.",
        "whoever maps a small page in the range", "v6.8: do_anonymous_page, pte_range_none; 19eaf44954df";
    RequeueBeforeVisible = "M-P99", "requeue-before-visible",
        "Put the new folio of a migration into the queue of those to split before its mappings come back.",
        "whoever unmaps a part of it", "later than v6.8: 3bac01168982, CVE-2026-46017";
    TableInvalidate = "M-P14", "table-invalidate",
        "Invalidate what hardware has cached of the levels above before a table goes its way to be freed.",
        "a hardware walker", "tlb_table_invalidate; d86564a2f085, 0ed1325967ab";
    TableSyncIpi = "M-P80", "table-sync-ipi",
        "Interrupt every CPU, and wait, before a table is freed for which there was no batch.",
        "irqs-off-block-ipi (P3)", "tlb_remove_table_one, tlb_remove_table_sync_one";
    LoneUserWaits = "M-P81", "lone-user-waits",
        "Free the tables of an mm with one user as those of any other: nothing is known of who walks them.",
        "a hardware walker; whoever begins to use the mm", "tlb_remove_table; a6f572084fbe";
    ReclaimRechecks = "M-P82", "reclaim-rechecks",
        "Look at all entries again before a table is freed whose lock was dropped while it was emptied.",
        "a fault that fills the table again", "later than v6.8: try_to_free_pte, zap_pte_range; 6375e95f381e and its fix";
    ChangeHugeInvalidates = "M-P83", "change-huge-invalidates",
        "Change the protection of a huge pmd by way of an invalid one, and never of none.",
        "MADV_DONTNEED's look at the pmd without its lock", "change_huge_pmd, pmdp_invalidate_ad; ced108037c2a";
    SoftDirtySkipsPins = "M-P84", "soft-dirty-skips-pins",
        "Leave the entries of pages alone, for soft-dirty's sake, that look pinned.",
        "nothing: the look comes before the entry is changed", "clear_soft_dirty, pte_is_pinned; 9348b73c2e1b";
    ReuseExclusive = "M-P85", "reuse-exclusive",
        "Reuse an exclusive page in a write fault, whatever its count.",
        "whoever write-protects a page that is pinned, unshare-first (P60)", "do_wp_page, do_huge_pmd_wp_page; 6c287605fd56";
    ProtNoneRefused = "P30", "prot-none-refused",
        "Refuse an entry that hardware may not use, though it counts as present.",
        "mprotect(PROT_NONE), NUMA hints", "gup_pte_range, gup_pmd_range; 2b4847e73004";
    MigrationProtection = "M-P86", "migration-protection",
        "Put a migrated page back with what its area allows now, read under the table's lock.",
        "mprotect, which takes that lock after it has changed the area", "remove_migration_pte, mk_pte with vm_page_prot";
    MoveFlushesFirst = "M-P87", "move-flushes-first",
        "Flush the old addresses before the locks of what is moved are dropped.",
        "whoever unmaps the page at its new address, and flushes that", "move_ptes, move_huge_pmd, move_normal_pmd; eb66ae030829";
    MoveRmapLock = "M-P88", "move-rmap-lock",
        "Hold the anon_vma lock for writing while a whole table is moved.",
        "rmap-walk-lock (M-P24)", "move_pgt_entry, take_rmap_locks; 97113eb39fa7";
    MoveBackRmapLock = "M-P123", "move-back-rmap-lock",
        "Hold the anon_vma lock for writing while PTEs are moved back from where an mremap that failed had moved them.",
        "rmap-walk-lock (M-P24)", "move_vma, move_ptes, take_rmap_locks; 38a76013ad80";
    NestedFlush = "M-P120", "nested-flush",
        "Flush the whole mm at the end of a gathering during which somebody else gathered.",
        "whoever works with a stale translation", "tlb_finish_mmu, mm_tlb_flush_nested; 99baac21e458";
    AccessibleWhilePending = "M-P121", "accessible-while-pending",
        "Flush for a prot-none entry that is taken away, if somebody has still to flush what he changed.",
        "change_protection, which flushes at its end", "ptep_clear_flush, pte_accessible; 20841405940e";
    WpFlushesPending = "M-P122", "wp-flushes-pending",
        "Flush before a page of a userfaultfd's area is copied, if somebody has still to flush what he changed.",
        "mwriteprotect_range, which flushes at its end", "do_wp_page, mm_tlb_flush_pending; 6ce64428d62a";
    ForkSequence = "M-P15", "fork-sequence",
        "Keep the write-protect sequence odd for as long as fork copies entries.",
        "seqcount-begin (P2), seqcount-retry (P25)", "copy_page_range; 57efa1fe5957";
    ForkCopiesPinned = "M-P16", "fork-copies-pinned",
        "Copy a page for the child at fork if it may be pinned, and do not share it.",
        "has-pinned (P1), pincount-barrier (P17)", "copy_present_pte, copy_huge_pmd, page_needs_cow_for_dma; 70e806e4e645, d042035eaf5f";
    UndoUnchecked = "P26", "undo-unchecked",
        "Give the pins back that fork came between without asking whether the pages are exclusive.",
        "fork, which has shared them by then", "unpin_user_pages_lockless; b6a2619c60b4";
    MarkTargetMm = "P1t", "mark-target-mm",
        "Mark the mm whose pages are pinned as having pins, and not the caller's own.",
        "fork's look at the marker", "__get_user_pages_locked; a4d63c3732f1";
    ForkRmapFirst = "M-P70", "fork-rmap-first",
        "Put the child's area into the parent's anon_vma before its entries are copied.",
        "rmap-walk-lock (M-P24)", "dup_mmap, anon_vma_fork";
    RmapParentFirst = "M-P71", "rmap-parent-first",
        "Visit the areas of a parent before those of its children.",
        "fork, which copies from the one to the other", "anon_vma_interval_tree_insert, rmap_walk_anon";
    ForkSharesMigration = "M-P72", "fork-shares-migration",
        "Make a migration entry that is copied one of a page that is shared, in both mms.",
        "remove_migration_ptes", "copy_nonpresent_pte; 6c287605fd56";
    ReuseByRefcount = "M-P73", "reuse-by-refcount",
        "Reuse a page that is not exclusive only if nobody has a reference of it but the mapping: not if nobody else maps it.",
        "the references of those who map it no more", "do_wp_page, do_huge_pmd_wp_page; 09854ba94c6a, CVE-2020-29374";
    WriteIntentKept = "P78", "write-intent-kept",
        "Ask for a writable mapping at each turn, whatever an earlier fault has done.",
        "zapping, and a read fault that maps the zero page", "__get_user_pages, faultin_page; 19be0eaffa3a, 5535be309971";
    AreaLookedUpAnew = "P79", "area-looked-up-anew",
        "Once the mmap lock was dropped for a fault, look the area up again.",
        "munmap", "__get_user_pages, called anew by __get_user_pages_locked";
    UnshareFirst = "P60", "unshare-first",
        "Pin an anonymous page for reading only if it is exclusive; if it is not, unshare it by a fault first.",
        "reuse-exclusive (M-P85)", "gup_must_unshare; c89357e27f20, a7f226604170";
    KsmClearFirst = "M-P75", "ksm-clear-first",
        "Clear the entry before the references of a page that is to be merged are counted.",
        "pte-recheck (P19)", "write_protect_page; 31dbd01f3143";
    KsmCountsReferences = "M-P76", "ksm-counts-references",
        "Merge a page only if nobody has a reference of it but its mappings and ksmd.",
        "add-unless-zero (P11)", "write_protect_page";
    LazyfreeRmb = "M-P10", "lazyfree-rmb",
        "A read barrier between the references of a page that was given up and its dirty bit.",
        "put-ordered (P27): marked dirty, then dropped", "try_to_unmap_one; 6c8e2a256915";
    LazyfreeBarrier = "M-P50", "lazyfree-barrier",
        "A full barrier before the references of a page that was given up are looked at.",
        "pin-barrier (P12)", "try_to_unmap_one; 6c8e2a256915";
    LazyfreeRefs = "M-P51", "lazyfree-refs",
        "Discard a page that was given up only if nobody but its mappings and reclaim has a reference.",
        "pin-barrier (P12)", "try_to_unmap_one; 6c8e2a256915";
    SwapPeeksFirst = "M-P52", "swap-peeks-first",
        "Give no page that may be pinned a slot of swap space.",
        "nothing: a pin may come next", "shrink_folio_list; feb889fb40fa";
    SwapChecksPins = "M-P53", "swap-checks-pins",
        "Look for pins once the entry is cleared, before it becomes a swap entry.",
        "pin-barrier (P12), pincount-barrier (P17)", "try_to_unmap_one; 6c287605fd56";
    SwapExclusive = "M-P54", "swap-exclusive",
        "A swap entry remembers that the page was exclusive.",
        "whoever has a reference that is no pin", "try_to_unmap_one, do_swap_page; 1493a1913e34";
    SwapCacheRecheck = "M-P55", "swap-cache-recheck",
        "With the folio locked, ask again whether it is in the swap cache, and for this slot.",
        "whoever takes it out with the folio locked", "do_swap_page";
    RemoveChecksDirty = "M-P56", "remove-checks-dirty",
        "With the count frozen, keep a folio in the cache that was written to meanwhile.",
        "put-ordered (P27): marked dirty, then dropped", "__remove_mapping; e286781d5f2e";
    NosyncBarrier = "M-P57", "nosync-barrier",
        "An invalidation whose wait is put off begins with a barrier: arm64's DSB ISHST.",
        "pin-barrier (P12), pincount-barrier (P17)", "arch_tlbbatch_add_pending, __flush_tlb_page_nosync; 43b3dfdd0455";
    FlushBeforeWriteout = "M-P58", "flush-before-writeout",
        "Make up for a flush that was put off before contents are written out.",
        "whoever writes by a stale translation", "try_to_unmap_flush_dirty; d950c9477d51";
    FlushBeforeFree = "M-P59", "flush-before-free",
        "Make up for a flush that was put off before pages are freed.",
        "whoever works with a stale translation", "shrink_folio_list, try_to_unmap_flush; 72b252aed506";
    FlushBatchedPending = "M-P60", "flush-batched-pending",
        "Who trusts a cleared entry asks the mm whether a flush of it was put off, and makes up for it.",
        "set_tlb_ubc_flush_pending, under the page-table lock", "zap_pte_range, change_pte_range; 3ea277194daa";
    PendingInvalidates = "M-P61", "pending-invalidates",
        "Making up for what others have put off invalidates again: arm64's DSB waits for its own CPU's invalidations only.",
        "whoever works with a stale translation", "later than v6.8: arch_flush_tlb_batched_pending, v6.16";
    FlushBeforeMove = "M-P62", "flush-before-move",
        "Make up for a flush that was put off before contents are copied to another frame.",
        "whoever writes by a stale translation", "migrate_pages_batch, try_to_unmap_flush; 7e12beb8ca2a";
    MigrateCopiesLast = "M-P63", "migrate-copies-last",
        "Copy a page's contents once nobody else can have a reference of it, not before.",
        "whoever has a reference, and writes", "folio_migrate_mapping, folio_migrate_copy";
    TailsFrozen = "M-P64", "tails-frozen",
        "Exchange one reference for none, and do not store it, where raw pages become tails.",
        "add-unless-zero (P11)", "__prep_compound_gigantic_folio; 7118fc2906e2";
    SizeWalkIrqsOff = "P3w", "size-walk-irqs-off",
        "Interrupts off while a walk looks how large a mapping is.",
        "the waits before a table is freed or put to another use: M-P6, M-P12, M-P13", "get_user_mapping_size, perf_get_page_size; e86fc1a3a3e9";
    EntrySingleLoad = "P6s", "entry-single-load",
        "Go on by the value of an entry that was checked, and do not read it again.",
        "whoever clears an entry that links a table, or makes a leaf of it", "gup_pud_range, gup_pmd_range, READ_ONCE; 20a004e7b017";
    FoldedByPlace = "P7", "folded-by-place",
        "Go on from the place of the entry above where a level is folded at run time, and not from a copy of it.",
        "nothing: the walker alone", "p4d_offset_lockless, pud_offset_lockless; d3f7b1bb2040";
    LowHalfFirst = "P8", "low-half-first",
        "Read the lower half of an entry of two words before the upper one.",
        "half-store-order (M-P2)", "ptep_get_lockless, pmdp_get_lockless; 1180e732c985";
    LowHalfAgain = "P8a", "low-half-again",
        "Read the lower half once more after the upper one, and start over if it is another.",
        "half-store-order (M-P2), and whoever clears an entry and sets another", "ptep_get_lockless, pmdp_get_lockless; 1180e732c985";
    HalfStoreOrder = "M-P2", "half-store-order",
        "Write the upper half of an entry before the lower one, which makes it present; clear the lower one first.",
        "low-half-first (P8)", "native_set_pte, native_pte_clear, native_pmd_clear";
    RecheckMarks = "P19m", "recheck-marks",
        "Compare an entry's accessed and dirty bits as well at the recheck. A control: to leave them out holds as well.",
        "nothing: hardware sets them, and the page stays", "gup_pte_range, pte_val";
    ZeroPageNotTaken = "P11z", "zero-page-not-taken",
        "Take no pin of the shared zero page.",
        "zero-page-not-put (P27z)", "try_grab_folio, try_grab_page; c8070b787519";
    ZeroPageNotPut = "P27z", "zero-page-not-put",
        "Give no pin of the shared zero page back.",
        "zero-page-not-taken (P11z)", "gup_put_folio; c8070b787519";
    GateAfterReference = "P16", "gate-after-reference",
        "Ask whether a folio may be pinned for long once it is held: what heads the page before that may be another.",
        "whoever splits the folio, or frees it", "try_grab_folio";
    RefTestsWritable = "P14", "ref-tests-writable",
        "Take a reference only of a struct page that is not mapped read-only: an RCU reader looks at the count, then for a fake head.",
        "vmemmap-grace-period (M-P19), refcount-freeze (M-P7)", "later than v6.8: page_ref_add_unless, page_count_writable; bd225530a4c7";
    VmemmapGracePeriod = "M-P19", "vmemmap-grace-period",
        "A grace period between the freezing of a folio's count and the remapping of its struct pages.",
        "ref-tests-writable (P14)", "later than v6.8: hugetlb_vmemmap_optimize_folio; bd225530a4c7";
    NotifierRetry = "P25k", "notifier-retry",
        "Look at the notifier's sequence again, under the lock, before a page is mapped for the secondary MMU.",
        "notifier-sequence (M-P21s)", "mmu_invalidate_retry";
    NotifierInProgress = "P25i", "notifier-in-progress",
        "Ask, under the lock, whether an invalidation is under way, before a page is mapped for the secondary MMU.",
        "notifier-invalidate (M-P21)", "mmu_invalidate_retry";
    NotifierInvalidate = "M-P21", "notifier-invalidate",
        "Tell secondary MMUs before entries are cleared, and once they are.",
        "notifier-retry (P25k), notifier-in-progress (P25i)", "mmu_notifier_invalidate_range_start; f268f6cf875f";
    NotifierSequence = "M-P21s", "notifier-sequence",
        "Move the notifier's sequence when an invalidation ends.",
        "notifier-retry (P25k)", "kvm_mmu_invalidate_end";
    PoisonEntry = "M-P110", "poison-entry",
        "Leave an entry behind that says that memory has failed under the page.",
        "the fault that comes next", "try_to_unmap_one, TTU_HWPOISON";
    PoisonUnlessZero = "M-P111", "poison-unless-zero",
        "Take a reference of a page under which memory has failed only if its count is not zero.",
        "the last drop", "__get_hwpoison_page, folio_try_get; ead07f6a867b";
    LayoutLooks = "M-P112", "layout-looks",
        "Look whether anybody has a page of device memory, once it is unmapped, before its block is taken back.",
        "pin-barrier (P12)", "dax_layout_busy_page; 5fac7408d828";
    LongtermDrains = "P16d", "longterm-drains",
        "Drain the batches of all CPUs before a page is migrated that is to be held for long, whether or not it is on the LRU.",
        "whoever puts a page into a batch, with a reference", "later than v6.8: collect_longterm_unpinnable_folios; 98c6d259319e";
    PutByCount = "P70", "put-by-count",
        "Give back the page in the array only if the call says that there is one.",
        "nothing: the walk writes to the array before it has a reference", "perf_virt_to_phys; 4716023a8f6a";
    UndoWholeBatch = "P71", "undo-whole-batch",
        "Give back as many references of a huge leaf's folio as were taken, when its recheck fails.",
        "nothing: the walker alone", "gup_huge_pmd, gup_put_folio";
    ShortCount = "P72", "short-count",
        "Return the pages of the lockless walk where the slow path then fails, and not its error.",
        "nothing: the caller gives back what it is told of", "internal_get_user_pages_fast";
    UndoEveryPin = "P73", "undo-every-pin",
        "Give all pins of the call back when fork came between.",
        "seqcount-retry (P25)", "lockless_pages_from_mm, unpin_user_pages_lockless; 57efa1fe5957";
    LazyLeaveBarrier = "M-P130", "lazy-leave-barrier",
        "A full barrier between a CPU's leaving lazy TLB mode and its first look at the mm: x86.",
        "a flush that interrupts no lazy CPU", "switch_mm_irqs_off; later than v6.8 for software: the sync IPI that is left out";
    CollapseVmaLock = "M-P131", "collapse-vma-lock",
        "Collapse locks the area itself before it looks whether the table is still there.",
        "MADV_DONTNEED under the area's lock, which frees tables", "later than v6.8: collapse_huge_page, vma_start_write; 366a4532d96f";
    IsolateUnlessZero = "M-P132", "isolate-unless-zero",
        "Compaction, which finds a page by its frame, takes a reference only if the count is not zero.",
        "the last drop", "isolate_migratepages_block, folio_get_nontail_page";
    MoveChecksPins = "M-P140", "move-checks-pins",
        "Look for pins once the entry is cleared and flushed, and put it back if there is one.",
        "pin-barrier (P12), pincount-barrier (P17)", "v6.8: move_present_pte, move_pages_huge_pmd; adef440691ba";
    MoveRmapLast = "M-P141", "move-rmap-last",
        "Say that a folio is at another address only once it is sure that it moves.",
        "a pin, which makes the move fail", "v6.8: move_present_pte, d7a08838ab74; later: move_pages_huge_pmd, c0205eaf3af9";
    MoveChecksExclusive = "M-P142", "move-checks-exclusive",
        "Move only what is exclusive.",
        "fork, which shares pages", "v6.8: move_pages_pte, move_present_pte, move_pages_huge_pmd; adef440691ba";
    MoveCachedFolio = "M-P143", "move-cached-folio",
        "Where an entry that names a slot moves, a folio that the swap cache has for it moves as well.",
        "a fault that finds it in the swap cache", "later than v6.8: move_pages_pte; c50f8e6053b0";
    MoveCacheRecheck = "M-P144", "move-cache-recheck",
        "Once a folio of the swap cache is locked, ask whether it is still cached, and for this slot.",
        "whoever takes it out of the cache with its lock held", "later than v6.8: move_swap_pte; 0ea148a79919";
    MoveCacheMissed = "M-P145", "move-cache-missed",
        "Where no folio was found in the swap cache, ask under the lock of the table whether the slot has one by now.",
        "a fault that brings the page back, and reclaim that swaps it out again", "later than v6.8: move_swap_pte; 0ea148a79919";
    MoveRereadsPmd = "M-P146", "move-rereads-pmd",
        "Read the destination's pmd again under the lock of its table: an empty table may have been freed.",
        "table reclaim, which clears the pmd under that lock", "later than v6.8: is_pte_pages_stable";
    MoveAsksPresent = "M-P147", "move-asks-present",
        "Ask whether a huge pmd is present before a page is derived from it.",
        "migration, which leaves a migration entry there", "later than v6.8: move_pages; aba6faec0103";
    MoveLockOrder = "M-P148", "move-lock-order",
        "Take the locks of two tables in the order of their addresses.",
        "whoever moves pages the other way", "v6.8: double_pt_lock; adef440691ba";
    ListReference = "M-P149", "list-reference",
        "Where reclaim splits a folio, its list has a reference of each tail.",
        "whoever unmaps the tail", "lru_add_page_tail";
    MoveWaitsOnPmd = "M-P150", "move-waits-on-pmd",
        "Where a huge page that is to move migrates, wait for the entry in the table, under its lock, and not for a copy of it.",
        "the end of the migration, which unlocks the folio", "later than v6.8: move_pages_huge_pmd";
    FallbackKeepsPin = "P85", "fallback-keeps-pin",
        "Ask the slow path for pins where the caller wants pins.",
        "nothing: the caller gives back pins", "internal_get_user_pages_fast; eddb1c228f79";
    FallbackKeepsLongterm = "P86", "fallback-keeps-longterm",
        "Tell the slow path that the pages will be held for long.",
        "nothing: what must stay movable moves first", "internal_get_user_pages_fast; 7af75561e171";
    MigrationFailureTold = "P87", "migration-failure-told",
        "Fail where a page that may not be held for long did not move, and do not pin it where it is.",
        "whoever has a reference of it", "__gup_longterm_locked; f0f4463837da";
    PinsBeforeReferences = "P88", "pins-before-references",
        "Take a large folio's count of pins down before the references that go with them.",
        "the last drop, and the next large folio in that place", "gup_put_folio; 47e29d32afba";
    DirtyBeforeUnpin = "P89", "dirty-before-unpin",
        "Mark a page that was written to dirty before its pin is given back.",
        "lazyfree-rmb (M-P10), lazyfree-refs (M-P51)", "unpin_user_pages_dirty_lock; fc1d8e7cca2d";
    PopulateLooksAnew = "P90", "populate-looks-anew",
        "Once a fault dropped the mmap lock, look the area that is populated up again.",
        "munmap", "__mm_populate";
    FixupAsksAgain = "P91", "fixup-asks-again",
        "Once a fault dropped the mmap lock, look the area up again, and ask whether it allows the fault.",
        "mprotect, munmap", "fixup_user_fault; 4a9e1cda2748";
    LeafAskedAgain = "P92", "leaf-asked-again",
        "Ask under the lock whether what was a leaf still is one.",
        "whoever zaps a huge leaf, and links a table there", "follow_devmap_pud, follow_devmap_pmd; missing later than v6.8: follow_huge_pud, CVE-2026-99664";
    ReadersLeaveClean = "P93", "readers-leave-clean",
        "Mark a huge leaf dirty for a writer only.",
        "forced-asks-exclusive (P94), before which a dirty leaf was taken for a copy", "follow_trans_huge_pmd, touch_pmd; a8f97366452e, CVE-2017-1000405";
    ForcedAsksExclusive = "P94", "forced-asks-exclusive",
        "Write by force only to a page that is exclusive, not to one that is dirty once a copy was made.",
        "whoever puts another page there that is dirty, or looks so", "can_follow_write_pte, can_follow_write_pmd; 5535be309971, CVE-2022-2590";
    MappingGate = "P100", "mapping-gate",
        "Refuse in the lockless walk to hold a page for long, to write to it, that may be of a file whose file system tracks dirty pages.",
        "write-back, which believes a page clean that nobody can write to by an entry", "folio_fast_pin_allowed; a6e79df92e4a";
    TrackedRefused = "P101", "tracked-refused",
        "Refuse in the slow path to hold pages for long, to write to them, of a shared area whose file system tracks dirty pages.",
        "write-back, which believes a page clean that nobody can write to by an entry", "check_vma_flags, writable_file_mapping_allowed; 8ac268436e6d";
    MappingReadOnce = "P102", "mapping-read-once",
        "Read a folio's mapping once: for the look whether there is a file, and for the file.",
        "truncation, which clears it", "folio_fast_pin_allowed, READ_ONCE; a6e79df92e4a";
    TruncatedFallsBack = "P103", "truncated-falls-back",
        "Leave a folio to the slow path that is in no file.",
        "truncation, which clears the mapping", "folio_fast_pin_allowed; a6e79df92e4a";
    InodeRcuFree = "M-P104", "inode-rcu-free",
        "Free an inode, and the mapping in it, only after a grace period.",
        "the walker, an RCU reader by its interrupts off, and by pte_offset_map", "destroy_inode, i_callback; fa0d7e3de6d6";
    WritebackCleansFirst = "M-P105", "writeback-cleans-first",
        "Clear the mark that a page is dirty before its contents are read for the disk, and by a full barrier.",
        "whoever writes, and marks it dirty after that", "clear_page_dirty_for_io, folio_clear_dirty_for_io";
    FaultAsksMapping = "M-P106", "fault-asks-mapping",
        "With the folio locked, ask again whether it is the file's, before it is mapped.",
        "whoever punches a hole, which takes it out of the cache with the folio locked", "filemap_fault; d00806b18315";
    FaultAsksSize = "M-P107", "fault-asks-size",
        "With the folio locked, ask again how long the file is, before it is mapped.",
        "truncation, which changes the length first", "filemap_fault; d00806b18315";
    TruncateUnmapsAgain = "M-P108", "truncate-unmaps-again",
        "Unmap what is cut off a second time, once its pages have left the cache: private copies are found by no page.",
        "a write fault that copies a page just before it leaves", "truncate_pagecache; d00806b18315";
    MkwriteAsksMapping = "M-P109", "mkwrite-asks-mapping",
        "When a file system is told of a write, ask with the folio locked whether it is the file's.",
        "truncation, which takes it out of the cache with the folio locked", "filemap_page_mkwrite; 4fcf1c6205fc";
    WritebackProtects = "M-P113", "writeback-protects",
        "Write-protect every shared mapping of a page before it is written out, so that the next write is heard of.",
        "page_mkwrite, which a fault calls for a page that is write-protected", "folio_mkclean; d08b3851da41";
    RmapAfterFlush = "M-P114", "rmap-after-flush",
        "Take the map count of a dirty page of a file down once its entry is flushed, with the lock of the table still held.",
        "folio_mkclean, which looks for no mappings where none is counted", "zap_pte_range, tlb_delay_rmap; 5df397dec7c4";
    MkwriteKeepsLock = "M-P115", "mkwrite-keeps-lock",
        "Keep a folio locked from when its file system was told of a write until the entry is writable.",
        "write-back, which write-protects all entries with the folio locked", "do_page_mkwrite, VM_FAULT_LOCKED; b827e496c893";
}
