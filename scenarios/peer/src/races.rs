//! The models as races: the command line's sizes and knock-outs for the C programs' macros.
//!
//! A model has no profile; `weak` stands for "as the C program has it", and `--model` for the memory model.

use gupcheck_races::prelude::*;

use crate::{m1, m2, m3};

/// The models as races.
pub const RACES: &[Race] = &[M1, M2, M3, M3_DEPOSIT];

const M1: Race = Race {
    name: "peer/m1",
    catalogue: "R01",
    about: "Pin against zap, free and reuse, as GenMC was given it, event for event.",
    profiles: WEAKEST,
    needs: &[Need::of(Step::PteRecheck, WEAKEST)],
    ..Race::of(|size, kernel| {
        let variant = if kernel.does(Step::PteRecheck) {
            m1::Variant::Correct
        } else {
            m1::Variant::NoRecheck
        };
        sized(size, |callers, pages| m1::program(callers, pages, variant))
    })
};

const M2: Race = Race {
    name: "peer/m2",
    catalogue: "R03",
    about: "A read-only pin against giving up exclusivity, as GenMC was given it, event for event.",
    profiles: WEAKEST,
    needs: &[Need::of(Step::PeekBarrier, WEAKEST)],
    ..Race::of(|size, kernel| {
        let variant = m2::Variant {
            no_barrier: !kernel.does(Step::PeekBarrier),
            ..m2::Variant::default()
        };
        sized(size, |callers, pages| m2::program(callers, pages, variant))
    })
};

const M3: Race = Race {
    name: "peer/m3",
    catalogue: "R06a",
    about: "Pin against collapse that frees the table, as GenMC was given it, event for event.",
    profiles: WEAKEST,
    needs: &[Need::of(Step::CollapseSyncIpi, WEAKEST)],
    ..Race::of(|size, kernel| {
        let variant = if kernel.does(Step::CollapseSyncIpi) {
            m3::Variant::Ipi
        } else {
            m3::Variant::NoIpiFree
        };
        sized(size, |callers, pages| m3::program(callers, pages, variant))
    })
};

const M3_DEPOSIT: Race = Race {
    name: "peer/m3-deposit",
    catalogue: "R02",
    about: "Pin against collapse without an IPI, the table only deposited: m3.c with -DNOIPI_OK.",
    profiles: WEAKEST,
    before: &[Step::CollapseSyncIpi],
    needs: &[Need::of(Step::PmdRecheck, WEAKEST)],
    ..Race::of(|size, kernel| {
        let variant = if kernel.does(Step::PmdRecheck) {
            m3::Variant::NoIpi
        } else {
            m3::Variant::NoPmdRecheck
        };
        sized(size, |callers, pages| m3::program(callers, pages, variant))
    })
};

fn sized(size: Size, program: impl Fn(usize, usize) -> Program) -> Program {
    program(size.cpus as usize, size.pages as usize)
}
