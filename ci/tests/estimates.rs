//! Estimates of searches that are cut short, against how many executions there are: nine ranges out of ten hold.
//!
//! What the ranges are made of (`races/engines/graph/src/estimate.rs`) was chosen with the races on page tables that are
//! cleared (`pte-clear/*`) and random programs of other seeds than those here. These were not looked at for it.
//!
//! A miss that is known, and larger than what is tried here: `thp-split/head-moves` of two callers under `arm64`. Of that,
//! probes find 1 in 100 executions and look as if they had found all. It is the reason why an estimate leaves room for
//! 20 times what was seen.
//!
//! No clock is asked: a search is cut after so many executions.

use std::fmt::Write as _;
use std::sync::Arc;

use gupcheck_core::step::Steps;
use gupcheck_graph::selfcheck::generate::{Family, program};
use gupcheck_graph::selfcheck::listing::Listing;
use gupcheck_graph::{GraphEngine, estimate};
use gupcheck_program::{
    Engine, Limits, Model, Program, Reductions, Search, Stop, Unwatched, Verdict,
};
use gupcheck_races::engines::model_for;
use gupcheck_races::race::{Race, Size};

/// A program with fewer executions than the first number needs no estimate; one with more than the second is too much for
/// a test.
const FEW: u64 = 500;
const MANY: u64 = 6_000;
/// How many random programs are drawn of each family.
const DRAWN: u64 = 24;
/// Probes and the seed that they come from.
const PROBES: (u32, u64) = (1_024, 0x6775_7063);
/// Callers are twins.
const SYMMETRY: Reductions = Reductions {
    symmetry: true,
    ..Reductions::NONE
};
/// After how many in a hundred of its executions a search is cut.
const CUTS: [u64; 3] = [1, 10, 50];

struct Counted {
    name: String,
    program: Arc<Program>,
    model: Model,
    executions: u64,
}

/// A program, if it has as many executions as are asked for here.
fn counted(name: String, program: Program, model: Model) -> Option<Counted> {
    let program = Arc::new(program);
    let search = Search {
        model,
        limits: Limits {
            executions: Some(MANY),
            ..Limits::default()
        },
        stop: Stop::default(),
        watch: &Unwatched,
    };
    let engine = GraphEngine {
        reductions: SYMMETRY,
        ..GraphEngine::ONE_THREAD
    };
    let explored = engine.explore(&program, &search);
    let is_whole = matches!(explored.verdict, Verdict::Complete);
    (is_whole && explored.executions >= FEW).then(|| Counted {
        name,
        program,
        model,
        executions: explored.executions,
    })
}

/// Races that the ranges were not chosen with, under the first and the last profile of each: x86's, and a weak one.
fn races() -> impl Iterator<Item = Counted> {
    let crates = [
        &gupcheck_munmap::RACES[..1],
        gupcheck_fault::RACES,
        gupcheck_devmap::RACES,
        &gupcheck_thp_split::RACES[..3],
        gupcheck_thp_collapse::RACES,
        &gupcheck_pairs::RACES[..4],
        gupcheck_peer::RACES,
    ];
    let sizes = [1, 2].map(|cpus| Size { cpus, pages: 1 });
    let all = crates.into_iter().flatten();
    all.flat_map(move |race| sizes.map(|size| (race, size)))
        .flat_map(|(race, size): (&'static Race, Size)| {
            let ends = [race.profiles.first(), race.profiles.last()];
            ends.map(move |profile| (race, size, profile))
        })
        .filter_map(|(race, size, profile)| {
            let profile = *profile?;
            let program = race.program(size, profile, Steps::of(&[]));
            let model = model_for(&GraphEngine::ONE_THREAD, profile);
            let name = format!("{} {} {}", race.name, size.in_words(), profile.name);
            counted(name, program, model)
        })
}

/// Three random programs one after the other, on the CPUs of the first. No plain cells: most would be races.
fn drawn(family: Family, seed: u64) -> Listing {
    let mut all = program(family, seed);
    for part in 1..3 {
        let more = program(family, seed + part).cpus;
        for (cpu, lines) in all.cpus.iter_mut().zip(more) {
            cpu.extend(lines);
        }
    }
    for cpu in &mut all.cpus {
        cpu.retain(|line| {
            use gupcheck_sync::Op;
            !matches!(
                line.op,
                Op::Spawn(_) | Op::Join(_) | Op::Read { .. } | Op::Write { .. }
            )
        });
    }
    all
}

fn random() -> impl Iterator<Item = Counted> {
    let models = [Model::Sc, Model::Tso, Model::Rc11];
    let families = Family::ALL.into_iter();
    families
        .flat_map(|family| (0..DRAWN).map(move |nth| (family, nth)))
        .filter_map(move |(family, nth)| {
            // One model each: many programs have as many executions under all three.
            let (seed, model) = (9_000_000 + 7 * nth, models[nth as usize % models.len()]);
            let name = format!("{} {seed} {model}", family.name());
            counted(name, drawn(family, seed).to_program(), model)
        })
}

#[derive(Default)]
struct Account {
    told: usize,
    held: usize,
    narrow: usize,
    cuts: usize,
    table: String,
}

impl Account {
    /// Takes down how the estimate of a program fares, wherever its search is cut.
    #[allow(clippy::cast_precision_loss, reason = "small numbers")]
    fn enter(&mut self, of: &Counted) {
        let known = estimate(&of.program, of.model, SYMMETRY, PROBES).expect("known");
        let truth = of.executions as f64;
        writeln!(self.table, "{:<50} {:>7}  {known}", of.name, of.executions).expect("a string");
        for percent in CUTS {
            let estimate = known.beyond(of.executions * percent / 100);
            self.cuts += 1;
            if let Some(high) = estimate.high {
                self.told += 1;
                self.held += usize::from(estimate.low <= truth && truth <= high);
                let middle = (estimate.low * high).sqrt();
                self.narrow += usize::from(middle / 2.0 <= truth && truth <= middle * 2.0);
            }
            // That there are more than were seen holds anyway, so a bound below is worth nothing if it does not.
            assert!(
                estimate.high.is_some() || estimate.low < truth,
                "{}",
                of.name
            );
        }
    }

    #[allow(clippy::print_stdout, reason = "the table is for whoever asks for it")]
    fn holds(&self) {
        let Self {
            told,
            held,
            narrow,
            cuts,
            table,
        } = self;
        println!("{table}{narrow} and {held} of {told} ranges hold, of {cuts} searches cut");
        assert!(held * 10 >= told * 9, "{held} of {told}\n{table}");
        // Where nothing is said, nothing can be wrong.
        assert!(told * 10 >= cuts * 6, "{told} of {cuts}\n{table}");
        // And this can fail: of ranges that are as sure of themselves as a factor of two, too few would hold.
        assert!(narrow * 10 < told * 9, "{narrow} of {told}\n{table}");
    }
}

#[test]
fn ranges_of_races_hold() {
    let mut account = Account::default();
    races().for_each(|counted| account.enter(&counted));
    assert!(account.cuts >= 3 * 8, "{}", account.table);
    account.holds();
}

#[test]
fn ranges_of_random_programs_hold() {
    let mut account = Account::default();
    random().for_each(|counted| account.enter(&counted));
    assert!(account.cuts >= 3 * 15, "{}", account.table);
    account.holds();
}
