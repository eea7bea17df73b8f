//! A token, looked up in what there is today.

use gupcheck_core::noise::Noise;
use gupcheck_replay::Token;

use crate::engines::{UnknownEngine, by_name};
use crate::instance::Instance;
use crate::race::{Race, Size};

/// A name in a token that stands for nothing here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotHere {
    /// A race, profile, step, background actor or model.
    #[error("the token is of the {what} {name:?}, and there is none of that name")]
    Name {
        /// Which of these.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A size that no race can have.
    #[error(
        "the token is of {} callers x {} pages, and there are 1x1 to {}x{}",
        .0.cpus, .0.pages, Size::LARGEST.cpus, Size::LARGEST.pages
    )]
    Size(Size),
    /// An engine.
    #[error(transparent)]
    Engine(#[from] UnknownEngine),
}

/// Looks a token's names up.
///
/// # Errors
/// The first that stands for nothing here.
pub fn resolve<'r>(token: &Token, races: &[&'r Race]) -> Result<Instance<'r>, NotHere> {
    let named = &token.named;
    let unknown = |what, name: &str| NotHere::Name {
        what,
        name: name.to_owned(),
    };
    let size = Size {
        cpus: named.cpus,
        pages: named.pages,
    };
    if !size.is_possible() {
        return Err(NotHere::Size(size));
    }
    let engine = by_name(&named.engine)?;
    let models = engine.models();
    let model = match &named.model {
        None => models.first(),
        Some(name) => models.iter().find(|model| model.name() == name),
    };
    let mut noise = Noise::empty();
    for name in &named.noise {
        let one: Noise = name.parse().map_err(|_| unknown("noise", name))?;
        noise |= one;
    }
    let step = |name: &String| name.parse().map_err(|_| unknown("step", name));
    Ok(Instance {
        race: (races.iter().find(|race| race.name == named.race))
            .ok_or_else(|| unknown("race", &named.race))?,
        profile: (named.profile.parse()).map_err(|_| unknown("profile", &named.profile))?,
        size,
        knocked_out: (named.knocked_out.iter().map(step)).collect::<Result<_, _>>()?,
        noise,
        engine,
        model: *model
            .ok_or_else(|| unknown("memory model", named.model.as_deref().unwrap_or_default()))?,
    })
}
