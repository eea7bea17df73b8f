//! What a race says of a cell.

use gupcheck_core::arch::{Memory, Profile};
use gupcheck_core::step::Step;
use gupcheck_program::Model;

use crate::plan::Job;

/// Whether a race declares that it fails in the cell of a step, or that it holds there. It says nothing if more steps are
/// missing, or under a profile that it does not name. A model that reorders less than the hardware need not show what
/// is needed; one that reorders more may show what is not.
pub(crate) fn declared(job: &Job, step: Step) -> Option<bool> {
    let instance = &job.instance;
    let is_alone = instance.knocked_out.iter().all(|gone| gone == step);
    if !is_alone || !instance.race.profiles.contains(&instance.profile) {
        return None;
    }
    let (asked, promised) = (strength(instance.model)?, strength_of(instance.profile));
    if instance.race.needs(step, instance.profile) {
        (asked <= promised).then_some(true)
    } else {
        (asked >= promised).then_some(false)
    }
}

/// How much order a model keeps; `None` of one that is not comparable.
const fn strength(model: Model) -> Option<u32> {
    match model {
        Model::Sc => Some(2),
        Model::Tso => Some(1),
        Model::Rc11 => Some(0),
        _ => None,
    }
}

const fn strength_of(profile: &Profile) -> u32 {
    match profile.memory {
        Memory::Tso => 1,
        Memory::Weak => 0,
    }
}
