//! Every race of the family, with its knock-outs, as tests.

fn main() {
    gupcheck_races::harness::main(gupcheck_files::RACES);
}
