//! All tests of the command, in one binary: a module is a file beside this one. So what they share is linked once, and a
//! long test keeps nobody from a short one of another file.

mod bench;
mod catalogue;
mod cli;
mod endings;
mod engines_agree;
mod estimates;
mod executions;
mod invariants;
mod lengths;
mod litmus;
mod matrix;
mod missing;
mod needs;
mod noise;
mod orderings;
mod pages;
mod parity;
mod replay;
mod schedules;
mod sizes;
mod states;
mod steps;
mod support;
mod symmetry;
mod texts;

#[test]
fn every_file_is_a_module() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
    let files = std::fs::read_dir(folder).expect("a folder");
    let names = files.map(|file| {
        file.expect("a file")
            .file_name()
            .into_string()
            .expect("UTF-8")
    });
    for name in names.filter_map(|name| name.strip_suffix(".rs").map(str::to_owned)) {
        let is_told = include_str!("all.rs")
            .lines()
            .any(|line| line == format!("mod {name};"));
        assert!(is_told || name == "all", "{name} is no module of all.rs");
    }
}
