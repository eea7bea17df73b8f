//! A violation that says more than the one that was found first.
//!
//! Every race asks whether what a caller got was mapped where it asked (I1). Where a step is missing that is often broken
//! in the first execution in which anything is, and what a race is about in others: the page is somebody else's, the table
//! was freed. Whoever reads a counterexample wants to see that.
//!
//! 1. In one execution the properties of a race are judged first, then those that every scene has, and I1 last
//!    ([`Scene::into_program`](crate::scene::Scene::into_program)). All that are broken are told.
//! 2. Where I1 alone was broken, the same program is searched once more, for a while, and not asked for I1. What is found then is told. The
//!    verdict, and what it took, are those of the first search.
//! 3. It is the same program: whoever replays what is told judges all of it.

use std::sync::Arc;

use gupcheck_program::{Counterexample, Exploration, Limits, Program, Verdict, Violation};

use crate::instance::Instance;

/// What the second search may cost.
pub const LIMITS: Limits = Limits {
    executions: Some(10_000),
    time: None,
    memory: None,
};

/// Looks for a violation in `program`, of this instance, that says more than what `exploration` found there. `explored` searches
/// within the [limits](LIMITS).
pub fn sharper(
    instance: &Instance<'_>,
    program: &Program,
    exploration: &Exploration,
    explored: impl FnOnce(&Arc<Program>) -> Exploration,
) -> Option<Exploration> {
    let Verdict::Failed(found) = &exploration.verdict else {
        return None;
    };
    let asked_by_all = program.witness_property()?;
    if !matches!(found.violation, Violation::Property { index, .. } if index == asked_by_all) {
        return None;
    }
    let mut others = instance.program();
    let text = &program.properties()[asked_by_all].text;
    others.forget(|property| property == text);
    let mut sharp = explored(&Arc::new(others));
    let (number, noun) = exploration.extent();
    sharp
        .remarks
        .splice(..0, exploration.remarks.iter().cloned());
    sharp.remarks.push(format!(
        "the first violation was another, after {number} {noun}{}: {}. This one breaks a rule that says more",
        if number == 1 { "" } else { "s" },
        found.violation.rule(program)
    ));
    let Verdict::Failed(more) = &mut sharp.verdict else {
        return None;
    };
    if !breaks_a_rule(&more.violation) {
        return None;
    }
    more.denial = denial(instance, program, more);
    Some(sharp)
}

/// Whether this is no defect of the race, and nothing that a longer search would show.
const fn breaks_a_rule(violation: &Violation) -> bool {
    match violation {
        Violation::Property { .. }
        | Violation::Fault(_)
        | Violation::DataRace { .. }
        | Violation::Deadlock { .. } => true,
        Violation::Panic { .. } | Violation::Nondeterminism(_) | Violation::Vacuous { .. } => false,
    }
}

/// What a CPU claims there that was not so: nobody was asked, and so it is run again.
fn denial(
    instance: &Instance<'_>,
    program: &Program,
    counterexample: &Counterexample,
) -> Option<Violation> {
    let token = instance.token(program, counterexample)?;
    let again = instance.replay(&token).ok()?;
    again.replayed.broken?.denial
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engines::by_name;
    use crate::prelude::*;
    use gupcheck_core::noise::Noise;
    use gupcheck_core::step::Steps;
    use gupcheck_program::{Model, Search, explore};

    /// A page that is being pinned is unmapped, and somebody else's soon where the flush interrupts nobody.
    const RACE: Race = Race {
        name: "family/race",
        ..Race::of(build)
    };

    fn build(size: Size, kernel: Kernel) -> Program {
        let mut boot = Boot::for_pages(kernel, size.cpus + 2, size.pages);
        let area = boot.anon_area(size.pages);
        let page = boot.populate(area)[0];
        let mut scene = Scene::new(boot);
        let gup = scene.pinners(size.cpus, area, Foll::WRITE);
        scene.cpu("madvise", dontneed(area));
        let other = scene.cpu("other", |cpu| {
            alloc_folio(cpu, 0, Owner::Other).map(|folio| folio.head().pfn)
        });
        scene.owns_what_it_returns(other);
        scene.always("what a caller got is nobody else's", move |end| {
            !end.any_got(&gup, page) || !end.got_page(other, page)
        });
        scene.into_program()
    }

    fn explored(instance: &Instance<'_>, program: &Arc<Program>) -> Exploration {
        explore(instance.engine, program, &Search::unlimited(instance.model))
    }

    /// What is found first without the recheck, and what says more than that.
    fn found(profile: &'static Profile) -> (Arc<Program>, Exploration, Option<Exploration>) {
        let instance = Instance {
            race: &RACE,
            profile,
            size: Size::SMALLEST,
            knocked_out: Steps::of(&[Step::PteRecheck]),
            noise: Noise::empty(),
            engine: by_name("graph").expect("there is one"),
            model: Model::Tso,
        };
        let program = Arc::new(instance.program());
        let first = explored(&instance, &program);
        let again = |program: &Arc<Program>| explored(&instance, program);
        let sharp = sharper(&instance, &program, &first, again);
        (program, first, sharp)
    }

    fn counterexample(exploration: &Exploration) -> &Counterexample {
        match &exploration.verdict {
            Verdict::Failed(found) => found,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_races_own_rule_says_more_than_that_the_page_was_not_mapped() {
        let (program, first, sharp) = found(&X86_PV);
        let first = counterexample(&first).violation.rule(&program);
        assert!(first.contains("(I1)"), "{first}");
        let sharp = sharp.expect("somebody else gets the page in some execution");
        let told = counterexample(&sharp);
        let rule = told.violation.rule(&program);
        assert_eq!(rule, "always what a caller got is nobody else's");
        let also = told.also_broken(&program);
        let last = also.last().expect("I1 at least");
        assert!(last.contains("(I1): cpu0 gup: page"), "{also:?}");
        let remark = sharp.remarks.last().expect("a remark");
        assert!(
            remark.contains("the first violation was another"),
            "{remark}"
        );
    }

    #[test]
    fn where_nothing_else_breaks_the_first_is_told() {
        let (program, first, sharp) = found(&X86_NATIVE);
        let first = counterexample(&first).violation.rule(&program);
        assert!(first.contains("(I1)") && sharp.is_none(), "{first}");
    }
}
