//! Who imports whom, in small trees of files.

use std::fs;
use std::path::Path;

use expect_test::{Expect, expect};
use gupcheck_architecture::error::Error;
use gupcheck_architecture::imports::imports;
use gupcheck_architecture::text::rings_of_files;
use gupcheck_architecture::tree::Tree;
use gupcheck_architecture::workspace::Target;

/// Files by name, each with its text.
type Files<'a> = &'a [(&'a str, &'a str)];

/// Plants files in a folder of their own; `lib.rs` starts the library `own`, and `main.rs` a command.
fn read<T>(files: Files<'_>, then: impl FnOnce(Result<Tree, Error>, &Path) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let mut targets = Vec::new();
    for (name, text) in files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        if ["lib.rs", "main.rs"].contains(name) {
            targets.push(Target {
                name: "own".to_owned(),
                source: path,
                is_library: *name == "lib.rs",
            });
        }
    }
    then(Tree::read(&targets), &root)
}

/// All imports, a line each.
fn imported(files: Files<'_>, expected: &Expect) {
    let told = read(files, |tree, root| {
        let tree = tree.unwrap();
        let name = |file: usize| tree.files[file].strip_prefix(root).unwrap().display();
        let told = imports(&tree).into_iter().map(|import| {
            let (from, to) = (name(import.from), name(import.to));
            format!("{from}:{} {} of {to}\n", import.line, import.item)
        });
        told.collect::<Vec<_>>().concat()
    });
    expected.assert_eq(&told);
}

fn rings(files: Files<'_>) -> Vec<String> {
    read(files, |tree, root| {
        let tree = tree.unwrap();
        rings_of_files("own", &tree, &imports(&tree), root)
    })
}

const NONE: [&str; 0] = [];

#[test]
fn two_files_that_import_each_other_are_a_ring() {
    let told = rings(&[
        ("lib.rs", "mod a;\nmod b;\nmod c;"),
        ("a.rs", "use crate::b::B;\npub struct A(B);"),
        ("b.rs", "\nuse super::a::A;\npub struct B(A);"),
        ("c.rs", "use crate::{a::A, b::B};"),
    ]);
    let expected = expect![[r"
        ring of 2 files in own:
          a.rs
          b.rs
        a.rs:1: imports B (defined in b.rs)
        b.rs:2: imports A (defined in a.rs)
    "]];
    expected.assert_eq(&told.concat());
}

#[test]
fn three_files_can_be_a_ring() {
    let told = rings(&[
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "pub fn a() { crate::b::b() }"),
        ("b.rs", "pub fn b() { crate::c::c() }"),
        ("c.rs", "pub fn c() { crate::a::a() }"),
    ]);
    let expected = expect![[r"
        ring of 3 files in own:
          a.rs
          b.rs
          c.rs
        a.rs:1: imports b (defined in b.rs)
        b.rs:1: imports c (defined in c.rs)
        c.rs:1: imports a (defined in a.rs)
    "]];
    expected.assert_eq(&told.concat());
}

#[test]
fn a_parent_and_its_child_can_be_a_ring() {
    let child = ("a/b.rs", "use super::A;\npub struct B(A);");
    let root = ("lib.rs", "mod a;");
    let told = rings(&[
        root,
        ("a.rs", "mod b;\npub use b::B;\npub struct A;"),
        child,
    ]);
    let expected = expect![[r"
        ring of 2 files in own:
          a/b.rs
          a.rs
        a/b.rs:1: imports A (defined in a.rs)
        a.rs:2: imports B (defined in a/b.rs)
    "]];
    expected.assert_eq(&told.concat());
    let told = rings(&[root, ("a.rs", "mod b;\npub struct A;"), child]);
    assert_eq!(told, NONE);
}

#[test]
fn an_index_is_transparent() {
    let files: Files<'_> = &[
        ("lib.rs", "mod a; mod d;"),
        (
            "a/mod.rs",
            "mod b;\nmod c;\npub(crate) use b::*;\npub use self::c::C as D;",
        ),
        ("a/b.rs", "pub struct B;"),
        ("a/c.rs", "use super::B;\npub struct C(B);"),
        ("d.rs", "use crate::a::{B, D};"),
    ];
    imported(
        files,
        &expect![[r"
            a/c.rs:1 B of a/b.rs
            a/mod.rs:3 B of a/b.rs
            a/mod.rs:4 C of a/c.rs
            d.rs:1 B of a/b.rs
            d.rs:1 C of a/c.rs
        "]],
    );
    assert_eq!(rings(files), NONE);
}

#[test]
fn what_is_used_through_a_module_is_imported() {
    imported(
        &[
            ("lib.rs", "mod a; mod b;"),
            (
                "a.rs",
                "use crate::b as c;\nuse crate::b::{self, d};\nfn f(x: c::X) -> d::D { \n b::g() }\nmod e { type Y = super::c::Y; }",
            ),
            (
                "b.rs",
                "pub mod d; pub struct X; pub struct Y; pub fn g() {}",
            ),
            ("b/d.rs", "pub struct D;"),
        ],
        &expect![[r"
            a.rs:3 D of b/d.rs
            a.rs:3 X of b.rs
            a.rs:4 g of b.rs
            a.rs:5 Y of b.rs
        "]],
    );
}

#[test]
fn a_function_can_have_the_name_of_its_module() {
    imported(
        &[
            ("lib.rs", "mod a; mod b;\npub use a::a;"),
            ("a.rs", "pub fn a() {}"),
            (
                "b.rs",
                "use crate::a;\nuse crate::a::{self as c};\nfn f() { c::a() }",
            ),
        ],
        &expect![[r"
            b.rs:1 a of a.rs
            lib.rs:2 a of a.rs
        "]],
    );
}

#[test]
fn types_expressions_patterns_and_attributes_have_paths() {
    imported(
        &[
            ("lib.rs", "mod a; mod b;"),
            (
                "a.rs",
                r#"use crate::b;
                   impl<T: b::Bound> b::Trait for Vec<b::Argument> where T: Into<b::Into> {
                       #[derive(b::Derived)]
                       fn f(&self) -> <b::Qualified as b::As>::Item {
                           match 1 { b::LOW..=b::HIGH => b::Enum::Variant, b::Tuple(_) => b::Struct {} }
                       }
                   }
                   #[serde(with = "b::with", other = "b.rs")]
                   /// [`b::Doc`]
                   struct S;
                   fn g(x: &dyn b::Object) -> impl Fn(b::In) -> b::Out { x.b::<b::Turbofish>() }"#,
            ),
            ("b.rs", ""),
        ],
        &expect![[r"
            a.rs:2 Argument of b.rs
            a.rs:2 Bound of b.rs
            a.rs:2 Into of b.rs
            a.rs:2 Trait of b.rs
            a.rs:3 Derived of b.rs
            a.rs:4 As of b.rs
            a.rs:4 Qualified of b.rs
            a.rs:5 Enum of b.rs
            a.rs:5 HIGH of b.rs
            a.rs:5 LOW of b.rs
            a.rs:5 Struct of b.rs
            a.rs:5 Tuple of b.rs
            a.rs:8 with of b.rs
            a.rs:11 In of b.rs
            a.rs:11 Object of b.rs
            a.rs:11 Out of b.rs
            a.rs:11 Turbofish of b.rs
        "]],
    );
}

#[test]
fn what_a_macro_is_given_has_paths() {
    imported(
        &[
            ("lib.rs", "mod a; mod b; mod c;"),
            (
                "a.rs",
                "use crate::{b, c::*};\nfn f(g: u8) { assert!(matches!(x, b::X { g: 1 }), \"{}\", g); }\nmake! { use crate::b::{Y as Z}; }\nfn h() { vec![C, i()] }",
            ),
            ("b.rs", "pub struct X; pub struct Y;"),
            ("c.rs", "pub struct C; pub fn g() {} pub fn i() {}"),
        ],
        &expect![[r"
            a.rs:2 X of b.rs
            a.rs:3 Y of b.rs
            a.rs:4 C of c.rs
            a.rs:4 i of c.rs
        "]],
    );
}

#[test]
fn macros_are_found_where_they_are_defined() {
    imported(
        &[
            (
                "lib.rs",
                "#[macro_use] mod m;\nmacro_rules! local { () => {} }\nmod a; pub mod b;",
            ),
            (
                "m.rs",
                "macro_rules! shared { () => { $crate::a::A } }\n#[macro_export] macro_rules! exported { () => {} }",
            ),
            (
                "a.rs",
                "local!();\nshared!();\ncrate::exported!();\npub struct A;",
            ),
            ("b.rs", "made! { pub struct B; }\nfoo! { C }"),
            ("main.rs", "own::exported!();\nuse own::b::{B, C, D};"),
        ],
        &expect![[r"
            a.rs:1 local of lib.rs
            a.rs:2 shared of m.rs
            a.rs:3 exported of m.rs
            m.rs:1 A of a.rs
            main.rs:1 exported of m.rs
            main.rs:2 B of b.rs
            main.rs:2 C of b.rs
            main.rs:2 D of b.rs
        "]],
    );
}

#[test]
fn what_only_tests_see_is_left_out() {
    let files: Files<'_> = &[
        ("lib.rs", "mod a; mod b; #[cfg(test)] mod missing;"),
        (
            "a.rs",
            "pub struct A; #[cfg(test)] mod tests { use crate::b::B; } #[test] fn t() { crate::b::B; }",
        ),
        ("b.rs", "use crate::a::A; pub struct B(A);"),
    ];
    imported(
        files,
        &expect![[r"
        b.rs:1 A of a.rs
    "]],
    );
    assert_eq!(rings(files), NONE);
}

#[test]
fn a_command_imports_its_library_by_name() {
    imported(
        &[
            ("lib.rs", "pub mod a; mod c; pub use c::C;"),
            ("a.rs", "pub struct A;"),
            ("c.rs", "pub struct C;"),
            (
                "main.rs",
                "use own::{a::A, C};\nuse other::D;\nfn main() { ::own::a::A; }",
            ),
        ],
        &expect![[r"
            lib.rs:1 C of c.rs
            main.rs:1 A of a.rs
            main.rs:1 C of c.rs
        "]],
    );
}

#[test]
fn of_a_glob_what_is_named_is_imported_and_traits() {
    imported(
        &[
            ("lib.rs", "mod a; mod b; mod c;"),
            (
                "a.rs",
                "use crate::b::*;\nuse std::fmt::*;\nfn f(named: Named, variable: u8) {\n variable + helper() }",
            ),
            (
                "b.rs",
                "pub struct Named; pub struct Unnamed; pub trait Trait {} pub fn variable() {} pub fn helper() {} fn private() {}\npub use crate::c::*; use crate::a::f;",
            ),
            ("c.rs", "pub trait Deep {} pub fn named() {}"),
        ],
        &expect![[r"
            a.rs:1 Deep of c.rs
            a.rs:1 Trait of b.rs
            a.rs:3 Named of b.rs
            a.rs:4 helper of b.rs
            b.rs:2 Deep of c.rs
            b.rs:2 f of a.rs
            b.rs:2 named of c.rs
        "]],
    );
}

#[test]
fn a_glob_of_a_parent_brings_in_what_the_parent_imports() {
    imported(
        &[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::B; mod c; pub struct A;"),
            ("a/c.rs", "use super::*;\nfn f(_: A) -> B { Vec::new() }"),
            ("b.rs", "pub struct B;"),
        ],
        &expect![[r"
            a/c.rs:2 A of a.rs
            a/c.rs:2 B of b.rs
            a.rs:1 B of b.rs
        "]],
    );
}

#[test]
fn names_of_other_crates_are_no_imports() {
    imported(
        &[
            ("lib.rs", "mod a; mod b; pub use other as alias;"),
            (
                "a.rs",
                "use other::b::B;\nuse crate::alias::X;\nuse ::b::Y;\nfn f() { std::mem::take(); crate::b::outer() }",
            ),
            ("b.rs", "pub use other::prelude::*;"),
        ],
        &expect![""],
    );
}

#[test]
fn imports_that_lead_in_a_circle_end() {
    imported(
        &[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "pub use crate::b::*;\npub use crate::b::X;"),
            (
                "b.rs",
                "pub use crate::a::*;\npub use crate::a::X; pub struct B;",
            ),
        ],
        &expect![[r"
            a.rs:1 B of b.rs
        "]],
    );
}

#[test]
fn files_are_where_the_compiler_looks() {
    imported(
        &[
            (
                "lib.rs",
                "#[path = \"odd/place.rs\"] mod a;\nmod i { pub mod j; }\nuse a::b::B; use i::j::J; use c::d::D; mod c;",
            ),
            ("odd/place.rs", "pub mod b;"),
            ("odd/b.rs", "pub struct B;"),
            ("i/j.rs", "pub struct J;"),
            ("c.rs", "pub mod d;"),
            ("c/d/mod.rs", "pub struct D;"),
        ],
        &expect![[r"
            lib.rs:3 B of odd/b.rs
            lib.rs:3 D of c/d/mod.rs
            lib.rs:3 J of i/j.rs
        "]],
    );
}

#[test]
fn what_cannot_be_read_is_said_with_its_place() {
    let error = |files: Files<'_>| {
        read(files, |tree, root| {
            let message = tree.err().unwrap().to_string();
            message.replace(&format!("{}/", root.display()), "")
        })
    };
    let missing = error(&[("lib.rs", "\nmod a;")]);
    assert_eq!(missing, "lib.rs:2: no file for the module a");
    let broken = error(&[("lib.rs", "mod a;"), ("a.rs", "\n\nfn (")]);
    assert!(broken.starts_with("a.rs:3: "), "{broken}");
    let endless = error(&[
        ("lib.rs", "mod a;"),
        ("a.rs", "#[path = \"lib.rs\"]\nmod b;"),
    ]);
    assert_eq!(endless, "a.rs:2: the module b contains itself");
}
