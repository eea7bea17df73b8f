//! `gupcheck` as scripts meet it, with `--json`.

pub(crate) mod races;

use std::process::Command;

use serde_json::Value;

/// What the command prints, an object a line.
pub(crate) fn gupcheck(arguments: &[&str]) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_gupcheck"))
        .args(arguments)
        .output()
        .expect("the command exists");
    assert_ne!(output.status.code(), Some(2), "{arguments:?} is refused");
    let text = String::from_utf8(output.stdout).expect("standard output is UTF-8");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a JSON object a line"))
        .collect()
}

/// A field that is a word.
pub(crate) fn word<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().expect("a string")
}
