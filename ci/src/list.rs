//! `gupcheck list`: what there is.

use gupcheck_core::arch::Profile;
use gupcheck_core::step::{Standing, Step};
use gupcheck_program::Engine;
use gupcheck_races::engines::{about, all};
use gupcheck_races::race::Race;
use gupcheck_trace::{Line, Role, Text};
use serde::Serialize;

use crate::args::ListArgs;
use crate::error::Error;
use crate::exit::Exit;
use crate::output::Output;
use crate::pattern;
use crate::plan;
use crate::record::{
    EngineRecord, ProfileRecord, RaceRecord, StepRecord, carried_by, needed_under, standing,
};

/// Shows what `args` asks for.
pub(crate) fn list(
    args: &ListArgs,
    races: &[&'static Race],
    output: &mut Output,
) -> Result<Exit, Error> {
    if args.steps {
        each(
            args,
            output,
            steps(args.pattern.as_deref())?.into_iter(),
            |step| StepRecord::of(step, races),
            |text, step, width| self::step(text, step, races, width),
        )?;
    } else if args.profiles {
        each(
            args,
            output,
            Profile::ALL.into_iter(),
            ProfileRecord::of,
            profile,
        )?;
    } else if args.engines {
        let engines = all().iter().copied();
        each(args, output, engines, EngineRecord::of, engine)?;
    } else {
        let races = plan::select(races, args.pattern.as_deref())?;
        each(args, output, races.into_iter(), RaceRecord::of, race)?;
    }
    Ok(Exit::Holds)
}

/// The steps that a pattern means; all without one.
fn steps(pattern: Option<&str>) -> Result<Vec<Step>, Error> {
    let Some(pattern) = pattern else {
        return Ok(Step::ALL.to_vec());
    };
    let meant = pattern::meant_steps(pattern);
    if meant.is_empty() {
        let known = Step::ALL.iter().map(|step| step.name());
        return Err(Error::NoSuchStep {
            near: pattern::near_misses(pattern, known),
            pattern: pattern.to_owned(),
        });
    }
    Ok(meant)
}

fn each<T: Copy, R: Serialize>(
    args: &ListArgs,
    output: &mut Output,
    items: impl Iterator<Item = T>,
    record: impl Fn(T) -> R,
    describe: impl Fn(&mut Text, T, usize),
) -> Result<(), Error> {
    for item in items {
        if args.json {
            let json = serde_json::to_string(&record(item)).map_err(std::io::Error::from)?;
            output.plain(&json)?;
        } else {
            let mut text = Text::new();
            describe(&mut text, item, output.width());
            output.text(&text)?;
        }
    }
    Ok(())
}

fn entry(text: &mut Text, label: &str, words: &str, width: usize) {
    if !words.is_empty() {
        let line = Line::of(Role::Dim, format!("    {label:<9} ")).and(Role::Plain, words);
        text.wrapped(line, width, 10);
    }
}

fn race(text: &mut Text, race: &'static Race, width: usize) {
    let names = |profiles: &[&'static Profile]| {
        let names: Vec<_> = profiles.iter().map(|profile| profile.name).collect();
        names.join(", ")
    };
    let under = |profiles: &[&'static Profile]| match profiles {
        [] => String::new(),
        _ => format!("as it stands, under {}", names(profiles)),
    };
    let steps = |steps: &[Step]| {
        let names: Vec<_> = steps.iter().map(|step| step.name()).collect();
        names.join(", ")
    };
    text.line(Line::of(Role::Heading, race.name).and(Role::Dim, format!("  {}", race.catalogue)));
    text.wrapped(
        Line::of(Role::Plain, format!("    {}", race.about)),
        width,
        0,
    );
    entry(text, "profiles", &names(race.profiles), width);
    entry(text, "fails", &under(race.fails), width);
    for need in race.needs.iter().filter(|need| !need.profiles.is_empty()) {
        let words = format!("{} under {}", need.step, names(need.profiles));
        entry(text, "needs", &words, width);
    }
    entry(text, "never had", &steps(race.before), width);
    entry(text, "controls", &steps(race.indifferent), width);
    text.gap();
}

fn step(text: &mut Text, step: Step, races: &[&'static Race], width: usize) {
    let line = Line::of(Role::Heading, step.name()).and(Role::Dim, format!("  {}", step.id()));
    text.line(line);
    text.wrapped(
        Line::of(Role::Plain, format!("    {}", step.does())),
        width,
        0,
    );
    entry(text, "pairs", &format!("with {}", step.pairs_with()), width);
    entry(text, "source", step.source(), width);
    match standing(step, races) {
        Standing::Carried => {
            let (by, under) = (carried_by(step, races), needed_under(step, races));
            entry(
                text,
                "needed",
                &format!("under {}", under.join(", ")),
                width,
            );
            entry(text, "carried", &format!("by {}", by.join(", ")), width);
        }
        Standing::Control => entry(text, "control", "it must not matter", width),
        Standing::NotYet(why) => {
            entry(
                text,
                "not yet",
                &format!("carried; comes with {why}"),
                width,
            );
        }
        Standing::Redundant(why) => entry(text, "redundant", why, width),
    }
    text.gap();
}

fn profile(text: &mut Text, profile: &'static Profile, width: usize) {
    let line = Line::of(Role::Heading, format!("{:<12}", profile.name));
    text.wrapped(line.and(Role::Plain, profile.about), width, 12);
}

fn engine(text: &mut Text, engine: &'static dyn Engine, width: usize) {
    let models: Vec<_> = engine.models().iter().map(|model| model.name()).collect();
    let line = Line::of(Role::Heading, format!("{:<12}", engine.name()));
    text.wrapped(line.and(Role::Plain, models.join(", ")), width, 12);
    text.wrapped(
        Line::of(Role::Dim, format!("    {}", about(engine))),
        width,
        4,
    );
}
