//! What an exploration says of a litmus test: herd's result block.
//!
//! An exploration that is [complete](Coverage::Complete) yields what herd prints. Any other yields what
//! was seen, says that there may be more, and makes no observation: a bad state that was not seen *yet*
//! must not look like one that cannot be.
//!
//! What was left out is counted and told: the executions that the test's `filter` leaves out, and those that are stuck. A
//! test of which nothing is left makes no observation either: if all its executions are stuck that is a deadlock.

use crate::ast::Quantifier;
use crate::eval::FAULT;
use crate::ir::{Asked, Code, address_of, location_at};
use crate::world::Slot;
use gupcheck_program::{Cut, Exploration, Outcome, Returned, Value, Verdict, Violation};
use gupcheck_sync::{LaneId, Layout, Op, Word};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// What herd calls a data race.
const DATA_RACE: &str = "data-race";

/// How often the condition's proposition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Observation {
    /// In no execution.
    Never,
    /// In some, not in others.
    Sometimes,
    /// In every execution.
    Always,
}

/// How much of the test was explored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "why", rename_all = "kebab-case")]
pub enum Coverage {
    /// All of it.
    Complete,
    /// Some of it: why the exploration ended early.
    Truncated(String),
    /// It ended at an execution that breaks a rule: a data race, a deadlock, a fault. Or it ended, and no execution
    /// is left that could say anything.
    Violation(String),
    /// Nothing: the engine cannot run the test.
    Unsupported(String),
}

/// The final value of a register or a location.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum Final {
    /// A number.
    Int(i64),
    /// The address of the location of this name.
    Address(&'static str),
}

impl fmt::Display for Final {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => write!(f, "{value}"),
            Self::Address(name) => f.write_str(name),
        }
    }
}

/// One distinct final state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct State {
    /// The values, registers before locations, as `0:r1` and `x` (which herd prints as `[x]`).
    pub values: Vec<(&'static str, Final)>,
    /// How many executions end in it.
    pub executions: u64,
    /// Whether the condition's proposition holds in it. (It looks at nothing else.)
    pub witness: bool,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, (name, value)) in self.values.iter().enumerate() {
            let separator = if nth == 0 { "" } else { " " };
            if name.contains(':') {
                write!(f, "{separator}{name}={value};")?;
            } else {
                write!(f, "{separator}[{name}]={value};")?;
            }
        }
        Ok(())
    }
}

/// Executions that cannot end, all for the same reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stuck {
    /// Who waits for what.
    pub waits: String,
    /// How many there are.
    pub executions: u64,
}

/// What an exploration says of a litmus test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The test's name.
    pub name: String,
    /// How its condition is quantified.
    pub quantifier: Quantifier,
    /// The condition, as text.
    pub condition: String,
    /// How much of it was explored.
    pub coverage: Coverage,
    /// The distinct final states seen, in order.
    pub states: Vec<State>,
    /// Executions whose end satisfies the proposition.
    pub positive: u64,
    /// Executions whose end does not.
    pub negative: u64,
    /// Executions that the test's `filter` leaves out.
    pub filtered: u64,
    /// Executions that cannot end, because somebody waits in vain for one who has ended; left out as well.
    pub stuck: Vec<Stuck>,
    /// What the kernel's model complains of in some execution, as herd calls it; nothing under other models.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<&'static str>,
    /// Whether the condition is satisfied; nothing, while what was not explored could still decide it.
    pub satisfied: Option<bool>,
    /// How often the proposition holds; nothing unless everything was explored.
    pub observation: Option<Observation>,
}

impl Report {
    /// The report on `exploration`, which explored a program of `code`.
    pub(crate) fn new(code: &Code, layout: &Layout, exploration: &Exploration) -> Self {
        let mut seen = Seen {
            order: shown_order(code),
            ..Seen::default()
        };
        for (outcome, &executions) in &exploration.outcomes {
            seen.add(code, outcome, executions);
        }
        let stuck = stuck(exploration, layout);
        let coverage = coverage(&exploration.verdict, layout);
        let flags = if exploration.races > 0 {
            vec![DATA_RACE]
        } else {
            Vec::new()
        };
        Self::of(code, seen, stuck, coverage, flags)
    }

    /// The report on the executions that the kernel's model allows.
    pub(crate) fn of_kernel(
        code: &Code,
        ends: KernelEnds,
        coverage: Coverage,
        flags: Vec<&'static str>,
    ) -> Self {
        let mut seen = Seen {
            order: shown_order(code),
            ..Seen::default()
        };
        for (words, executions) in ends {
            seen.add_words(code, &words, executions);
        }
        Self::of(code, seen, Vec::new(), coverage, flags)
    }

    fn of(
        code: &Code,
        seen: Seen,
        stuck: Vec<Stuck>,
        coverage: Coverage,
        flags: Vec<&'static str>,
    ) -> Self {
        let coverage = match coverage {
            Coverage::Complete => seen.nothing_left(&stuck).unwrap_or(Coverage::Complete),
            other => other,
        };
        let complete = coverage == Coverage::Complete;
        let (positive, negative) = (seen.positive, seen.negative);
        Self {
            name: code.name.clone(),
            quantifier: code.quantifier,
            condition: code.text.clone(),
            satisfied: satisfied(code.quantifier, positive, negative, complete),
            observation: complete.then(|| observation(positive, negative)),
            coverage,
            filtered: seen.filtered,
            stuck,
            flags,
            states: seen.states(code),
            positive,
            negative,
        }
    }
}

/// The executions that cannot end, by the reason.
fn stuck(exploration: &Exploration, layout: &Layout) -> Vec<Stuck> {
    let mut stuck: BTreeMap<String, u64> = BTreeMap::new();
    for (waiting, executions) in &exploration.stuck {
        let waits: Vec<String> = (waiting.iter())
            .map(|&(lane, op)| waits_for(lane, op, layout))
            .collect();
        *stuck.entry(waits.join(", ")).or_default() += executions;
    }
    let row = |(waits, executions)| Stuck { waits, executions };
    stuck.into_iter().map(row).collect()
}

fn waits_for(LaneId(cpu): LaneId, op: Op, layout: &Layout) -> String {
    let what = match (op.lock(), op.cell()) {
        (Some(lock), _) => layout.locks()[lock.index()].name.to_string(),
        (None, Some(cell)) => layout.decl(cell).name.to_string(),
        (None, None) => "a grace period".to_owned(),
    };
    format!("P{cpu} waits for {what}")
}

/// Of how many executions something is said.
fn counted(executions: u64) -> String {
    match executions {
        1 => "1 execution".to_owned(),
        _ => format!("{executions} executions"),
    }
}

/// How executions end under the kernel's model: the words of what is asked for, and how many end like that.
pub(crate) type KernelEnds = BTreeMap<Vec<i64>, u64>;

/// The account of all outcomes.
#[derive(Default)]
struct Seen {
    /// What is shown, by its place among what is asked for.
    order: Vec<usize>,
    /// By the values shown: executions, and whether the proposition holds.
    states: BTreeMap<Vec<Final>, (u64, bool)>,
    positive: u64,
    negative: u64,
    filtered: u64,
}

impl Seen {
    /// What there is to say if no execution is left that could say anything.
    fn nothing_left(&self, stuck: &[Stuck]) -> Option<Coverage> {
        if self.positive + self.negative > 0 {
            return None;
        }
        let waits = stuck.first().map_or("", |stuck| &stuck.waits);
        let all: u64 = stuck.iter().map(|stuck| stuck.executions).sum();
        Some(Coverage::Violation(match (self.filtered, all) {
            (0, 0) => "there is no execution".to_owned(),
            (0, _) => format!("deadlock in every execution: {waits}"),
            (_, 0) => "the filter leaves out every execution".to_owned(),
            (..) => "every execution is stuck, or the filter leaves it out".to_owned(),
        }))
    }

    fn add(&mut self, code: &Code, outcome: &Outcome, executions: u64) {
        if is_filtered(code, &outcome.returned, &outcome.observed) {
            self.filtered += executions;
            return;
        }
        let Some(words) = words(code, &outcome.returned, &outcome.observed) else {
            return; // it has a fault, which is the verdict
        };
        self.add_kept(code, &words, executions);
    }

    /// As [`add`](Self::add), of what was asked for.
    fn add_words(&mut self, code: &Code, words: &[i64], executions: u64) {
        match &code.filter {
            Some(filter) if !filter.holds(words) => self.filtered += executions,
            _ => self.add_kept(code, words, executions),
        }
    }

    fn add_kept(&mut self, code: &Code, words: &[i64], executions: u64) {
        let witness = code.condition.holds(words);
        if witness {
            self.positive += executions;
        } else {
            self.negative += executions;
        }
        let values = (self.order.iter()).map(|&index| shown_word(code, words[index]));
        let state = self.states.entry(values.collect()).or_insert((0, witness));
        state.0 += executions;
    }

    fn states(self, code: &Code) -> Vec<State> {
        let order = self.order;
        let state = |(values, (executions, witness)): (Vec<Final>, (u64, bool))| State {
            values: (order.iter().map(|&index| code.asked[index].1))
                .zip(values)
                .collect(),
            executions,
            witness,
        };
        self.states.into_iter().map(state).collect()
    }
}

/// What was asked for and is shown: registers by process and name, then locations by name.
fn shown_order(code: &Code) -> Vec<usize> {
    let mut order: Vec<usize> = (0..code.asked.len())
        .filter(|&index| code.asked[index].2)
        .collect();
    order.sort_by_key(|&index| {
        let (asked, name, _) = &code.asked[index];
        match asked {
            Asked::Register(process, _) => (*process, *name),
            Asked::Location(_) => (usize::MAX, *name),
        }
    });
    order
}

fn shown_word(code: &Code, word: i64) -> Final {
    match location_at(word).and_then(|location| code.locations.get(location)) {
        Some(location) => Final::Address(location.name),
        None => Final::Int(word),
    }
}

/// What must hold of each execution that the filter does not leave out.
pub(crate) const DEFINED: &str = "well-defined";

/// The fault by which a process ended, if it did.
pub(crate) fn fault(returned: &Returned) -> Option<&'static str> {
    match returned.words().last() {
        Some(&(FAULT, Value::Text(what))) => Some(what),
        _ => None,
    }
}

/// Whether the test's filter leaves out the execution that ends like this.
pub(crate) fn is_filtered(code: &Code, returned: &[Returned], observed: &[u64]) -> bool {
    let filter = code.filter.as_ref();
    filter.is_some_and(|filter| {
        words(code, returned, observed).is_some_and(|words| !filter.holds(&words))
    })
}

/// Whether the condition's proposition holds where an execution ends like this; `None` if a process did not come to its end.
pub(crate) fn holds(code: &Code, returned: &[Returned], observed: &[u64]) -> Option<bool> {
    words(code, returned, observed).map(|words| code.condition.holds(&words))
}

/// The words of everything that was asked for.
fn words(code: &Code, returned: &[Returned], observed: &[u64]) -> Option<Vec<i64>> {
    let mut observed = observed.iter();
    code.asked
        .iter()
        .map(|(asked, ..)| match *asked {
            Asked::Register(process, nth) => {
                let (_, value) = returned[process].words().get(nth)?;
                Some(match *value {
                    Value::Int(value) => value,
                    Value::Text(name) => {
                        let mut locations = code.locations.iter();
                        address_of(locations.position(|location| location.name == name)?)
                    }
                })
            }
            Asked::Location(_) => observed.next().map(|&word| Slot::from_word(word).0),
        })
        .collect()
}

fn satisfied(quantifier: Quantifier, positive: u64, negative: u64, complete: bool) -> Option<bool> {
    let (decided, otherwise) = match quantifier {
        Quantifier::Exists => ((positive > 0).then_some(true), false),
        Quantifier::NotExists => ((positive > 0).then_some(false), true),
        Quantifier::ForAll => ((negative > 0).then_some(false), true),
    };
    decided.or(complete.then_some(otherwise))
}

const fn observation(positive: u64, negative: u64) -> Observation {
    match (positive, negative) {
        (0, _) => Observation::Never,
        (_, 0) => Observation::Always,
        _ => Observation::Sometimes,
    }
}

fn coverage(verdict: &Verdict, layout: &Layout) -> Coverage {
    match verdict {
        Verdict::Complete => Coverage::Complete,
        Verdict::Truncated(cut) => Coverage::Truncated(match cut {
            Cut::States(states) => format!("after {states} states"),
            Cut::Executions(executions) => format!("after {executions} executions"),
            Cut::Time(time) => format!("after {} s", time.as_secs_f64()),
            Cut::Outcomes(outcomes) => format!("after {outcomes} distinct outcomes"),
            Cut::Memory(bytes) => format!("after {} MiB", bytes >> 20),
            Cut::PreemptionBound(bound) => format!("at {bound} preemptions"),
            Cut::Interrupted => "by whoever started it".to_owned(),
            Cut::Sampling => "by an engine that only samples".to_owned(),
        }),
        Verdict::Failed(counterexample) => {
            Coverage::Violation(violation(&counterexample.violation, layout))
        }
        Verdict::Unsupported(why) => Coverage::Unsupported(why.clone()),
    }
}

fn violation(violation: &Violation, layout: &Layout) -> String {
    match violation {
        // The one property that there is; see `program`.
        Violation::Property { text, .. } => {
            let why = text.strip_prefix(DEFINED).unwrap_or(text);
            format!("bug{why}")
        }
        Violation::Vacuous { text, .. } => format!("never {text}"),
        Violation::Fault(fault) => fault.describe(layout),
        Violation::DataRace { cell } => format!("data race on {}", layout.decl(*cell).name),
        Violation::Deadlock { .. } => "deadlock".to_owned(),
        Violation::Panic { message } => format!("panic: {message}"),
        Violation::Nondeterminism(_) => "not deterministic".to_owned(),
    }
}

impl Report {
    /// What herd calls the test, by the quantifier of its condition.
    fn kind(&self) -> &'static str {
        match self.quantifier {
            Quantifier::Exists => "Allowed",
            Quantifier::NotExists => "Forbidden",
            Quantifier::ForAll => "Required",
        }
    }

    /// Witnesses of the *condition*: under `~exists`, executions that do not satisfy the proposition.
    fn witnesses(&self) -> (u64, u64) {
        match self.quantifier {
            Quantifier::NotExists => (self.negative, self.positive),
            Quantifier::Exists | Quantifier::ForAll => (self.positive, self.negative),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let so_far = if self.observation.is_some() {
            ""
        } else {
            " so far"
        };
        writeln!(f, "Test {} {}", self.name, self.kind())?;
        writeln!(f, "States {}{so_far}", self.states.len())?;
        for state in &self.states {
            writeln!(f, "{state}")?;
        }
        writeln!(
            f,
            "{}",
            match self.satisfied {
                Some(true) => "Ok",
                Some(false) => "No",
                None => "Undecided",
            }
        )?;
        let (positive, negative) = self.witnesses();
        writeln!(f, "Witnesses{so_far}")?;
        writeln!(f, "Positive: {positive} Negative: {negative}")?;
        for flag in &self.flags {
            writeln!(f, "Flag {flag}")?;
        }
        writeln!(f, "Condition {}", self.condition)?;
        let why = match &self.coverage {
            Coverage::Complete => "not everything was explored".to_owned(),
            Coverage::Truncated(why) => format!("truncated {why}"),
            Coverage::Violation(what) => what.clone(),
            Coverage::Unsupported(why) => format!("unsupported: {why}"),
        };
        match self.observation {
            Some(observation) => writeln!(
                f,
                "Observation {} {observation:?} {} {}",
                self.name, self.positive, self.negative
            ),
            None => writeln!(f, "No observation of {}: {why}", self.name),
        }?;
        if self.filtered > 0 {
            let filtered = counted(self.filtered);
            writeln!(f, "Left out: {filtered}, by the filter")?;
        }
        for Stuck { waits, executions } in &self.stuck {
            let stuck = counted(*executions);
            writeln!(f, "Left out: {stuck}, in which {waits} in vain")?;
        }
        Ok(())
    }
}
