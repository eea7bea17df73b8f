//! Whole texts.

use expect_test::expect;

use super::check;
use super::traces::{buffered_clear, detached_table, freed_table, looked_at_freed, stale_recheck};
use crate::Page;

#[test]
fn a_broken_property_under_sequential_consistency() {
    check(
        detached_table,
        Page::default(),
        &expect![[r#"
            thp-collapse/detached-table (R02) under arm64 without pmd-recheck: graph (rc11), execution 17

            broken: always a page that gup returned is still mapped where it was found: (1) cpu1 khugepaged read folio3.refcount =
              1, then (2) cpu0 gup changed folio3.refcount from 1 to 2, and cpu1 khugepaged never looked again

                    │ cpu0 gup                                       │ cpu1 khugepaged                               │
                    ├────────────────────────────────────────────────┼───────────────────────────────────────────────┼──────────────
                    │ ... 1 step                                     │                                               │
                    │ pin_user_pages_fast > lockless_pages_from_mm > │                                               │
                    │     gup_pmd_range                              │                                               │
                  2 │   READ_ONCE mm0.pmd[0] = table2                │                                               │ traces.rs:259
                    │   gup_pte_range                                │                                               │
                  3 │     READ_ONCE table2.pte[0] = folio3           │                                               │ traces.rs:261
                    │         present|write                          │                                               │
                    │                                                │ collapse_huge_page                            │
                  4 │                                                │   lock mm0.page_table_lock                    │ traces.rs:263
                  5 │                                                │   xchg_relaxed mm0.pmd[0]: table2 -> none     │ traces.rs:264
                  6 │                                                │   smp_mb                                      │ traces.rs:265
            (1)   7 │                                                │   READ_ONCE folio3.refcount = 1               │ traces.rs:266
            (2)   8 │     add_unless folio3.refcount: 1 -> 2         │                                               │ traces.rs:268
                    │ ... 2 steps                                    │                                               │
                 11 │                                                │   store_release mm0.pmd[0]: none -> folio4    │ traces.rs:275
                    │                                                │       present|write                           │
                    │                                                │ ... 1 step                                    │

            at the end
              mm0.pmd[0]       table2 -> folio4 present|write
              folio3.refcount  1 -> 2
              and 1 more that one CPU alone touched (--detail)

            returned
              cpu0 gup         ret=1 page=3
              cpu1 khugepaged  result=succeed

            broken rule
              always a page that gup returned is still mapped where it was found

            without
              pmd-recheck (P18): Read the pmd again after the pin: the table was still linked.
                  pairs with collapse-clear-first (M-P11)
                  source: gup_pte_range; 70cbc3cc78a9

            in a kernel from before
              collapse-sync-ipi (M-P12): Collapse interrupts every CPU, and waits, before the unlinked table serves for anything
                  else.
                  pairs with irqs-off-block-ipi (P3)
                  source: tlb_remove_table_sync_one; 2ba99c5e0881

            again
              cargo run -- run thp-collapse/detached-table --profile arm64 --engine graph --model rc11 --cpus 2 --knock-out pmd-recheck
        "#]],
    );
}

#[test]
fn in_detail_nothing_is_folded() {
    let page = Page {
        detail: true,
        ascii: true,
        ..Page::default()
    };
    check(
        detached_table,
        page,
        &expect![[r#"
            thp-collapse/detached-table (R02) under arm64 without pmd-recheck: graph (rc11), execution 17

            broken: always a page that gup returned is still mapped where it was found: (1) cpu1 khugepaged read folio3.refcount =
              1, then (2) cpu0 gup changed folio3.refcount from 1 to 2, and cpu1 khugepaged never looked again

                    | cpu0 gup                                       | cpu1 khugepaged                               |
                    +------------------------------------------------+-----------------------------------------------+--------------
                    | pin_user_pages_fast                            |                                               |
                    |   lockless_pages_from_mm                       |                                               |
                  1 |     store_release cpu0.irqs_off: false -> true |                                               | traces.rs:257
                    |     gup_pmd_range                              |                                               |
                  2 |       READ_ONCE mm0.pmd[0] = table2            |                                               | traces.rs:259
                    |       gup_pte_range                            |                                               |
                  3 |         READ_ONCE table2.pte[0] = folio3       |                                               | traces.rs:261
                    |             present|write                      |                                               |
                    |                                                | collapse_huge_page                            |
                  4 |                                                |   lock mm0.page_table_lock                    | traces.rs:263
                  5 |                                                |   xchg_relaxed mm0.pmd[0]: table2 -> none     | traces.rs:264
                  6 |                                                |   smp_mb                                      | traces.rs:265
            (1)   7 |                                                |   READ_ONCE folio3.refcount = 1               | traces.rs:266
            (2)   8 |         add_unless folio3.refcount: 1 -> 2     |                                               | traces.rs:268
                  9 |         READ_ONCE table2.pte[0] = folio3       |                                               | traces.rs:269
                    |             present|write                      |                                               |
                 10 |     store_release cpu0.irqs_off: true -> false |                                               | traces.rs:272
                 11 |                                                |   store_release mm0.pmd[0]: none -> folio4    | traces.rs:275
                    |                                                |       present|write                           |
                 12 |                                                |   unlock mm0.page_table_lock                  | traces.rs:276

            at the end
              mm0.pmd[0]       table2 -> folio4 present|write
              folio3.refcount  1 -> 2
              cpu0.irqs_off    false as before

            returned
              cpu0 gup         ret=1 page=3
              cpu1 khugepaged  result=succeed

            broken rule
              always a page that gup returned is still mapped where it was found

            without
              pmd-recheck (P18): Read the pmd again after the pin: the table was still linked.
                  pairs with collapse-clear-first (M-P11)
                  source: gup_pte_range; 70cbc3cc78a9

            in a kernel from before
              collapse-sync-ipi (M-P12): Collapse interrupts every CPU, and waits, before the unlinked table serves for anything
                  else.
                  pairs with irqs-off-block-ipi (P3)
                  source: tlb_remove_table_sync_one; 2ba99c5e0881

            again
              cargo run -- run thp-collapse/detached-table --profile arm64 --engine graph --model rc11 --cpus 2 --knock-out pmd-recheck
        "#]],
    );
}

#[test]
fn a_data_race_on_a_lifetime_is_a_use_after_free() {
    check(
        freed_table,
        Page::default(),
        &expect![[r#"
            thp-collapse/detached-table (R02) under arm64 without pmd-recheck: graph (rc11), execution 17

            use after free: (1) cpu1 khugepaged freed table2 while (2) cpu0 gup was still using it

                    │ cpu0 gup                        │ cpu1 khugepaged    │ changed        │
                    ├─────────────────────────────────┼────────────────────┼────────────────┼──────────────
                    │ gup_pte_range                   │                    │                │
                  1 │   READ_ONCE mm0.pmd[0] = table2 │                    │                │ traces.rs:294
                    │                                 │ collapse_huge_page │                │
                  2 │                                 │   xchg mm0.pmd[0]  │ table2 -> none │ traces.rs:296
                    │                                 │   pte_free         │                │
            (1)   4 │                                 │     free table2    │ alive -> free  │ traces.rs:298
            (2)   5 │   use table2                    │                    │                │ traces.rs:299

            when it happened
              mm0.pmd[0]  table2 -> none
              table2      alive -> free

            returned
              cpu0 gup         did not return
              cpu1 khugepaged  did not return

            broken rule
              every use of table2 is ordered before it is freed, or after it lives again

            without
              pmd-recheck (P18): Read the pmd again after the pin: the table was still linked.
                  pairs with collapse-clear-first (M-P11)
                  source: gup_pte_range; 70cbc3cc78a9

            in a kernel from before
              collapse-sync-ipi (M-P12): Collapse interrupts every CPU, and waits, before the unlinked table serves for anything
                  else.
                  pairs with irqs-off-block-ipi (P3)
                  source: tlb_remove_table_sync_one; 2ba99c5e0881

            again
              cargo run -- run thp-collapse/detached-table --profile arm64 --engine graph --model rc11 --cpus 2 --knock-out pmd-recheck
        "#]],
    );
}

#[test]
fn a_fault_names_the_free_and_the_look() {
    check(
        looked_at_freed,
        Page::default(),
        &expect![[r#"
            thp-collapse/detached-table (R02) under arm64 without pmd-recheck: graph (rc11), execution 17

            use after free: (1) cpu1 khugepaged freed table2, then (2) cpu0 gup used table2

                    │ cpu0 gup   │ cpu1 khugepaged │ changed       │
                    ├────────────┼─────────────────┼───────────────┼──────────────
            (1)   2 │            │ free table2     │ alive -> free │ traces.rs:307
            (2)   3 │ use table2 │                 │               │ traces.rs:308

            when it happened
              table2  alive -> free

            returned
              cpu0 gup         did not return
              cpu1 khugepaged  did not return

            broken rule
              nobody uses table2 once it is free

            without
              pmd-recheck (P18): Read the pmd again after the pin: the table was still linked.
                  pairs with collapse-clear-first (M-P11)
                  source: gup_pte_range; 70cbc3cc78a9

            in a kernel from before
              collapse-sync-ipi (M-P12): Collapse interrupts every CPU, and waits, before the unlinked table serves for anything
                  else.
                  pairs with irqs-off-block-ipi (P3)
                  source: tlb_remove_table_sync_one; 2ba99c5e0881

            again
              cargo run -- run thp-collapse/detached-table --profile arm64 --engine graph --model rc11 --cpus 2 --knock-out pmd-recheck
        "#]],
    );
}

#[test]
fn a_stale_read_says_what_it_took_and_what_it_missed() {
    check(
        stale_recheck,
        Page::default(),
        &expect![[r#"
            thp-collapse/detached-table (R02) under arm64 without pmd-recheck: graph (rc11), execution 17

            broken: always a page that gup returned is still mapped where it was found: (1) cpu1 khugepaged changed mm0.pmd[0] from
              table2 to none, which (2) cpu0 gup did not see

                    │ cpu0 gup                                      │ cpu1 khugepaged               │ changed        │
                    ├───────────────────────────────────────────────┼───────────────────────────────┼────────────────┼──────────────
            (1)   1 │                                               │ xchg_relaxed mm0.pmd[0]       │ table2 -> none │ traces.rs:334
                  2 │                                               │ READ_ONCE folio3.refcount = 1 │                │ traces.rs:335
                  3 │ add_relaxed folio3.refcount                   │                               │ 1 -> 2         │ traces.rs:336
            (2)   4 │ READ_ONCE mm0.pmd[0] = table2                 │                               │                │ traces.rs:337
                    │   stale: took the initial value, missed step  │                               │                │
                    │       1                                       │                               │                │

            at the end
              mm0.pmd[0]       table2 -> none
              folio3.refcount  1 -> 2

            returned
              cpu0 gup         ret=1
              cpu1 khugepaged  did not return

            broken rule
              always a page that gup returned is still mapped where it was found

            without
              pmd-recheck (P18): Read the pmd again after the pin: the table was still linked.
                  pairs with collapse-clear-first (M-P11)
                  source: gup_pte_range; 70cbc3cc78a9

            in a kernel from before
              collapse-sync-ipi (M-P12): Collapse interrupts every CPU, and waits, before the unlinked table serves for anything
                  else.
                  pairs with irqs-off-block-ipi (P3)
                  source: tlb_remove_table_sync_one; 2ba99c5e0881

            again
              cargo run -- run thp-collapse/detached-table --profile arm64 --engine graph --model rc11 --cpus 2 --knock-out pmd-recheck
        "#]],
    );
}

#[test]
fn a_store_that_waits_is_told_when_it_is_done_and_when_it_reaches_memory() {
    check(
        buffered_clear,
        Page::default(),
        &expect![[r#"
            thp-collapse/detached-table (R02) under arm64 without pmd-recheck: graph (rc11), execution 17

            broken: always a page that gup returned is still mapped where it was found: (1) cpu1 khugepaged changed mm0.pmd[0] from
              table2 to none, which (2) cpu0 gup did not see

                    │ cpu0 gup                              │ cpu1 khugepaged                       │ changed        │
                    ├───────────────────────────────────────┼───────────────────────────────────────┼────────────────┼──────────────
            (1)   1 │                                       │ store_release mm0.pmd[0] := none,     │                │ traces.rs:352
                    │                                       │     buffered                          │                │
                  2 │                                       │ READ_ONCE folio3.refcount = 1         │                │ traces.rs:353
                  3 │ add_relaxed folio3.refcount           │                                       │ 1 -> 2         │ traces.rs:354
            (2)   4 │ READ_ONCE mm0.pmd[0] = table2         │                                       │                │ traces.rs:355
                    │   stale: step 1 has not reached       │                                       │                │
                    │       memory                          │                                       │                │
                  5 │                                       │ step 1 reaches mm0.pmd[0]             │ table2 -> none │ traces.rs:352

            at the end
              mm0.pmd[0]       table2 -> none
              folio3.refcount  1 -> 2

            returned
              cpu0 gup         ret=1
              cpu1 khugepaged  did not return

            broken rule
              always a page that gup returned is still mapped where it was found

            without
              pmd-recheck (P18): Read the pmd again after the pin: the table was still linked.
                  pairs with collapse-clear-first (M-P11)
                  source: gup_pte_range; 70cbc3cc78a9

            in a kernel from before
              collapse-sync-ipi (M-P12): Collapse interrupts every CPU, and waits, before the unlinked table serves for anything
                  else.
                  pairs with irqs-off-block-ipi (P3)
                  source: tlb_remove_table_sync_one; 2ba99c5e0881

            again
              cargo run -- run thp-collapse/detached-table --profile arm64 --engine graph --model rc11 --cpus 2 --knock-out pmd-recheck
        "#]],
    );
}
