//! Precedence, forms of the initial state, and printing.

#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use super::parse;
use crate::ast::{
    Base, Binary, Constant, Expr, Operand, Prop, Spanned, Stmt, Target, Test, Type, Unary,
};
use proptest::prelude::*;

fn read(source: &str) -> Test {
    match parse(source) {
        Ok(test) => test,
        Err(complaint) => panic!("{}\n{source}", complaint.placed(source)),
    }
}

/// The expression that `text` is.
fn expression(text: &str) -> Expr {
    let mut test = read(&format!(
        "C t\n{{ }}\nP0() {{ r = {text}; }}\nexists (true)"
    ));
    match test.processes.remove(0).body.remove(0).node {
        Stmt::Assign(_, value) => value.node,
        other => panic!("an assignment was written, not {other:?}"),
    }
}

/// The expression with every operator in parentheses.
fn bracketed(expr: &Expr) -> String {
    match expr {
        Expr::Unary(operator, operand) => {
            format!("({}{})", operator.text(), bracketed(&operand.node))
        }
        Expr::Cast(ty, operand) => format!("({ty})({})", bracketed(&operand.node)),
        Expr::Binary(operator, left, right) => {
            let (left, right) = (bracketed(&left.node), bracketed(&right.node));
            format!("({left}{}{right})", operator.row().0)
        }
        Expr::Conditional(parts) => {
            let [condition, yes, no] = &**parts;
            let (yes, no) = (bracketed(&yes.node), bracketed(&no.node));
            format!("({}?{yes}:{no})", bracketed(&condition.node))
        }
        other => other.to_string(),
    }
}

#[test]
fn operators_bind_as_in_c() {
    for (text, expected) in [
        ("a + b * c", "(a+(b*c))"),
        ("a - b - c", "((a-b)-c)"),
        ("a == b & c", "((a==b)&c)"),
        ("a | b ^ c & d", "(a|(b^(c&d)))"),
        ("a || b && c | d", "(a||(b&&(c|d)))"),
        ("a < b == c >= d", "((a<b)==(c>=d))"),
        ("a << b + c >> d", "((a<<(b+c))>>d)"),
        ("!a == -b", "((!a)==(-b))"),
        ("~*a % 3", "((~(*a))%3)"),
        ("a ? b : c ? d : e", "(a?b:(c?d:e))"),
        ("a || b ? c : d", "((a||b)?c:d)"),
        ("(a + b) * c", "((a+b)*c)"),
        ("a * *b", "(a*(*b))"),
        ("(int *)a + (b)", "((int *)(a)+b)"),
    ] {
        assert_eq!(bracketed(&expression(text)), expected, "{text}");
    }
}

#[test]
fn numbers_are_read_in_all_of_cs_bases() {
    for (text, value) in [
        ("0", 0),
        ("17", 17),
        ("0x1F", 31),
        ("017", 15),
        ("2147483647", 0x7fff_ffff),
        ("2147483648", 0x8000_0000),
    ] {
        assert_eq!(expression(text), Expr::Int(value));
    }
}

#[test]
fn an_else_belongs_to_the_nearest_if() {
    let test = read("C t\n{ }\nP0() { if (a) if (b) f(); else g(); }\nexists (true)");
    let Stmt::If(_, then, None) = &test.processes[0].body[0].node else {
        panic!("the outer if has no else");
    };
    assert!(matches!(&then.node, Stmt::If(_, _, Some(_))));
}

#[test]
fn conditions_bind_as_in_herd() {
    let condition = |text: &str| read(&format!("C t\n{{ }}\nP0() {{ }}\nexists {text}")).condition;
    let same = |left, right| assert_eq!(condition(left), condition(right), "{left}");
    same("(x=1 /\\ y=1 \\/ z=1)", "((x=1 /\\ y=1) \\/ z=1)");
    same("(x=1 \\/ y=1 /\\ z=1)", "(x=1 \\/ (y=1 /\\ z=1))");
    same("(x=1 /\\ y=1 => z=1)", "(x=1 /\\ (y=1 => z=1))");
    same("(~x=1 /\\ y=1)", "((not x=1) /\\ y=1)");
    same("(x!=1)", "not (x==1)");
    same("(P0:r=1)", "(0:r = 0x1);");
    let Prop::Equal(left, right) = condition("([x]=-3)") else {
        panic!("a comparison was written");
    };
    assert_eq!(left.node, Target::Location("x".to_owned()));
    assert_eq!(right.node, Operand::Constant(Constant::Int(-3)));
}

#[test]
fn the_initial_state_has_many_forms() {
    let init = "x; int a=1; int b; atomic_t v = ATOMIC_INIT(3); int *p = &x; q=x; spinlock_t s; \
                0:r0=-1; P1:r1=x; *w=x; [z]=2;";
    let test = read(&format!("C t\n{{ {init} }}\nP0() {{ }}\nforall (true)"));
    let shown: Vec<String> = (test.init.iter())
        .map(|init| {
            let ty = init.ty.map_or("-".to_owned(), |ty| ty.to_string());
            format!(
                "{ty} {:?} {:?}",
                init.target.node,
                init.value.as_ref().map(|v| &v.node)
            )
        })
        .collect();
    expect_test::expect![[r#"
        - Location("x") None
        int Location("a") Some(Int(1))
        int Location("b") None
        atomic_t Location("v") Some(Int(3))
        int * Location("p") Some(AddressOf("x"))
        - Location("q") Some(AddressOf("x"))
        spinlock_t Location("s") None
        - Register(0, "r0") Some(Int(-1))
        - Register(1, "r1") Some(AddressOf("x"))
        - Location("w") Some(AddressOf("x"))
        - Location("z") Some(Int(2))"#]]
    .assert_eq(&shown.join("\n"));
}

fn leaf() -> impl Strategy<Value = Expr> {
    prop_oneof![
        (0..=1_i64 << 31).prop_map(Expr::Int),
        "v[0-9]{1,2}".prop_map(Expr::Name),
    ]
}

fn any_expression() -> impl Strategy<Value = Expr> {
    let unary = prop::sample::select(vec![
        Unary::Not,
        Unary::Complement,
        Unary::Minus,
        Unary::Deref,
        Unary::AddressOf,
    ]);
    let ty = (0..3_usize).prop_map(|stars| Type {
        base: Base::Int,
        stars,
    });
    let binary = (0..Binary::ALL.len()).prop_map(|index| Binary::ALL[index].0);
    leaf().prop_recursive(6, 40, 3, move |inner| {
        let part = inner.prop_map(|expr| Spanned::new(expr, 0..0));
        let boxed = part.clone().prop_map(Box::new);
        prop_oneof![
            (unary.clone(), boxed.clone()).prop_map(|(op, operand)| Expr::Unary(op, operand)),
            (ty.clone(), boxed.clone()).prop_map(|(ty, operand)| Expr::Cast(ty, operand)),
            (binary.clone(), boxed.clone(), boxed)
                .prop_map(|(op, left, right)| Expr::Binary(op, left, right)),
            [part.clone(), part.clone(), part.clone()]
                .prop_map(|parts| Expr::Conditional(Box::new(parts))),
            ("f[0-9]", prop::collection::vec(part, 0..3))
                .prop_map(|(name, arguments)| Expr::Call(Spanned::new(name, 0..0), arguments)),
        ]
    })
}

proptest! {
    #[test]
    fn a_printed_expression_is_read_back_as_itself(expr in any_expression()) {
        prop_assert_eq!(expression(&expr.to_string()), expr);
    }

    #[test]
    fn nothing_that_is_written_is_a_panic(text in "[a-z0-9(){}*;=<>&|!?:, /\\\\-]{0,60}") {
        let _ = parse(&text);
        let _ = parse(&format!("C t\n{{ x=1; }}\nP0(int *x) {{ {text} }}\nexists (x=1)"));
        let _ = parse(&format!("C t\n{{ {text} }}\nP0(int *x) {{ }}\nexists {text}"));
    }
}
