//! Every model, with its broken variants as knock-outs, as tests.

fn main() {
    gupcheck_races::harness::main(gupcheck_peer::RACES);
}
