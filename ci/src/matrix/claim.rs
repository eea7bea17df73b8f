//! What a race says of a cell.

use gupcheck_core::step::Step;
use gupcheck_program::Model;

use super::question::promised;
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
    let (asked, promised) = (instance.model, promised(instance.profile));
    if instance.race.needs(step, instance.profile) {
        keeps(promised, asked).then_some(true)
    } else {
        keeps(asked, promised).then_some(false)
    }
}

/// Whether a model keeps all the order that another one does. RC11 and LKMM each keep what the other does not.
fn keeps(model: Model, other: Model) -> bool {
    let below: &[Model] = match model {
        Model::Sc => &[Model::Tso, Model::Rc11, Model::Lkmm],
        Model::Tso => &[Model::Rc11, Model::Lkmm],
        _ => &[],
    };
    model == other || below.contains(&other)
}
