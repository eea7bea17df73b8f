//! The same trace on pages of different widths.

use expect_test::expect;

use super::check;
use super::traces::{Machine, Script, detached_table, finding, load, program};
use crate::{Page, report};
use gupcheck_program::Violation;

#[test]
fn where_the_page_is_narrow_columns_wrap() {
    let page = Page {
        width: 90,
        ..Page::default()
    };
    check(
        detached_table,
        page,
        &expect![[r#"
            thp-collapse/detached-table (R02) under arm64 without pmd-recheck: graph (rc11), execution
              17

            broken: always a page that gup returned is still mapped where it was found: (1) cpu1
              khugepaged read folio3.refcount = 1, then (2) cpu0 gup changed folio3.refcount from 1 to
              2, and cpu1 khugepaged never looked again

                    │ cpu0 gup                        │ cpu1 khugepaged                │
                    ├─────────────────────────────────┼────────────────────────────────┼──────────────
                    │ ... 1 step                      │                                │
                    │ pin_user_pages_fast >           │                                │
                    │     lockless_pages_from_mm >    │                                │
                    │     gup_pmd_range               │                                │
                  2 │   READ_ONCE mm0.pmd[0] = table2 │                                │ traces.rs:259
                    │   gup_pte_range                 │                                │
                  3 │     READ_ONCE table2.pte[0] =   │                                │ traces.rs:261
                    │         folio3 present|write    │                                │
                    │                                 │ collapse_huge_page             │
                  4 │                                 │   lock mm0.page_table_lock     │ traces.rs:263
                  5 │                                 │   xchg_relaxed mm0.pmd[0]:     │ traces.rs:264
                    │                                 │       table2 -> none           │
                  6 │                                 │   smp_mb                       │ traces.rs:265
            (1)   7 │                                 │   READ_ONCE folio3.refcount =  │ traces.rs:266
                    │                                 │       1                        │
            (2)   8 │     add_unless folio3.refcount: │                                │ traces.rs:268
                    │         1 -> 2                  │                                │
                    │ ... 2 steps                     │                                │
                 11 │                                 │   store_release mm0.pmd[0]:    │ traces.rs:275
                    │                                 │       none -> folio4           │
                    │                                 │       present|write            │
                    │                                 │ ... 1 step                     │

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
              collapse-sync-ipi (M-P12): Collapse interrupts every CPU, and waits, before the unlinked
                  table serves for anything else.
                  pairs with irqs-off-block-ipi (P3)
                  source: tlb_remove_table_sync_one; 2ba99c5e0881

            again
              cargo run -- run thp-collapse/detached-table --profile arm64 --engine graph --model rc11 --cpus 2 --knock-out pmd-recheck
        "#]],
    );
}

#[test]
fn where_the_page_is_too_narrow_the_lanes_share_a_column() {
    let page = Page {
        width: 60,
        ..Page::default()
    };
    check(
        detached_table,
        page,
        &expect![[r#"
            thp-collapse/detached-table (R02) under arm64 without
              pmd-recheck: graph (rc11), execution 17

            broken: always a page that gup returned is still mapped
              where it was found: (1) cpu1 khugepaged read
              folio3.refcount = 1, then (2) cpu0 gup changed
              folio3.refcount from 1 to 2, and cpu1 khugepaged never
              looked again

                    2 CPUs do not fit beside each other in 60 columns:
                    each has its own indentation
                    cpu0 gup
                      ... 1 step
                      pin_user_pages_fast > lockless_pages_from_mm >
                          gup_pmd_range
                  2     READ_ONCE mm0.pmd[0] = table2  traces.rs:259
                        gup_pte_range
                  3       READ_ONCE table2.pte[0] = folio3 present|write
                              traces.rs:261
                      cpu1 khugepaged
                        collapse_huge_page
                  4       lock mm0.page_table_lock  traces.rs:263
                  5       xchg_relaxed mm0.pmd[0]: table2 -> none
                              traces.rs:264
                  6       smp_mb  traces.rs:265
            (1)   7       READ_ONCE folio3.refcount = 1  traces.rs:266
                    cpu0 gup
            (2)   8       add_unless folio3.refcount: 1 -> 2
                              traces.rs:268
                      ... 2 steps
                      cpu1 khugepaged
                 11       store_release mm0.pmd[0]: none -> folio4
                              present|write  traces.rs:275
                        ... 1 step

            at the end
              mm0.pmd[0]       table2 -> folio4 present|write
              folio3.refcount  1 -> 2
              and 1 more that one CPU alone touched (--detail)

            returned
              cpu0 gup         ret=1 page=3
              cpu1 khugepaged  result=succeed

            broken rule
              always a page that gup returned is still mapped where it
                was found

            without
              pmd-recheck (P18): Read the pmd again after the pin: the
                  table was still linked.
                  pairs with collapse-clear-first (M-P11)
                  source: gup_pte_range; 70cbc3cc78a9

            in a kernel from before
              collapse-sync-ipi (M-P12): Collapse interrupts every CPU,
                  and waits, before the unlinked table serves for
                  anything else.
                  pairs with irqs-off-block-ipi (P3)
                  source: tlb_remove_table_sync_one; 2ba99c5e0881

            again
              cargo run -- run thp-collapse/detached-table --profile arm64 --engine graph --model rc11 --cpus 2 --knock-out pmd-recheck
        "#]],
    );
}

#[test]
fn no_line_is_wider_than_the_page() {
    for width in 40..140 {
        let machine = Machine::new();
        let counterexample = detached_table(&machine);
        let program = program(machine.layout, super::LANES);
        let page = Page {
            width,
            ..Page::default()
        };
        let text = report(&finding(&counterexample, &program), page);
        let again = format!("  {}", finding(&counterexample, &program).subject.command);
        for line in text.lines().iter().map(ToString::to_string) {
            let fits = line.chars().count() <= width;
            assert!(fits || line == again, "wider than {width}: {line}");
        }
    }
}

#[test]
fn five_lanes_share_a_column() {
    let machine = Machine::new();
    let mut script = Script::on(&machine);
    for lane in 0..5 {
        script.op(lane, load(machine.pmd.id()));
    }
    let counterexample = script.ends(
        Violation::Property {
            index: 0,
            text: "nobody looks".to_owned(),
        },
        Vec::new(),
    );
    let program = program(machine.layout, &["cpu0", "cpu1", "cpu2", "cpu3", "cpu4"]);
    let text = report(&finding(&counterexample, &program), Page::default());
    expect![[r#"
        thp-collapse/detached-table (R02) under arm64 without pmd-recheck: graph (rc11), execution 17

        broken: always nobody looks: at last (1) cpu4 read mm0.pmd[0] = table2

                5 CPUs do not fit beside each other in 120 columns: each has its own indentation
                cpu0
              1   READ_ONCE mm0.pmd[0] = table2  layouts.rs:182
                  cpu1
              2     READ_ONCE mm0.pmd[0] = table2  layouts.rs:182
                    cpu2
              3       READ_ONCE mm0.pmd[0] = table2  layouts.rs:182
                      cpu3
              4         READ_ONCE mm0.pmd[0] = table2  layouts.rs:182
                        cpu4
        (1)   5           READ_ONCE mm0.pmd[0] = table2  layouts.rs:182

        at the end
          mm0.pmd[0]  table2 as before

        broken rule
          always nobody looks

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
    "#]].assert_eq(&text.to_string());
}
