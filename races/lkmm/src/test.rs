//! What is judged: code for some CPUs.

use crate::thread::Thread;

/// How a CPU ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// What is asked of it.
    pub returned: Vec<i64>,
    /// What it did that has no meaning, if it did.
    pub fault: Option<&'static str>,
}

/// A program: the code of some CPUs, over some locations.
pub trait Test {
    /// How many CPUs there are.
    fn cpus(&self) -> usize;
    /// The value of each location at first.
    fn initial(&self) -> &[i64];
    /// Constants that the code may store, and where. What is left out here is found all the same, but for a value that could only
    /// come about because it is there already.
    fn stored(&self) -> Vec<(usize, i64)>;
    /// Runs the code of a CPU: a function of what its reads answer, and of nothing else.
    fn run(&self, cpu: usize, thread: &mut Thread<'_>) -> Ended;
}
