//! How much each caller more costs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::cell::Cell;

/// For each profile and engine, how many times more states or executions there are with one caller more: the logarithms
/// of that, of all races that were explored with both numbers of callers and with one page.
#[derive(Debug, Default)]
pub(crate) struct Growth {
    steps: BTreeMap<(&'static str, &'static str, u32), Vec<f64>>,
}

impl Growth {
    /// Takes one race's sizes in.
    #[allow(clippy::cast_precision_loss, reason = "a factor needs no last digit")]
    pub(crate) fn add(&mut self, row: &[Cell]) {
        let whole = |cpus: u32| {
            row.iter()
                .find(|cell| cell.whole && cell.pages == 1 && cell.cpus == cpus)
        };
        for cpus in 2.. {
            let (Some(fewer), Some(more)) = (whole(cpus - 1), whole(cpus)) else {
                return;
            };
            let factor = more.count().max(1) as f64 / fewer.count().max(1) as f64;
            let key = (more.profile, more.engine, cpus);
            self.steps.entry(key).or_default().push(factor.ln());
        }
    }

    /// The geometric means, as a table.
    #[allow(clippy::cast_precision_loss, reason = "there are some dozens of races")]
    pub(crate) fn markdown(&self) -> String {
        let mut text = "\n| profile | engine | callers | races | times as many, mean | at most |\n\
                        | --- | --- | --- | --- | --- | --- |"
            .to_owned();
        for ((profile, engine, cpus), factors) in &self.steps {
            let mean = (factors.iter().sum::<f64>() / factors.len() as f64).exp();
            let most = factors.iter().copied().fold(f64::MIN, f64::max).exp();
            let _ = write!(
                text,
                "\n| {profile} | {engine} | {} to {cpus} | {} | {mean:.1} | {most:.1} |",
                cpus - 1,
                factors.len()
            );
        }
        text
    }
}
