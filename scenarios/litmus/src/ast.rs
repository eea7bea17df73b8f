//! What a litmus test says, as it says it: names are still text, and calls are still calls.
//!
//! Equality ignores where in the source something stands, so that a printed expression can be
//! compared with what it was printed from.

use crate::error::Span;
use std::fmt;

/// Something of the source, and where it stands there.
#[derive(Clone, Debug)]
pub(crate) struct Spanned<T> {
    pub(crate) node: T,
    pub(crate) span: Span,
}

impl<T> Spanned<T> {
    pub(crate) fn new(node: T, span: impl Into<Span>) -> Self {
        Self {
            node,
            span: span.into(),
        }
    }
}

impl<T: PartialEq> PartialEq for Spanned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.node == other.node
    }
}

/// A name and where it stands.
pub(crate) type Word = Spanned<String>;

/// What a type is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    Int,
    Atomic,
    SpinLock,
    /// `struct srcu_struct`.
    Srcu,
    /// `char` and `void`: what only pointers are to.
    Byte,
}

/// A type: a base and a number of stars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Type {
    pub(crate) base: Base,
    pub(crate) stars: usize,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = match self.base {
            Base::Int => "int",
            Base::Atomic => "atomic_t",
            Base::SpinLock => "spinlock_t",
            Base::Srcu => "struct srcu_struct",
            Base::Byte => "char",
        };
        let space = if self.stars == 0 { "" } else { " " };
        write!(f, "{base}{space}{}", "*".repeat(self.stars))
    }
}

/// An operator with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unary {
    Not,
    Complement,
    Minus,
    Deref,
    AddressOf,
}

impl Unary {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Not => "!",
            Self::Complement => "~",
            Self::Minus => "-",
            Self::Deref => "*",
            Self::AddressOf => "&",
        }
    }
}

/// An operator with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    LogicalOr,
    LogicalAnd,
    Or,
    Xor,
    And,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    ShiftLeft,
    ShiftRight,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Binary {
    /// All of them, their text, and how tightly they bind (C's rules, from 1 for `||`).
    pub(crate) const ALL: [(Self, &'static str, u16); 18] = [
        (Self::LogicalOr, "||", 1),
        (Self::LogicalAnd, "&&", 2),
        (Self::Or, "|", 3),
        (Self::Xor, "^", 4),
        (Self::And, "&", 5),
        (Self::Equal, "==", 6),
        (Self::NotEqual, "!=", 6),
        (Self::Less, "<", 7),
        (Self::LessEqual, "<=", 7),
        (Self::Greater, ">", 7),
        (Self::GreaterEqual, ">=", 7),
        (Self::ShiftLeft, "<<", 8),
        (Self::ShiftRight, ">>", 8),
        (Self::Add, "+", 9),
        (Self::Subtract, "-", 9),
        (Self::Multiply, "*", 10),
        (Self::Divide, "/", 10),
        (Self::Remainder, "%", 10),
    ];

    /// How tightly an operator with one operand binds.
    pub(crate) const PREFIX: u16 = 11;

    /// Its text, and how tightly it binds.
    pub(crate) fn row(self) -> (&'static str, u16) {
        let row = Self::ALL.iter().find(|row| row.0 == self);
        row.map_or(("?", 0), |&(_, text, power)| (text, power))
    }
}

/// An expression of C.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expr {
    Int(i64),
    Name(String),
    Unary(Unary, Box<Spanned<Expr>>),
    Cast(Type, Box<Spanned<Expr>>),
    Binary(Binary, Box<Spanned<Expr>>, Box<Spanned<Expr>>),
    Conditional(Box<[Spanned<Expr>; 3]>),
    Call(Word, Vec<Spanned<Expr>>),
}

impl Expr {
    /// How tightly the outermost operator binds.
    fn power(&self) -> u16 {
        match self {
            Self::Conditional(_) => 0,
            Self::Binary(operator, ..) => operator.row().1,
            Self::Unary(..) | Self::Cast(..) => Binary::PREFIX,
            Self::Int(_) | Self::Name(_) | Self::Call(..) => Binary::PREFIX + 1,
        }
    }

    fn in_context(&self, least: u16, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.power() < least {
            write!(f, "({self})")
        } else {
            write!(f, "{self}")
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => write!(f, "{value}"),
            Self::Name(name) => f.write_str(name),
            Self::Unary(operator, operand) => {
                f.write_str(operator.text())?;
                // `--x` and `&&x` would be read as other operators.
                let doubled = matches!(&operand.node, Self::Unary(inner, _)
                    if inner == operator && matches!(operator, Unary::Minus | Unary::AddressOf));
                operand
                    .node
                    .in_context(Binary::PREFIX + u16::from(doubled), f)
            }
            Self::Cast(ty, operand) => {
                write!(f, "({ty})")?;
                operand.node.in_context(Binary::PREFIX, f)
            }
            Self::Binary(operator, left, right) => {
                let (text, power) = operator.row();
                left.node.in_context(power, f)?;
                write!(f, " {text} ")?;
                right.node.in_context(power + 1, f)
            }
            Self::Conditional(parts) => {
                let [condition, yes, no] = &**parts;
                condition.node.in_context(1, f)?;
                write!(f, " ? {} : {}", yes.node, no.node)
            }
            Self::Call(name, arguments) => {
                write!(f, "{}(", name.node)?;
                for (nth, argument) in arguments.iter().enumerate() {
                    let separator = if nth == 0 { "" } else { ", " };
                    write!(f, "{separator}{}", argument.node)?;
                }
                f.write_str(")")
            }
        }
    }
}

/// One name of a declaration, with its stars and its initialiser.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Declarator {
    pub(crate) stars: usize,
    pub(crate) name: Word,
    pub(crate) init: Option<Spanned<Expr>>,
}

/// A statement of C.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stmt {
    Empty,
    Declare(Base, Vec<Declarator>),
    Assign(Spanned<Expr>, Spanned<Expr>),
    Call(Spanned<Expr>),
    If(
        Spanned<Expr>,
        Box<Spanned<Stmt>>,
        Option<Box<Spanned<Stmt>>>,
    ),
    Block(Vec<Spanned<Stmt>>),
}

/// A parameter of a process.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Param {
    pub(crate) ty: Type,
    pub(crate) name: Word,
}

/// One process: what one CPU runs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Process {
    pub(crate) name: Word,
    pub(crate) params: Vec<Param>,
    pub(crate) body: Vec<Spanned<Stmt>>,
}

/// Something whose value can be looked at: a register of a process, or a location.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Target {
    Register(usize, String),
    Location(String),
}

/// A constant of the initial state or of a condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Constant {
    Int(i64),
    AddressOf(String),
}

/// One entry of the initial state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Init {
    pub(crate) ty: Option<Type>,
    pub(crate) target: Spanned<Target>,
    pub(crate) value: Option<Spanned<Constant>>,
}

/// What a value is compared with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    Constant(Constant),
    Target(Target),
}

/// A proposition about the final state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Prop {
    Constant(bool),
    Equal(Spanned<Target>, Spanned<Operand>),
    Not(Box<Prop>),
    And(Box<Prop>, Box<Prop>),
    Or(Box<Prop>, Box<Prop>),
    Implies(Box<Prop>, Box<Prop>),
}

/// How a condition is quantified over executions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Quantifier {
    /// `exists`: some execution ends like this.
    #[serde(rename = "exists")]
    Exists,
    /// `~exists`: no execution does.
    #[serde(rename = "~exists")]
    NotExists,
    /// `forall`: every execution does.
    #[serde(rename = "forall")]
    ForAll,
}

/// A whole litmus test.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Test {
    pub(crate) name: String,
    pub(crate) init: Vec<Init>,
    pub(crate) processes: Vec<Process>,
    pub(crate) locations: Vec<Spanned<Target>>,
    pub(crate) filter: Option<Prop>,
    pub(crate) quantifier: Quantifier,
    pub(crate) condition: Prop,
}
