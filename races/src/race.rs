//! A race: what is set up, what each CPU does, what must hold, and which steps it rests on.
//!
//! A [`Race`] is a constant, one to a file of a scenario crate: [`Race::of`] has what most of them have in common. Its [`build`](Race::build) makes the
//! program for given sizes and a given kernel; everything else about it is data that the command line,
//! the test harness and the necessity matrix read.

use gupcheck_core::arch::Profile;
use gupcheck_core::step::{Kernel, Step, Steps};

use crate::profiles::EVERYWHERE;
use gupcheck_program::Program;
use gupcheck_program::panics::isolated;

/// How large an instance of a race is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    /// GUP callers.
    pub cpus: u32,
    /// Pages each caller asks for.
    pub pages: u32,
}

impl Size {
    /// One caller, one page.
    pub const SMALLEST: Self = Self { cpus: 1, pages: 1 };
    /// As large as a race can be set up: with two CPUs more, six callers are as many as an engine runs.
    pub const LARGEST: Self = Self { cpus: 6, pages: 8 };

    /// What a test's name says of it, before what it claims: nothing of the smallest, `2 callers: ` of larger ones.
    pub fn in_words(self) -> String {
        let counted = |n: u32, noun: &str| (n > 1).then(|| format!("{n} {noun}"));
        let words: Vec<_> = [counted(self.cpus, "callers"), counted(self.pages, "pages")]
            .into_iter()
            .flatten()
            .collect();
        if words.is_empty() {
            String::new()
        } else {
            format!("{}: ", words.join(", "))
        }
    }

    /// Whether a race can be set up so large.
    pub fn is_possible(self) -> bool {
        let (least, most) = (Self::SMALLEST, Self::LARGEST);
        (least.cpus..=most.cpus).contains(&self.cpus)
            && (least.pages..=most.pages).contains(&self.pages)
    }
}

/// An instance of a race that its tests try, and what one of them may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tested {
    /// How large it is.
    pub size: Size,
    /// Executions that a search may cost: what needs more fails its test.
    pub executions: u64,
    /// Whether these are enough to see everything. If not, a test claims no more than that so many hold.
    pub whole: bool,
    /// Whether it is too much for every day: it runs when it is asked for, by `cargo test -- --ignored`.
    pub longer: bool,
}

impl Tested {
    /// An instance of so many callers and pages that is explored to the end, within so many executions.
    pub const fn whole(cpus: u32, pages: u32, executions: u64) -> Self {
        Self {
            size: Size { cpus, pages },
            executions,
            whole: true,
            longer: false,
        }
    }

    /// One of which so many executions are explored.
    pub const fn part(cpus: u32, pages: u32, executions: u64) -> Self {
        Self {
            whole: false,
            ..Self::whole(cpus, pages, executions)
        }
    }

    /// The same, not every day.
    #[must_use]
    pub const fn longer(self) -> Self {
        Self {
            longer: true,
            ..self
        }
    }
}

/// What tests try of a small race: the smallest instance and one of two pages are explored to the end every day, one of
/// two callers in part; and to the end when somebody asks for it.
pub const SMALL: &[Tested] = &[
    Tested::whole(1, 1, 20_000),
    Tested::whole(1, 2, 20_000),
    Tested::part(2, 1, 2_000),
    Tested::whole(2, 1, 50_000_000).longer(),
];

/// The same of a race in which two callers have more executions than anybody waits for: some millions are seen, and there
/// are more.
pub const SMALL_FOR_ONE: &[Tested] = &[
    Tested::whole(1, 1, 20_000),
    Tested::whole(1, 2, 20_000),
    Tested::part(2, 1, 2_000),
];

/// The same of a race of which two pages, too, are explored in part every day, and to the end when somebody asks for it.
pub const SMALL_FOR_ONE_PAGE: &[Tested] = &[
    Tested::whole(1, 1, 20_000),
    Tested::part(1, 2, 20_000),
    Tested::part(2, 1, 2_000),
    Tested::whole(1, 2, 2_000_000).longer(),
];

/// A step that a race rests on: without it, under these profiles, the race must fail.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    /// The step.
    pub step: Step,
    /// Where it is needed. Elsewhere nothing is claimed.
    pub profiles: &'static [&'static Profile],
}

impl Need {
    /// `step`, under these profiles: [a set that has a name](crate::profiles), or one of your own with a name of its own. A slice that is
    /// written in the call does not live long enough (E0716); written in the struct itself it does:
    ///
    /// ```
    /// # use gupcheck_races::prelude::*;
    /// const MINE: &[&Profile] = &[&ARM64, &RISCV_SBI];
    /// const NEEDS: &[Need] = &[
    ///     Need::of(Step::PteRecheck, MINE),
    ///     Need { step: Step::PinBarrier, profiles: &[&ARM64] },
    /// ];
    /// assert_eq!(NEEDS[0].profiles.len() + NEEDS[1].profiles.len(), 3);
    /// ```
    pub const fn of(step: Step, profiles: &'static [&'static Profile]) -> Self {
        Self { step, profiles }
    }
}

/// A race between GUP callers and somebody who changes what they walk.
#[derive(Clone, Copy, Debug)]
pub struct Race {
    /// `crate/name`, such as `thp-collapse/detached-table`.
    pub name: &'static str,
    /// Its entry in the catalogue, such as `R02`.
    pub catalogue: &'static str,
    /// What could happen, in a sentence or two.
    pub about: &'static str,
    /// Where it is interesting: where it must hold with everything in place.
    pub profiles: &'static [&'static Profile],
    /// Steps that the kernel of this race never had: a fix that came later and hides the race.
    pub before: &'static [Step],
    /// Where its kernel is broken, and the race shows it: under these of its profiles it must fail, as it stands. Nothing is
    /// kept of it in `ci/schedules` then, and what it rests on there is not asked. For a draft, and for a mistake that is no step.
    pub fails: &'static [&'static Profile],
    /// The steps that it rests on.
    pub needs: &'static [Need],
    /// Controls: steps without which it must still hold, under every profile it names.
    pub indifferent: &'static [Step],
    /// What its tests try: [`SMALL`], unless it is larger than most. Steps are knocked out of the first of these; what
    /// the race rests on is computed with the first that is explored to the end.
    pub tested: &'static [Tested],
    /// Makes the program.
    pub build: fn(Size, Kernel) -> Program,
}

impl Race {
    /// Whether its tests explore the smallest instance to the end every day. If not, it is no small one.
    pub fn is_small(&self) -> bool {
        let smallest = |tested: &&Tested| tested.size == Size::SMALLEST;
        let mut smallest = self.tested.iter().filter(smallest);
        smallest.any(|tested| tested.whole && !tested.longer)
    }

    /// Whether its tests try this size.
    pub fn tries(&self, size: Size) -> bool {
        self.tested.iter().any(|tested| tested.size == size)
    }

    /// How many executions its tests see of a size of which none of them sees the whole, not even a longer one. `None` of a
    /// size that one of them does, or none tries.
    pub fn seen_in_part(&self, size: Size) -> Option<u64> {
        let ours = || self.tested.iter().filter(|tested| tested.size == size);
        if ours().any(|tested| tested.whole) {
            return None;
        }
        ours().map(|tested| tested.executions).max()
    }

    /// What most races are beside what only they can say: a race that is in no catalogue, tried [everywhere](EVERYWHERE), of
    /// the kernel that we have, which rests on nothing, with a [small](SMALL) program, that `build` makes. To be completed:
    ///
    /// ```
    /// # use gupcheck_races::prelude::*;
    /// # fn build(size: Size, kernel: Kernel) -> Program {
    /// #     Scene::new(Boot::for_pages(kernel, size.cpus, size.pages)).into_program()
    /// # }
    /// const RACE: Race = Race {
    ///     name: "family/race",
    ///     about: "What could happen.",
    ///     needs: &[Need::of(Step::PteRecheck, RELAXED)],
    ///     ..Race::of(build)
    /// };
    /// assert_eq!((RACE.catalogue, RACE.profiles.len()), ("-", 4));
    /// ```
    pub const fn of(build: fn(Size, Kernel) -> Program) -> Self {
        Self {
            name: "",
            catalogue: "-",
            about: "",
            profiles: EVERYWHERE,
            before: &[],
            fails: &[],
            needs: &[],
            indifferent: &[],
            tested: SMALL,
            build,
        }
    }

    /// The race's kernel under `profile`, less `knocked_out`.
    pub fn kernel(&self, profile: &'static Profile, knocked_out: Steps) -> Kernel {
        Kernel::new(profile)
            .without(Steps::of(self.before))
            .without(knocked_out)
    }

    /// Its program.
    ///
    /// Where setting it up panics, it is one with a [flaw](Program::flaw): the other races are none the worse for it.
    pub fn program(&self, size: Size, profile: &'static Profile, knocked_out: Steps) -> Program {
        self.program_of(size, self.kernel(profile, knocked_out))
    }

    /// Its program, of a [kernel](Self::kernel) of it.
    pub fn program_of(&self, size: Size, kernel: Kernel) -> Program {
        isolated(|| (self.build)(size, kernel)).unwrap_or_else(|caught| {
            Program::flawed(format!("setting the scene panicked: {}", caught.words()))
        })
    }

    /// Whether it says of itself that it fails under `profile`.
    pub fn is_to_fail(&self, profile: &'static Profile) -> bool {
        self.fails.contains(&profile)
    }

    /// Whether it rests on `step` under `profile`.
    pub fn needs(&self, step: Step, profile: &'static Profile) -> bool {
        self.needs
            .iter()
            .any(|need| need.step == step && need.profiles.contains(&profile))
    }
}
