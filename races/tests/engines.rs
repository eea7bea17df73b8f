//! The list of engines.

use gupcheck_program::Model;
use gupcheck_races::engines::{all, by_name};

#[test]
fn engines_are_known_by_name() {
    for engine in all() {
        let found = by_name(engine.name()).expect("it is in the list");
        assert_eq!(found.name(), engine.name());
    }
    let native = by_name("native").expect("it is in the list");
    assert_eq!(native.models(), [Model::Machine]);
    let error = by_name("ice").err().expect("there is none");
    assert_eq!(
        error.to_string(),
        "unknown engine \"ice\" (known: graph, states, loom, shuttle, shuttle-pct, shuttle-urw, shuttle-dfs, native)"
    );
}
