//! The command, on a workspace with a ring and on one without.

use std::fs;
use std::path::Path;
use std::process::Command;

use expect_test::expect;

/// A workspace of the packages `one` and `two`; `b` is the text of a file of `one`.
fn workspace(b: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let manifest = |name: &str, rest: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{rest}")
    };
    let needs_one = "[dependencies]\none = { path = \"../one\" }\n";
    let files = [
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"one\", \"two\"]".to_owned(),
        ),
        ("one/Cargo.toml", manifest("one", "")),
        ("one/src/lib.rs", "pub mod a;\npub mod b;".to_owned()),
        (
            "one/src/a.rs",
            "use crate::b::B;\npub struct A(B);".to_owned(),
        ),
        ("one/src/b.rs", b.to_owned()),
        ("one/tests/left_out.rs", "no Rust at all".to_owned()),
        ("two/Cargo.toml", manifest("two", needs_one)),
        ("two/src/main.rs", "use one::a::A;\nfn main() {}".to_owned()),
    ];
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// What the command prints to both streams, and how it exits.
fn run(arguments: &[&str], folder: &Path) -> (String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_gupcheck-architecture"))
        .args(arguments)
        .arg(folder)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8(text).unwrap(), output.status.code())
}

#[test]
fn a_ring_is_shown_and_fails() {
    let folder = workspace("use crate::a::A;\npub struct B(Box<A>);");
    let (text, exit) = run(&[], folder.path());
    let expected = expect![[r"
        ring of 2 files in one:
          one/src/a.rs
          one/src/b.rs
        one/src/a.rs:1: imports B (defined in one/src/b.rs)
        one/src/b.rs:1: imports A (defined in one/src/a.rs)
    "]];
    expected.assert_eq(&text);
    assert_eq!(exit, Some(1));
}

#[test]
fn nothing_is_said_where_there_is_no_ring() {
    let folder = workspace("pub struct B;");
    assert_eq!(run(&[], folder.path()), (String::new(), Some(0)));
}

#[test]
fn what_cannot_be_read_is_no_success() {
    let folder = workspace("pub struct");
    let (text, exit) = run(&[], folder.path());
    assert!(text.contains("b.rs:1: "), "{text}");
    assert_eq!(exit, Some(2));
    let (_, exit) = run(&[], &folder.path().join("nowhere"));
    assert_eq!(exit, Some(2));
    let (_, exit) = run(&["--unknown"], folder.path());
    assert_eq!(exit, Some(2));
}

#[test]
fn packages_that_depend_on_each_other_are_a_ring() {
    let folder = workspace("pub struct B;");
    let manifest = folder.path().join("one/Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let needs = |kind: &str| format!("{text}[{kind}]\ntwo = {{ path = \"../two\" }}\n");
    fs::write(&manifest, needs("dev-dependencies")).unwrap();
    assert_eq!(run(&[], folder.path()), (String::new(), Some(0)));
    fs::write(&manifest, needs("dependencies")).unwrap();
    let (text, exit) = run(&[], folder.path());
    let expected = expect![[r"
        ring of 2 packages:
          one
          two
        one/Cargo.toml: depends on two
        two/Cargo.toml: depends on one
    "]];
    expected.assert_eq(&text);
    assert_eq!(exit, Some(1));
}

#[test]
fn the_graph_goes_from_the_bottom_up() {
    let folder = workspace("pub struct B;");
    let (text, exit) = run(&["--graph"], folder.path());
    let expected = expect![[r"
        packages, each below those that it depends on

        one
        two -> one

        one: files, each below those that it imports

        b.rs
        lib.rs

        a.rs -> b.rs

        two: files, each below those that it imports

        main.rs
    "]];
    expected.assert_eq(&text);
    assert_eq!(exit, Some(0));
    let ring = workspace("use crate::a::A;\npub struct B(Box<A>);");
    let (text, exit) = run(&["--graph"], ring.path());
    assert!(text.contains("\na ring: a.rs, b.rs\n"), "{text}");
    assert_eq!(exit, Some(0));
}
