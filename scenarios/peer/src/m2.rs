//! Lockless read-only pin against giving up the page's exclusivity, after which the entry is restored.

use gupcheck_core::sync::{FenceOrder, Lane, Layout};
use gupcheck_races::program::{Program, Returned};

use crate::words::{
    Cell, cells, entry, load, load_dependent, mb, page, store, sub_and_test, try_get, twin_callers,
    xchg,
};

/// What one pin adds to the reference count.
const PIN: i32 = 1024;

/// What the sharer leaves out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Variant {
    /// No full barrier between clearing the entry and looking at the references.
    pub no_barrier: bool,
    /// The entry is cleared by a plain relaxed store and not by an exchange.
    pub clear_by_store: bool,
}

#[derive(Clone, Debug)]
struct Pages {
    pte: Vec<Cell>,
    refs: Vec<Cell>,
    exclusive: Vec<Cell>,
}

impl Pages {
    fn pin(&self, cpu: &Lane<'_>) -> Returned {
        let mut pinned = Returned::nothing();
        for &pte in &self.pte {
            let found = load_dependent(cpu, pte);
            if found == 0 {
                break;
            }
            let page = page(found);
            if !try_get(cpu, self.refs[page], PIN) {
                break;
            }
            if load(cpu, pte) != found {
                sub_and_test(cpu, self.refs[page], PIN);
                break;
            }
            cpu.fence(FenceOrder::Acquire);
            if load(cpu, self.exclusive[page]) == 0 {
                sub_and_test(cpu, self.refs[page], PIN);
                break;
            }
            pinned = pinned.int("page", page as i64);
        }
        pinned
    }

    fn share(&self, cpu: &Lane<'_>, variant: Variant) -> Returned {
        let mut shared = Returned::nothing();
        for (page, &pte) in self.pte.iter().enumerate() {
            if variant.clear_by_store {
                store(cpu, pte, 0);
            } else {
                xchg(cpu, pte, 0);
            }
            if !variant.no_barrier {
                mb(cpu);
            }
            if load(cpu, self.refs[page]) < PIN {
                store(cpu, self.exclusive[page], 0);
                shared = shared.int("page", page as i64);
                mb(cpu);
            }
            store(cpu, pte, entry(page));
        }
        shared
    }
}

/// So many callers pin so many pages while these are made shareable.
pub fn program(callers: usize, pages: usize, variant: Variant) -> Program {
    let mut layout = Layout::new();
    let shared = Pages {
        pte: cells(&mut layout, pages, "pte[{}]", entry),
        refs: cells(&mut layout, pages, "page{}.refcount", |_| 1),
        exclusive: cells(&mut layout, pages, "page{}.exclusive", |_| 1),
    };
    let mut program = Program::new(layout);
    let pinned = shared.clone();
    let all = twin_callers(&mut program, callers, move |cpu| pinned.pin(cpu));
    let sharer = program.cpu("share", move |cpu| shared.share(cpu, variant));
    program.always("a page pinned as exclusive is not shared", move |end| {
        let is_shared = |page| end.returned(sharer).all("page").any(|p| p == page);
        !(all.iter().flat_map(|&lane| end.returned(lane).all("page"))).any(is_shared)
    });
    program
}
