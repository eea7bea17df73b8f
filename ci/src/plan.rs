//! What is run: each race that is meant, under each profile.

use std::num::NonZeroUsize;
use std::time::Duration;

use gupcheck_core::arch::{Memory, Profile};
use gupcheck_core::noise::Noise;
use gupcheck_program::{Engine, Limits, Model, Reductions, Tuning};
use gupcheck_races::engines::{all, by_name, default_at, model_for};
use gupcheck_races::instance::Instance;
use gupcheck_races::race::{Race, Size};

use crate::args::RunArgs;
use crate::error::Error;
use crate::pattern;

/// What a race may take under a profile where nobody says: with some forty of them, the whole default
/// run stays below a quarter of an hour even if not one finishes.
const DEFAULT_SECONDS: u64 = 20;

/// One race under one profile.
#[derive(Clone, Copy)]
pub(crate) struct Job {
    pub(crate) instance: Instance<'static>,
    pub(crate) tuning: Tuning,
    pub(crate) limits: Limits,
}

impl Job {
    /// What a reader of the verdict should know beside it.
    pub(crate) fn caveats(&self) -> Vec<String> {
        let Instance {
            race,
            profile,
            knocked_out,
            model,
            ..
        } = self.instance;
        let mut caveats = Vec::new();
        if !race.profiles.contains(&profile) {
            caveats.push(format!("the race does not name the profile {profile}"));
        }
        for step in knocked_out.iter() {
            if race.before.contains(&step) {
                caveats.push(format!("the kernel of this race never had {step}"));
            } else if !race.needs(step, profile) && !race.indifferent.contains(&step) {
                caveats.push(format!("the race claims nothing of {step} under {profile}"));
            }
        }
        let rests_on = |step| race.needs(step, profile);
        if self.is_stronger_than_hardware() && knocked_out.iter().any(rests_on) {
            caveats.push(format!(
                "{model} reorders less than {profile} does: a step that only keeps order is not missed here"
            ));
        }
        caveats
    }

    /// Whether the memory model forbids what the profile's hardware may do.
    fn is_stronger_than_hardware(&self) -> bool {
        let Instance { profile, model, .. } = self.instance;
        match profile.memory {
            Memory::Tso => model == Model::Sc,
            Memory::Weak => matches!(model, Model::Sc | Model::Tso),
        }
    }
}

/// The races that `pattern` means.
pub(crate) fn select(
    races: &[&'static Race],
    pattern: Option<&str>,
) -> Result<Vec<&'static Race>, Error> {
    let Some(text) = pattern else {
        return Ok(races.to_vec());
    };
    let meant = pattern::meant(text, races);
    if meant.is_empty() {
        let known = races.iter().flat_map(|race| [race.name, race.catalogue]);
        return Err(Error::NoSuchRace {
            pattern: text.to_owned(),
            near: pattern::near_misses(text, known),
        });
    }
    Ok(meant)
}

/// The races that are meant: without a pattern those of the kernel's model, and not the small ones that other checkers have
/// as well.
pub(crate) fn of_the_kernel(
    races: &[&'static Race],
    pattern: Option<&str>,
) -> Result<Vec<&'static Race>, Error> {
    let mut meant = select(races, pattern)?;
    if pattern.is_none() {
        meant.retain(|race| !race.name.starts_with("peer/"));
    }
    Ok(meant)
}

/// The jobs that the command line asks for, race by race.
pub(crate) fn plan(args: &RunArgs, races: &[&'static Race]) -> Result<Vec<Job>, Error> {
    let engine = args.engine.as_deref().map(by_name).transpose()?;
    let tuning = Tuning {
        reductions: Reductions::all_of(&args.reduce),
        jobs: args.jobs,
    };
    let mut jobs = Vec::new();
    let mut meant = select(races, args.pattern.as_deref())?;
    meant.retain(|race| !is_left_out(args, race));
    for race in meant {
        let mut profiles = Vec::new();
        let asked = match &args.profiles[..] {
            [] => race.profiles,
            asked => asked,
        };
        for &profile in asked {
            if !profiles.contains(&profile) {
                profiles.push(profile);
            }
        }
        for profile in profiles {
            let (engine, model) = choose(args, race, engine, profile)?;
            if tuning != Tuning::default() && engine.tuned(tuning).is_none() {
                let reductions = Reductions::NONE;
                let has_jobs = engine
                    .tuned(Tuning {
                        reductions,
                        ..tuning
                    })
                    .is_some();
                let engine = engine.name();
                return Err(if has_jobs {
                    Error::NotReducible { engine }
                } else {
                    Error::NotTunable { engine }
                });
            }
            jobs.push(Job {
                instance: Instance {
                    race,
                    profile,
                    size: size(args),
                    knocked_out: args.knocked_out.iter().copied().collect(),
                    noise: args.noise.iter().copied().collect(),
                    engine,
                    model,
                },
                tuning,
                limits: Limits {
                    memory: Some(args.max_memory << 20),
                    ..limits(args.max_executions, args.max_seconds)
                },
            });
        }
    }
    Ok(jobs)
}

/// Whether a race that is broken in the kernel as it is (`Race::fails`) is not run, because nobody asked for it by name.
pub(crate) const fn is_left_out(args: &RunArgs, race: &Race) -> bool {
    args.pattern.is_none() && !race.fails.is_empty()
}

const fn size(args: &RunArgs) -> Size {
    Size {
        cpus: args.cpus,
        pages: args.pages,
    }
}

/// How large an instance is for an engine: who runs in the background makes it as large as another caller does; and of some races
/// the smallest is none that is explored in a moment.
pub(crate) fn crowd(race: &Race, size: Size, noise: &[Noise]) -> Size {
    if !race.is_small() {
        return Size::LARGEST;
    }
    Size {
        cpus: size.cpus + noise.len() as u32,
        ..size
    }
}

fn choose(
    args: &RunArgs,
    race: &Race,
    engine: Option<&'static dyn Engine>,
    profile: &Profile,
) -> Result<(&'static dyn Engine, Model), Error> {
    let promised = model_for(all()[0], profile);
    let counts = args.outcomes || args.max_executions.is_some() || !args.reduce.is_empty();
    let crowd = crowd(race, size(args), &args.noise);
    let engine =
        engine.unwrap_or_else(|| default_at(crowd, args.model.unwrap_or(promised), counts));
    let model = model_for(engine, profile);
    match args.model {
        None => Ok((engine, model)),
        Some(model) if engine.models().contains(&model) => Ok((engine, model)),
        Some(model) => Err(foreign(engine, model)),
    }
}

/// How many executions an engine is asked to see where nobody says: as many as the race's tests do, of a size that has more
/// than anybody waits for. States are few enough for all of them.
pub(crate) fn in_part(engine: &dyn Engine, race: &Race, size: Size) -> Option<u64> {
    let keeps_states = engine.name() == "states";
    race.seen_in_part(size).filter(|_| !keeps_states)
}

/// What is asked for, as far as an engine can do it: states know no reductions.
pub(crate) fn tuning(engine: &dyn Engine, jobs: NonZeroUsize, reduce: &[Reductions]) -> Tuning {
    let reduced = Tuning {
        jobs,
        reductions: Reductions::all_of(reduce),
    };
    let plain = Tuning {
        reductions: Reductions::NONE,
        ..reduced
    };
    engine.tuned(reduced).map_or(plain, |_| reduced)
}

/// A model that an engine does not know.
pub(crate) fn foreign(engine: &dyn Engine, model: Model) -> Error {
    let known: Vec<_> = engine.models().iter().map(|known| known.name()).collect();
    Error::ForeignModel {
        engine: engine.name(),
        model,
        known: known.join(", "),
    }
}

/// The limits that `--max-executions` and `--max-seconds` ask for, or the default ones.
pub(crate) fn limits(executions: Option<u64>, seconds: Option<Duration>) -> Limits {
    let default = Duration::from_secs(DEFAULT_SECONDS);
    let time = match (seconds, executions) {
        (Some(Duration::ZERO), _) | (None, Some(_)) => None,
        (Some(time), _) => Some(time),
        (None, None) => Some(default),
    };
    Limits {
        executions,
        time,
        memory: None,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Args, Command};
    use crate::catalogue::all_races;

    fn meant(asked: &[&str]) -> Vec<&'static str> {
        let args = Args::parse_from([&["gupcheck", "run"], asked].concat());
        let Command::Run(args) = args.command else {
            panic!("{asked:?} is a run");
        };
        let jobs = plan(&args, &all_races()).expect("there are such races");
        jobs.iter().map(|job| job.instance.race.name).collect()
    }

    #[test]
    fn what_fails_in_the_kernel_as_it_is_is_run_by_name_alone() {
        let all = meant(&[]);
        assert!(all.contains(&"files/unpin-writeback"));
        assert!(!all.contains(&"files/copy-writeback"));
        assert!(meant(&["files"]).contains(&"files/copy-writeback"));
    }
}
