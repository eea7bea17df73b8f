//! Setting a race on the kernel model: CPUs on a machine, and properties in the kernel's terms.
//!
//! A [`Scene`] is what a scenario's `build` fills: it takes a booted machine, gives each CPU something to
//! do, and states what must hold. What every race must keep comes by itself: every reference is accounted for
//! ([`crate::books`]); what a caller got was mapped where it asked ([`crate::translation`]), is its own mm's, is
//! exclusive if it was pinned, and as much as it was told; and no migration entry is left behind, for which a fault would wait
//! for ever.

use gupcheck_core::boot::{Area, Boot};
use gupcheck_core::cpu::Cpu;
use gupcheck_core::folio::{Owner, Pfn};
use gupcheck_core::gup::{Foll, Gup, get_user_pages_fast_only, pin_user_pages_fast_only};
use gupcheck_core::machine::Machine;
use gupcheck_core::sync::{Lane, LaneId, Name};
use std::sync::Arc;

use crate::books::Books;
pub use crate::ending::{Ending, Hold};
use crate::invariants::{Invariant, pinned_is_exclusive};
use crate::lanes::Lanes;
use crate::noise::Background;
use crate::reply::Reply;
use crate::translation::Translations;
use gupcheck_program::{End, Program};

/// A race in the making.
pub struct Scene {
    machine: Arc<Machine>,
    program: Program,
    books: Books,
    background: Background,
}

impl Scene {
    /// The scene that `boot` set.
    pub fn new(mut boot: Boot) -> Self {
        let background = Background::of(&mut boot);
        let (layout, machine) = boot.finish();
        Self {
            machine: Arc::new(machine),
            program: Program::new(layout),
            books: Books::default(),
            background,
        }
    }

    /// Adds [callers](Self::callers) of `get_user_pages_fast_only`, for all pages of the area: each keeps its references.
    pub fn getters(&mut self, count: u32, area: Area, flags: Foll) -> Lanes {
        self.callers(count, Hold::Reference, move |cpu| {
            get_user_pages_fast_only(cpu, area.mm, area.start, area.pages, flags)
        })
    }

    /// Adds [callers](Self::callers) of `pin_user_pages_fast_only`, for all pages of the area: each keeps its pins.
    pub fn pinners(&mut self, count: u32, area: Area, flags: Foll) -> Lanes {
        self.callers(count, Hold::Pin, move |cpu| {
            pin_user_pages_fast_only(cpu, area.mm, area.start, area.pages, flags)
        })
    }

    /// Adds GUP callers, all doing the same, and accounts for what each of them then holds. They are twins: nothing
    /// but their names tells one from another. Callers are numbered throughout the scene: those of a second call go on
    /// where the first ones ended.
    pub fn callers(
        &mut self,
        count: u32,
        hold: Hold,
        body: impl for<'m> Fn(&Cpu<'m>) -> Gup<'m> + Send + Sync + 'static,
    ) -> Lanes {
        let body = Arc::new(body);
        self.together(count, |scene, _, first| {
            let body = Arc::clone(&body);
            scene.caller(hold, first, move |cpu| body(cpu))
        })
    }

    /// Adds GUP callers that are told which of them they are, from 0, and may do something else each: twins they are
    /// not.
    pub fn numbered_callers(
        &mut self,
        count: u32,
        hold: Hold,
        body: impl for<'m> Fn(&Cpu<'m>, u32) -> Gup<'m> + Send + Sync + 'static,
    ) -> Lanes {
        let body = Arc::new(body);
        self.together(count, |scene, nth, _| {
            let body = Arc::clone(&body);
            scene.caller(hold, None, move |cpu| body(cpu, nth))
        })
    }

    /// Adds so many CPUs, each by what `add` does with its number and the first of them.
    fn together(
        &mut self,
        count: u32,
        mut add: impl FnMut(&mut Self, u32, Option<LaneId>) -> LaneId,
    ) -> Lanes {
        let next = LaneId(self.program.cpus().len() as u8);
        for nth in 0..count {
            add(self, nth, (nth > 0).then_some(next));
        }
        Lanes::from_first(next, count as usize)
    }

    fn caller(
        &mut self,
        hold: Hold,
        twin_of: Option<LaneId>,
        body: impl for<'m> Fn(&Cpu<'m>) -> Gup<'m> + Send + Sync + 'static,
    ) -> LaneId {
        let machine = Arc::clone(&self.machine);
        let run = move |lane: &Lane<'_>| body(&Cpu::new(*lane, &machine)).into_returned();
        let name = Name::new("cpu{} gup", [self.books.callers().len() as u32]);
        let lane = match twin_of {
            Some(first) => self.program.twin_cpu(name, first, run),
            None => self.program.cpu(name, run),
        };
        self.books.caller(lane, hold);
        lane
    }

    /// Adds a CPU that does something else.
    pub fn cpu<R: Reply>(
        &mut self,
        name: impl Into<Name>,
        body: impl Fn(&Cpu<'_>) -> R + Send + Sync + 'static,
    ) -> LaneId {
        let machine = Arc::clone(&self.machine);
        self.program.cpu(name, move |lane| {
            body(&Cpu::new(*lane, &machine)).into_returned()
        })
    }

    /// Adds a CPU that does what `first` does, given the same body: they are twins, as callers are.
    pub fn twin<R: Reply>(
        &mut self,
        name: impl Into<Name>,
        first: LaneId,
        body: impl Fn(&Cpu<'_>) -> R + Send + Sync + 'static,
    ) -> LaneId {
        let machine = Arc::clone(&self.machine);
        self.program.twin_cpu(name, first, move |lane| {
            body(&Cpu::new(*lane, &machine)).into_returned()
        })
    }

    /// Adds so many CPUs that all do the same, twins of each other; the `{}` of the name is which of them it is.
    pub fn alike<R: Reply>(
        &mut self,
        name: &'static str,
        count: u32,
        body: impl Fn(&Cpu<'_>) -> R + Copy + Send + Sync + 'static,
    ) -> Lanes {
        self.together(count, |scene, nth, first| {
            let name = Name::new(name, [nth]);
            match first {
                None => scene.cpu(name, body),
                Some(first) => scene.twin(name, first, body),
            }
        })
    }

    /// Somebody outside the scene keeps this many references of a folio throughout.
    pub fn held(&mut self, head: Pfn, refs: i32) {
        self.books.held(head, refs);
    }

    /// A CPU that returns `page=N` owns one reference of that page at the end.
    pub fn owns_what_it_returns(&mut self, lane: LaneId) {
        self.books.owner(lane);
    }

    /// States what must hold at the end of every execution, completing "always ...".
    pub fn always(
        &mut self,
        text: &str,
        holds: impl Fn(&Ending<'_>) -> bool + Send + Sync + 'static,
    ) {
        let holds = self.at_the_end(holds);
        self.program.always(text, holds);
    }

    /// States how a race keeps an invariant of the catalogue: what must hold at the end of every execution.
    pub fn keeps(
        &mut self,
        invariant: Invariant,
        text: &str,
        holds: impl Fn(&Ending<'_>) -> bool + Send + Sync + 'static,
    ) {
        self.always(&format!("{text} ({invariant})"), holds);
    }

    /// I5: where a CPU has acted, because it decided that nobody had these pages, none of these callers got one.
    pub fn acts_on_nobodys(
        &mut self,
        (what, pages): (&str, &[Pfn]),
        callers: &[LaneId],
        acted: impl Fn(&Ending<'_>) -> bool + Send + Sync + 'static,
    ) {
        let (callers, pages) = (callers.to_vec(), pages.to_vec());
        let text = format!("{what} by nobody");
        self.keeps(Invariant::I5, &text, move |end| {
            !acted(end) || !pages.iter().any(|&page| end.any_got(&callers, page))
        });
    }

    /// States what must hold at the end of some execution, completing "sometimes ...".
    pub fn sometimes(
        &mut self,
        text: &str,
        holds: impl Fn(&Ending<'_>) -> bool + Send + Sync + 'static,
    ) {
        let holds = self.at_the_end(holds);
        self.program.sometimes(text, holds);
    }

    /// A question about the end of an execution on this scene's machine.
    fn at_the_end<R: 'static, F>(&self, ask: F) -> impl Fn(&End<'_>) -> R + Send + Sync + use<R, F>
    where
        F: Fn(&Ending<'_>) -> R + Send + Sync + 'static,
    {
        let machine = Arc::clone(&self.machine);
        move |end| {
            ask(&Ending {
                end,
                machine: &machine,
            })
        }
    }

    /// The program, with the properties that every scene has. Where the scene is not whole, it is one with a
    /// [flaw](Program::flaw), which no engine explores.
    pub fn into_program(mut self) -> Program {
        for (name, body) in self.background.cpus() {
            let lane = self.cpu(name, body);
            self.program.put_in_background(lane);
        }
        if let Some(flaw) = self.flaw() {
            return Program::flawed(flaw);
        }
        let callers = self.books.callers().to_vec();
        let lanes: Vec<_> = callers.iter().map(|&(lane, _)| lane).collect();
        let translations = Translations::of(&self.machine, &lanes);
        self.always(
            "every page that a caller got is its own mm's (I12)",
            move |end| {
                (callers.iter())
                    .flat_map(|&(lane, _)| end.pages(lane))
                    .all(|page| end.owner(page) == Owner::Us)
            },
        );
        self.always("no migration entry is left behind (I11)", |end| {
            !end.has_migration_entry()
        });
        let callers = self.books.callers().to_vec();
        self.always("what a caller has pinned is exclusive (I4)", move |end| {
            pinned_is_exclusive(end, &callers)
        });
        let books = std::mem::take(&mut self.books);
        let text = "every reference is accounted for (I3, I9, I13)";
        let balance = self.at_the_end(move |end| books.balance(end));
        self.program.always_or_why(text, balance);
        if let Some(translations) = translations {
            let text = "every page that a caller got was mapped where it asked, with its reference held (I1)";
            self.program.witness(text, translations);
        }
        self.program
    }

    /// What is wrong with the scene.
    fn flaw(&self) -> Option<String> {
        let cpus = self.program.cpus();
        let (count, booted) = (cpus.len(), self.machine.cpus());
        if count != booted {
            return Some(format!(
                "the scene has {count} CPUs, and the machine was booted with {booted}"
            ));
        }
        let mut names: Vec<_> = cpus.iter().map(|cpu| cpu.name.to_string()).collect();
        names.sort_unstable();
        let twice = names.windows(2).find(|pair| pair[0] == pair[1])?;
        Some(format!(
            "two CPUs of the scene are called {:?}: nobody could tell them apart",
            twice[0]
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gupcheck_core::arch::ARM64;
    use gupcheck_core::gup::get_user_pages_fast;
    use gupcheck_core::step::Kernel;

    #[test]
    fn callers_are_twins() {
        let mut boot = Boot::for_pages(Kernel::new(&ARM64), 3, 1);
        let area = boot.anon_area(1);
        let mut scene = Scene::new(boot);
        let callers = scene.callers(3, Hold::Reference, move |cpu| {
            get_user_pages_fast(cpu, area.mm, area.start, 1, Foll::empty())
        });
        let program = scene.into_program();
        let twins: Vec<_> = program.cpus().iter().map(|cpu| cpu.twin_of).collect();
        assert_eq!(twins, [None, Some(callers[0]), Some(callers[0])]);
    }

    fn gup<'m>(cpu: &Cpu<'m>, area: Area) -> Gup<'m> {
        get_user_pages_fast(cpu, area.mm, area.start, 1, Foll::empty())
    }

    #[test]
    fn callers_are_numbered_throughout_the_scene() {
        let mut boot = Boot::for_pages(Kernel::new(&ARM64), 5, 2);
        let area = boot.anon_area(2);
        let mut scene = Scene::new(boot);
        scene.callers(2, Hold::Reference, move |cpu| gup(cpu, area));
        scene.callers(1, Hold::Pin, move |cpu| gup(cpu, area));
        let two = scene.numbered_callers(2, Hold::Reference, move |cpu, nth| {
            let start = area.addr(nth);
            gup(cpu, Area { start, ..area })
        });
        let program = scene.into_program();
        let names: Vec<_> = program
            .cpus()
            .iter()
            .map(|cpu| cpu.name.to_string())
            .collect();
        let expected = ["cpu0 gup", "cpu1 gup", "cpu2 gup", "cpu3 gup", "cpu4 gup"];
        assert_eq!(names, expected);
        let twins: Vec<_> = program.cpus().iter().map(|cpu| cpu.twin_of).collect();
        assert_eq!(twins, [None, Some(LaneId(0)), None, None, None]);
        assert_eq!(*two, [LaneId(3), LaneId(4)]);
    }

    #[test]
    fn a_scene_that_is_not_whole_says_so() {
        let with = |booted, names: &[&'static str]| {
            let mut scene = Scene::new(Boot::new(Kernel::new(&ARM64), booted, 1));
            for &name in names {
                scene.cpu(name, |_| ());
            }
            scene.into_program().flaw().map(str::to_owned)
        };
        assert_eq!(with(2, &["one", "other"]), None);
        assert_eq!(
            with(3, &["one", "other"]).as_deref(),
            Some("the scene has 2 CPUs, and the machine was booted with 3")
        );
        assert_eq!(
            with(2, &["one", "one"]).as_deref(),
            Some("two CPUs of the scene are called \"one\": nobody could tell them apart")
        );
    }
}
