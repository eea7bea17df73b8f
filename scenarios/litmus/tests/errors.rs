//! What is not understood is said to be so, with its place and never with a guess.

#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use expect_test::{Expect, expect};
use gupcheck_litmus::{Litmus, LitmusError};

fn error(source: &str) -> LitmusError {
    match Litmus::parse(source) {
        Ok(litmus) => panic!("{litmus:?} was not expected to be understood"),
        Err(error) => error,
    }
}

/// What is said of several sources, a line each.
fn said<'a>(sources: impl IntoIterator<Item = &'a str>, expected: &Expect) {
    let mut lines = String::new();
    for source in sources {
        let shown = source.replace('\n', "\\n");
        lines.extend([shown.as_str(), "\n    ", &error(source).to_string(), "\n"]);
    }
    expected.assert_eq(&lines);
}

/// What is said of several bodies of a process that has `int r; int *p;` and the parameters
/// `int *x, int *y, atomic_t *v, spinlock_t *s`, which stand on line 3.
fn said_of_bodies(bodies: &[&str], expected: &Expect) {
    let mut lines = String::new();
    for body in bodies {
        let source = format!(
            "C t\n{{ }}\nP0(int *x, int *y, atomic_t *v, spinlock_t *s) {{ int r; int *p;\n{body}\n}}\nexists (x=1)"
        );
        lines.extend([body, "\n    ", &error(&source).to_string(), "\n"]);
    }
    expected.assert_eq(&lines);
}

#[test]
fn headers() {
    said(
        [
            "",
            "X86 SB\n{ }",
            "C",
            "C t",
            "C t\nsome words\n{ }",
            "C t\n(* never closed",
        ],
        &expect![[r#"

                syntax: expected `C` and the name of the test, found the end of the file at 1:1
            X86 SB\n{ }
                syntax: expected `C` and the name of the test, found `X86` at 1:1
            C
                syntax: expected the name of the test, found the end of the line at 1:2
            C t
                syntax: expected the initial state, in braces, found the end of the file at 1:4
            C t\nsome words\n{ }
                syntax: expected the initial state, in braces, found `some` at 2:1
            C t\n(* never closed
                syntax: expected `*)`, found the end of the file at 2:1
        "#]],
    );
}

#[test]
fn syntax() {
    said_of_bodies(
        &[
            "r = ;",
            "r = 1",
            "r = (1;",
            "r = 1 +;",
            "if r WRITE_ONCE(*x, 1);",
            "WRITE_ONCE(*x 1);",
            "int 3;",
            "r = 1 @ 2;",
            "else r = 1;",
            "/* never closed",
        ],
        &expect![[r#"
            r = ;
                syntax: expected an expression, found `;` at 4:5
            r = 1
                syntax: expected `;`, `?` or an operator, found `}` at 5:1
            r = (1;
                syntax: expected `)`, `?` or an operator, found `;` at 4:7
            r = 1 +;
                syntax: expected an expression, found `;` at 4:8
            if r WRITE_ONCE(*x, 1);
                syntax: expected `(`, found `r` at 4:4
            WRITE_ONCE(*x 1);
                syntax: expected `(`, `)`, `,`, `?` or an operator, found `1` at 4:15
            int 3;
                syntax: expected `*` or a name, found `3` at 4:5
            r = 1 @ 2;
                syntax: expected a token of C, found `@` at 4:7
            else r = 1;
                syntax: expected `}` or a statement, found `else` at 4:1
            /* never closed
                syntax: expected `*/`, found the end of the file at 4:1
        "#]],
    );
    said(
        [
            "C t\n{ x=; }",
            "C t\n{ x=1 y=2; }",
            "C t\n{ }",
            "C t\n{ }\nint f() { }",
            "C t\n{ }\nP0(int *x) { }\nexists",
            "C t\n{ }\nP0(int *x) { }\nexists (x=1",
            "C t\n{ }\nP0(int *x) { }\nexists (x)",
            "C t\n{ }\nP0(int *x) { }\nexists (x=1) y",
            "C t\n{ }\nP0(int *x) { }\nlocations [x",
        ],
        &expect![[r#"
            C t\n{ x=; }
                syntax: expected `ATOMIC_INIT` or a value, found `;` at 2:5
            C t\n{ x=1 y=2; }
                syntax: expected `;` or `}`, found `y` at 2:7
            C t\n{ }
                syntax: expected a process, found the end of the file at 2:4
            C t\n{ }\nint f() { }
                syntax: expected a process, found `int` at 3:1
            C t\n{ }\nP0(int *x) { }\nexists
                syntax: expected `not`, `~` or a condition, found the end of the file at 4:7
            C t\n{ }\nP0(int *x) { }\nexists (x=1
                syntax: expected `)`, `/\`, `:`, `=>` or `\/`, found the end of the file at 4:12
            C t\n{ }\nP0(int *x) { }\nexists (x)
                syntax: expected `!=`, `==` or `=`, found `)` at 4:10
            C t\n{ }\nP0(int *x) { }\nexists (x=1) y
                syntax: expected `/\`, `;`, `=>`, `\/` or the end of the file, found `y` at 4:14
            C t\n{ }\nP0(int *x) { }\nlocations [x
                syntax: expected `*`, `;`, `]` or a type, found the end of the file at 4:13
        "#]],
    );
}

#[test]
fn parts_of_c_without_a_meaning_here() {
    said_of_bodies(
        &[
            "while (1) ;",
            "for (;;) ;",
            "return;",
            "goto out;",
            "r++;",
            "r += 1;",
            "r = x[1];",
            "struct foo f;",
            "long l;",
            "u64 l;",
            "r = 99999999999;",
            "r = 1UL;",
            "r = 2147483648;",
            "r = -2147483649;",
            "r = (atomic_t *)x;",
            "uintptr_t l;",
            "r = 08;",
            "r;",
            "r = x + 1;",
            "r = -p;",
            "r = READ_ONCE(*x) + READ_ONCE(*y);",
            "r = cmpxchg(x, READ_ONCE(*x), READ_ONCE(*y));",
            "x = y;",
            "p = &r;",
            "r = *v;",
            "atomic_t a;",
            "int r;",
        ],
        &expect![[r#"
            while (1) ;
                unsupported: `while` (a loop) at 4:1
            for (;;) ;
                unsupported: `for` (a loop) at 4:1
            return;
                unsupported: `return` (a jump) at 4:1
            goto out;
                unsupported: `goto` (a jump) at 4:1
            r++;
                unsupported: the operator `++` at 4:2
            r += 1;
                unsupported: the operator `+=` at 4:3
            r = x[1];
                unsupported: an array at 4:6
            struct foo f;
                unsupported: `struct` (any but `struct srcu_struct`) at 4:1
            long l;
                unsupported: `long` (a type other than int, atomic_t, spinlock_t and pointers to them) at 4:1
            u64 l;
                unsupported: `u64` (a type other than int, atomic_t, spinlock_t and pointers to them) at 4:1
            r = 99999999999;
                unsupported: the number `99999999999`, which is no int at 4:5
            r = 1UL;
                unsupported: the number `1UL`, which is no int at 4:5
            r = 2147483648;
                unsupported: the number `2147483648`, which is no int at 4:5
            r = -2147483649;
                unsupported: the number `2147483649`, which is no int at 4:6
            r = (atomic_t *)x;
                unsupported: a cast to atomic_t * at 4:5
            uintptr_t l;
                unsupported: `uintptr_t` (a type other than int, atomic_t, spinlock_t and pointers to them) at 4:1
            r = 08;
                unsupported: the number `08`, which is no int at 4:5
            r;
                unsupported: a statement without effect at 4:1
            r = x + 1;
                unsupported: arithmetic on pointers at 4:5
            r = -p;
                unsupported: arithmetic on pointers at 4:5
            r = READ_ONCE(*x) + READ_ONCE(*y);
                unsupported: two accesses to memory that C leaves unordered at 4:5
            r = cmpxchg(x, READ_ONCE(*x), READ_ONCE(*y));
                unsupported: two accesses to memory that C leaves unordered at 4:5
            x = y;
                unsupported: an assignment to a parameter at 4:1
            p = &r;
                unsupported: the address of a local variable at 4:5
            r = *v;
                unsupported: a plain access to atomic_t at 4:5
            atomic_t a;
                unsupported: a local variable of type atomic_t at 4:10
            int r;
                unsupported: a second declaration of `r` at 4:5
        "#]],
    );
}

#[test]
fn primitives_without_a_meaning_here() {
    said_of_bodies(
        &[
            "srcu_read_lock(s);",
            "atomic_dec_if_positive(v);",
            "atomic_inc_acquire(v);",
            "r = atomic64_read(v);",
            "call_rcu(x, y);",
            "atomic_load_explicit(x, 1);",
        ],
        &expect![[r#"
            srcu_read_lock(s);
                invalid: this is not a struct srcu_struct * at 4:16
            atomic_dec_if_positive(v);
                unsupported: the function `atomic_dec_if_positive` at 4:1
            atomic_inc_acquire(v);
                unsupported: the function `atomic_inc_acquire` at 4:1
            r = atomic64_read(v);
                unsupported: the function `atomic64_read` at 4:5
            call_rcu(x, y);
                unsupported: the function `call_rcu` at 4:1
            atomic_load_explicit(x, 1);
                unsupported: the function `atomic_load_explicit` at 4:1
        "#]],
    );
}

#[test]
fn contradictions() {
    said_of_bodies(
        &[
            "r = q;",
            "r = READ_ONCE(r);",
            "r = READ_ONCE(x);",
            "WRITE_ONCE(*x);",
            "xchg(x, 1, 2);",
            "smp_mb(1);",
            "r = smp_mb();",
            "r = atomic_inc(v);",
            "1 = r;",
            "r = *5;",
            "spin_lock(x);",
            "r = READ_ONCE(*s);",
            "r = atomic_try_cmpxchg(v, r, 1);",
        ],
        &expect![[r#"
            r = q;
                invalid: nothing declares `q` at 4:5
            r = READ_ONCE(r);
                invalid: this is not in shared memory at 4:15
            r = READ_ONCE(x);
                invalid: this is not in shared memory at 4:15
            WRITE_ONCE(*x);
                invalid: `WRITE_ONCE` takes 2 arguments and is given 1 at 4:1
            xchg(x, 1, 2);
                invalid: `xchg` takes 2 arguments and is given 3 at 4:1
            smp_mb(1);
                invalid: `smp_mb` takes 0 arguments and is given 1 at 4:1
            r = smp_mb();
                invalid: a value is used that nothing gives at 4:5
            r = atomic_inc(v);
                invalid: a value is used that nothing gives at 4:5
            1 = r;
                invalid: this cannot be assigned to at 4:1
            r = *5;
                invalid: this is not a pointer at 4:6
            spin_lock(x);
                invalid: this is not a spinlock_t * at 4:11
            r = READ_ONCE(*s);
                unsupported: a lock as memory at 4:16
            r = atomic_try_cmpxchg(v, r, 1);
                unsupported: anything but the address of a local variable here at 4:27
        "#]],
    );
    said(
        [
            "C t\n{ }\nP0(int *x) { }\nexists (0:r=1)",
            "C t\n{ }\nP0(int *x) { }\nexists (1:r=1)",
            "C t\n{ }\nP0(int *x) { }\nexists (y=1)",
            "C t\n{ }\nP0(int *x) { }\nlocations [x; y]\nexists (x=1)",
            "C t\n{ 1:r=1; }\nP0(int *x) { int r; }\nexists (x=1)",
            "C t\n{ x=1; y=1;\n  int x=2; }\nP0(int *x) { }\nexists (x=1)",
            "C t\n{ x=2147483648; }\nP0(int *x) { }\nexists (x=1)",
            "C t\n{ 0:r=1; 0:r=2; }\nP0(int *x) { int r; }\nexists (x=1)",
            "C t\n{ }\nP1(int *x) { }\nexists (x=1)",
            "C t\n{ }\nP0(int x) { }\nexists (x=1)",
            "C t\n{ }\nP0(int *x, int *x) { }\nexists (x=1)",
            "C t\n{ int s; }\nP0(spinlock_t *s) { }\nexists (true)",
            "C t\n{ spinlock_t s = 1; }\nP0(spinlock_t *s) { }\nexists (true)",
            "C t\n{ }\nP0(spinlock_t *s) { }\nexists (s=1)",
        ],
        &expect![[r#"
            C t\n{ }\nP0(int *x) { }\nexists (0:r=1)
                invalid: P0 has no variable `r` at 4:9
            C t\n{ }\nP0(int *x) { }\nexists (1:r=1)
                invalid: there is no process P1 at 4:9
            C t\n{ }\nP0(int *x) { }\nexists (y=1)
                invalid: nothing declares the location `y` at 4:9
            C t\n{ }\nP0(int *x) { }\nlocations [x; y]\nexists (x=1)
                invalid: nothing declares the location `y` at 4:15
            C t\n{ 1:r=1; }\nP0(int *x) { int r; }\nexists (x=1)
                invalid: there is no process for `1:r` at 2:3
            C t\n{ x=1; y=1;\n  int x=2; }\nP0(int *x) { }\nexists (x=1)
                invalid: `x` is given two values (the first at 2:3) at 3:7
            C t\n{ x=2147483648; }\nP0(int *x) { }\nexists (x=1)
                syntax: expected `ATOMIC_INIT` or a value, found `2147483648` at 2:5
            C t\n{ 0:r=1; 0:r=2; }\nP0(int *x) { int r; }\nexists (x=1)
                invalid: `0:r` is given two values (the first at 2:3) at 2:10
            C t\n{ }\nP1(int *x) { }\nexists (x=1)
                invalid: `P1` where P0 is due at 3:1
            C t\n{ }\nP0(int x) { }\nexists (x=1)
                unsupported: a parameter that is not a pointer at 3:8
            C t\n{ }\nP0(int *x, int *x) { }\nexists (x=1)
                invalid: two parameters called `x` at 3:17
            C t\n{ int s; }\nP0(spinlock_t *s) { }\nexists (true)
                invalid: `s` is both int and spinlock_t at 3:16
            C t\n{ spinlock_t s = 1; }\nP0(spinlock_t *s) { }\nexists (true)
                unsupported: a lock that is held at first at 2:14
            C t\n{ }\nP0(spinlock_t *s) { }\nexists (s=1)
                unsupported: the value of the lock `s` at 4:9
        "#]],
    );
}

#[test]
fn an_error_knows_its_bytes() {
    let source = "C té\n{ }\nP0(int *x) {\n\t/* é */ z = q;\n}\nexists (x=1)";
    let error = error(source);
    let place = error.place();
    assert_eq!(&source[place.span.clone()], "q");
    assert_eq!((place.line, place.column), (4, 14));
}

#[test]
fn deep_comments_are_an_error_at_once() {
    let began = std::time::Instant::now();
    let deep = |closing: &str| format!("C t\n{}{}\n{{ }}", "(*".repeat(500_000), closing);
    for source in [
        deep(""),
        deep(&"*)".repeat(500_000)),
        deep(&"*)".repeat(499_999)),
    ] {
        let said = error(&source).to_string();
        assert_eq!(
            said,
            "unsupported: comments as deep within comments as this at 2:1"
        );
    }
    let many = format!("C t\n{}\n{{ }}", "(* (* *) *) /* ( */".repeat(100_000));
    assert!(error(&many).to_string().contains("expected a process"));
    assert!(began.elapsed().as_secs() < 5, "in a moment");
}
