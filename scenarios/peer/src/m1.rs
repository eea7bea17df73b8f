//! Lockless pin against zap, free and reuse of the page.

use gupcheck_core::sync::{Fault, Lane, Layout};
use gupcheck_races::program::{Program, Returned};

use crate::words::{
    Cell, cells, entry, load, load_dependent, mb, page, store, sub_and_test, try_get, twin_callers,
    xchg,
};

/// What the callers leave out, or do in addition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Variant {
    /// As the kernel does it.
    #[default]
    Correct,
    /// The entry is not read again after the pin.
    NoRecheck,
    /// The owner is checked at once, and the pin dropped again.
    Unpin,
}

#[derive(Clone, Debug)]
struct Pages {
    pte: Vec<Cell>,
    refs: Vec<Cell>,
    /// 0: our mm; 1: whoever got the page next.
    owner: Vec<Cell>,
}

impl Pages {
    fn put(&self, cpu: &Lane<'_>, page: usize) {
        if sub_and_test(cpu, self.refs[page], 1) {
            store(cpu, self.owner[page], 1);
            mb(cpu);
            store(cpu, self.refs[page], 1);
        }
    }

    fn pin(&self, cpu: &Lane<'_>, variant: Variant) -> Returned {
        let mut pinned = Returned::nothing();
        for &pte in &self.pte {
            let found = load_dependent(cpu, pte);
            if found == 0 {
                break;
            }
            let page = page(found);
            if !try_get(cpu, self.refs[page], 1) {
                break;
            }
            if variant != Variant::NoRecheck && load(cpu, pte) != found {
                self.put(cpu, page);
                break;
            }
            if variant == Variant::Unpin {
                if load(cpu, self.owner[page]) != 0 {
                    cpu.fault(Fault::Bug {
                        what: "a pinned page has a new owner",
                        cell: Some(self.owner[page].id()),
                    });
                }
                self.put(cpu, page);
            } else {
                pinned = pinned.int("page", page as i64);
            }
        }
        pinned
    }

    fn zap(&self, cpu: &Lane<'_>) -> Returned {
        for &pte in &self.pte {
            mb(cpu);
            let cleared = xchg(cpu, pte, 0);
            mb(cpu);
            self.put(cpu, page(cleared));
        }
        Returned::nothing()
    }
}

/// So many callers pin so many pages while they are zapped.
pub fn program(callers: usize, pages: usize, variant: Variant) -> Program {
    let mut layout = Layout::new();
    let shared = Pages {
        pte: cells(&mut layout, pages, "pte[{}]", entry),
        refs: cells(&mut layout, pages, "page{}.refcount", |_| 1),
        owner: cells(&mut layout, pages, "page{}.owner", |_| 0),
    };
    let mut program = Program::new(layout);
    let pinned = shared.clone();
    let all = twin_callers(&mut program, callers, move |cpu| pinned.pin(cpu, variant));
    let zapped = shared.clone();
    program.cpu("zap", move |cpu| zapped.zap(cpu));
    program.always("a pinned page keeps its owner", move |end| {
        (all.iter().flat_map(|&lane| end.returned(lane).all("page")))
            .all(|page| end.value(shared.owner[page as usize]) == 0)
    });
    program
}
