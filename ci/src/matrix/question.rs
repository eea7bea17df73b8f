//! What is asked: which races under which profiles and models, and which steps.

use std::num::NonZeroUsize;
use std::time::Duration;

use gupcheck_core::arch::Profile;
use gupcheck_core::step::{Step, Steps};
use gupcheck_program::{Limits, Model};
use gupcheck_races::engines::{all, by_name, default_at, model_for};
use gupcheck_races::instance::Instance;
use gupcheck_races::race::{Race, Size};

use super::shard::Shard;
use crate::args::MatrixArgs;
use crate::error::Error;
use crate::plan::{self, Job};

/// A cell's place in the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) group: usize,
    /// `None`: the control.
    pub(crate) step: Option<usize>,
}

/// Everything that is asked.
pub(crate) struct Question {
    /// The controls' jobs, a group each.
    controls: Vec<Job>,
    pub(crate) steps: Vec<Step>,
    shard: Shard,
    /// Whether what needs no search is searched as well.
    pub(crate) every_cell: bool,
}

impl Question {
    /// What the command line asks.
    pub(crate) fn of(args: &MatrixArgs, races: &[&'static Race]) -> Result<Self, Error> {
        let mut controls = Vec::new();
        for race in plan::of_the_kernel(races, args.pattern.as_deref())? {
            let profiles = match &args.profiles[..] {
                [] => race.profiles,
                asked => asked,
            };
            // Where a race is meant to fail as it stands, there is nothing to knock out.
            let hold = |profile: &&&'static Profile| !race.is_to_fail(profile);
            for &profile in distinct(profiles).iter().filter(hold) {
                for model in models(args, profile) {
                    controls.push(control(args, race, profile, model)?);
                }
            }
        }
        let steps = match &args.steps[..] {
            [] => Step::ALL,
            asked => asked,
        };
        let gone: Steps = args.knocked_out.iter().copied().collect();
        let mut steps = distinct(steps);
        steps.retain(|&step| !gone.contains(step));
        Ok(Self {
            controls,
            steps,
            shard: args.shard.unwrap_or(Shard::WHOLE),
            every_cell: args.every_cell,
        })
    }

    /// All groups.
    pub(crate) fn groups(&self) -> std::ops::Range<usize> {
        0..self.controls.len()
    }

    /// The steps whose cells in a group are to be known here, by their places.
    pub(crate) fn steps_of(&self, group: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.steps.len()).filter(move |&step| self.shard.has(group, step))
    }

    /// Whether a group is to be known here.
    pub(crate) fn has(&self, group: usize) -> bool {
        self.shard.has_control(group) || self.steps_of(group).next().is_some()
    }

    /// All places that are to be known here: group by group, the control first.
    pub(crate) fn places(&self) -> impl Iterator<Item = Place> + '_ {
        let groups = self.groups().filter(|&group| self.has(group));
        groups.flat_map(|group| {
            let steps = self.steps_of(group).map(Some);
            (std::iter::once(None).chain(steps)).map(move |step| Place { group, step })
        })
    }

    /// The step that is missing at a place.
    pub(crate) fn step(&self, place: Place) -> Option<Step> {
        place.step.map(|step| self.steps[step])
    }

    /// How a cell is searched.
    pub(crate) fn job(&self, place: Place) -> Job {
        let control = self.controls[place.group];
        let Some(step) = self.step(place) else {
            return control;
        };
        Job {
            instance: Instance {
                knocked_out: control.instance.knocked_out.with(step),
                ..control.instance
            },
            ..control
        }
    }
}

fn distinct<T: Copy + PartialEq>(all: &[T]) -> Vec<T> {
    let mut seen = Vec::new();
    for &one in all {
        if !seen.contains(&one) {
            seen.push(one);
        }
    }
    seen
}

/// The model of a profile's hardware.
pub(crate) fn promised(profile: &Profile) -> Model {
    model_for(all()[0], profile)
}

fn models(args: &MatrixArgs, profile: &Profile) -> Vec<Model> {
    match &args.models[..] {
        [] => vec![promised(profile)],
        asked => distinct(asked),
    }
}

fn control(
    args: &MatrixArgs,
    race: &'static Race,
    profile: &'static Profile,
    model: Model,
) -> Result<Job, Error> {
    let size = size(args, race);
    let engine = match &args.engine {
        Some(name) => by_name(name)?,
        None => default_at(plan::crowd(race, size, &args.noise), model, false),
    };
    // An engine with a model of its own is asked for by its name.
    let model = if args.models.is_empty() {
        model_for(engine, profile)
    } else {
        model
    };
    if !engine.models().contains(&model) {
        return Err(plan::foreign(engine, model));
    }
    // Of what is seen in part the same part is seen as by the race's tests, which leave nothing out.
    let part = plan::in_part(engine, race, size).filter(|_| args.max_executions.is_none());
    let reduce = if part.is_some() {
        &[]
    } else {
        &args.reduce[..]
    };
    Ok(Job {
        instance: Instance {
            race,
            profile,
            size,
            knocked_out: args.knocked_out.iter().copied().collect(),
            noise: args.noise.iter().copied().collect(),
            engine,
            model,
        },
        tuning: plan::tuning(engine, NonZeroUsize::MIN, reduce),
        limits: Limits {
            executions: args.max_executions.or(part),
            time: Some(args.max_seconds).filter(|&time| time > Duration::ZERO),
            memory: Some(args.max_memory << 20),
        },
    })
}

/// As asked; else that of the smallest instance that the race's tests explore to the end.
fn size(args: &MatrixArgs, race: &Race) -> Size {
    let whole = race.tested.iter().filter(|tested| tested.whole);
    let smallest = whole
        .map(|tested| tested.size)
        .min_by_key(|size| (size.cpus * size.pages, size.cpus));
    let smallest = smallest.unwrap_or(Size::SMALLEST);
    Size {
        cpus: args.cpus.unwrap_or(smallest.cpus),
        pages: args.pages.unwrap_or(smallest.pages),
    }
}
