//! Statements and expressions: scopes, types as far as they matter, and what each call does.

use super::globals::Globals;
use super::typing::{INT, Typed, access, binary, constant, gives_a_value, plain, unordered};
use crate::ast::{self, Base, Expr, Spanned, Stmt, Type, Unary};
use crate::error::{Checked, Place, Span, invalid, unsupported};
use crate::intern::intern;
use crate::ir::{self, Access, Act, Gives, Register, Step, Value};
use crate::lex::BEYOND_INT;
use crate::primitive::{Arguments, Named, Primitive, primitive};
use gupcheck_sync::RmwOrder;
use std::collections::HashMap;

/// What a name stands for in a process.
#[derive(Clone, Copy)]
enum Binding {
    /// A parameter: the address in this word.
    Parameter(i64, Type),
    /// A local variable.
    Register(usize, Type),
}

struct Body<'a> {
    source: &'a str,
    index: usize,
    globals: &'a Globals,
    names: HashMap<&'a str, Binding>,
    code: ir::Process,
}

/// Resolves one process.
pub(super) fn process(
    source: &str,
    globals: &mut Globals,
    index: usize,
    process: &ast::Process,
) -> Checked<ir::Process> {
    let mut names = HashMap::new();
    for param in &process.params {
        let (name, span) = (&param.name.node, param.name.span);
        let Some(stars) = param.ty.stars.checked_sub(1) else {
            return unsupported("a parameter that is not a pointer", span);
        };
        let content = Type { stars, ..param.ty };
        let word = if let Some(&(word, span)) = globals.registers.get(&(index, name.clone())) {
            if let Some(location) = ir::location_at(word) {
                let location = globals.locations[location].name;
                globals.declare(location, Some(content), span)?;
            }
            word
        } else {
            ir::address_of(globals.declare(name, Some(content), span)?)
        };
        if (names.insert(name.as_str(), Binding::Parameter(word, param.ty))).is_some() {
            return invalid(format!("two parameters called `{name}`"), span);
        }
    }
    let mut body = Body {
        source,
        index,
        globals,
        names,
        code: ir::Process::default(),
    };
    body.code.steps = body.block(&process.body)?;
    body.declare_initial_registers();
    Ok(body.code)
}

impl<'a> Body<'a> {
    /// Declares what only the initial state names.
    fn declare_initial_registers(&mut self) {
        let names = self.globals.registers.keys();
        let names = names.filter(|(index, name)| {
            *index == self.index && !self.names.contains_key(name.as_str())
        });
        let mut names: Vec<&str> = names.map(|(_, name)| name.as_str()).collect();
        names.sort_unstable();
        for name in names {
            self.register(name);
        }
    }

    /// A new local variable of this name, with what the initial state says of it.
    fn register(&mut self, name: &str) -> usize {
        let init = (self.globals.registers).get(&(self.index, name.to_owned()));
        self.code.registers.push(Register {
            name: intern(name),
            init: init.map_or(0, |init| init.0),
        });
        self.code.registers.len() - 1
    }

    fn block(&mut self, stmts: &'a [Spanned<Stmt>]) -> Checked<Vec<Step>> {
        let mut steps = Vec::new();
        for stmt in stmts {
            self.stmt(stmt, &mut steps)?;
        }
        Ok(steps)
    }

    /// The line and the text of something, where it touches memory.
    fn remark(&self, touches: bool, span: Span) -> Option<&'static str> {
        let text = self.source.get(span.start..span.end)?;
        let words: Vec<&str> = text.split_whitespace().collect();
        let line = Place::new(self.source, span).line;
        touches.then(|| intern(&format!("line {line}: {}", words.join(" "))))
    }

    fn stmt(&mut self, stmt: &'a Spanned<Stmt>, steps: &mut Vec<Step>) -> Checked<()> {
        let (act, touches, span) = match &stmt.node {
            Stmt::Empty => return Ok(()),
            Stmt::Block(stmts) => {
                steps.extend(self.block(stmts)?);
                return Ok(());
            }
            Stmt::Declare(base, declarators) => return self.declare(*base, declarators, steps),
            Stmt::Assign(to, value) => {
                let value = self.value(value)?.0;
                let touches = value.touches_memory() || !matches!(to.node, Expr::Name(_));
                (self.assign(to, value)?, touches, stmt.span)
            }
            Stmt::Call(call) => {
                if !matches!(call.node, Expr::Call(..)) {
                    return unsupported("a statement without effect", call.span);
                }
                (Act::Do(self.expr(call)?.0), true, stmt.span)
            }
            Stmt::If(condition, then, otherwise) => {
                let value = self.value(condition)?.0;
                let touches = value.touches_memory();
                let then = self.block(std::slice::from_ref(&**then))?;
                let otherwise = match otherwise {
                    Some(otherwise) => self.block(std::slice::from_ref(&**otherwise))?,
                    None => Vec::new(),
                };
                (Act::If(value, then, otherwise), touches, condition.span)
            }
        };
        let remark = self.remark(touches, span);
        steps.push(Step { remark, act });
        Ok(())
    }

    fn declare(
        &mut self,
        base: Base,
        declarators: &'a [ast::Declarator],
        steps: &mut Vec<Step>,
    ) -> Checked<()> {
        for declarator in declarators {
            let (name, span) = (&declarator.name.node, declarator.name.span);
            let ty = Type {
                base,
                stars: declarator.stars,
            };
            if ty.stars == 0 && base != Base::Int {
                return unsupported(format!("a local variable of type {ty}"), span);
            }
            let register = self.register(name);
            let binding = Binding::Register(register, ty);
            if self.names.insert(name.as_str(), binding).is_some() {
                return unsupported(format!("a second declaration of `{name}`"), span);
            }
            if let Some(init) = &declarator.init {
                let value = self.value(init)?.0;
                let whole = Span {
                    start: span.start,
                    end: init.span.end,
                };
                steps.push(Step {
                    remark: self.remark(value.touches_memory(), whole),
                    act: Act::Set(register, value),
                });
            }
        }
        Ok(())
    }

    fn assign(&mut self, to: &'a Spanned<Expr>, value: Value) -> Checked<Act> {
        match &to.node {
            Expr::Name(name) if !self.names.contains_key(name.as_str()) => {
                let register = self.register(name);
                let binding = Binding::Register(register, INT);
                self.names.insert(name.as_str(), binding);
                Ok(Act::Set(register, value))
            }
            Expr::Name(name) => match self.lookup(name, to.span)? {
                Binding::Register(register, _) => Ok(Act::Set(register, value)),
                Binding::Parameter(..) => unsupported("an assignment to a parameter", to.span),
            },
            Expr::Unary(Unary::Deref, _) => {
                let (at, ty) = self.lvalue(to)?;
                plain(ty, to.span)?;
                if at.touches_memory() && value.touches_memory() {
                    return unordered(to.span);
                }
                let order = None;
                Ok(Act::Do(access(Access::Store { at, value, order })))
            }
            _ => invalid("this cannot be assigned to", to.span),
        }
    }

    /// What a name stands for. (A register may be declared by the initial state alone.)
    fn lookup(&mut self, name: &'a str, span: Span) -> Checked<Binding> {
        if let Some(&binding) = self.names.get(name) {
            return Ok(binding);
        }
        let key = (self.index, name.to_owned());
        let Some(&(word, _)) = self.globals.registers.get(&key) else {
            return invalid(format!("nothing declares `{name}`"), span);
        };
        let stars = usize::from(ir::location_at(word).is_some());
        let binding = Binding::Register(self.register(name), Type { stars, ..INT });
        self.names.insert(name, binding);
        Ok(binding)
    }

    /// The address that a pointer expression gives, and the type of what is there.
    fn pointer(&mut self, expr: &'a Spanned<Expr>) -> Checked<Typed> {
        let (at, ty) = self.value(expr)?;
        match ty.stars.checked_sub(1) {
            Some(0) if ty.base == Base::SpinLock => unsupported("a lock as memory", expr.span),
            Some(0) if ty.base == Base::Byte => unsupported("a char as memory", expr.span),
            // If that is all that is done with it, it may be one by name only.
            Some(0) if ty.base == Base::Srcu => Ok((at, INT)),
            Some(stars) => Ok((at, Type { stars, ..ty })),
            // An `int` may hold an address; whether it does is known when it is used.
            None if !matches!(at, Value::Int(_)) => Ok((at, INT)),
            None => invalid("this is not a pointer", expr.span),
        }
    }

    /// The address of an lvalue, which must be `*` of something, and the type of what is there.
    fn lvalue(&mut self, expr: &'a Spanned<Expr>) -> Checked<Typed> {
        match &expr.node {
            Expr::Unary(Unary::Deref, pointer) => self.pointer(pointer),
            _ => invalid("this is not in shared memory", expr.span),
        }
    }

    /// An expression that has a value.
    fn value(&mut self, expr: &'a Spanned<Expr>) -> Checked<Typed> {
        let (value, ty) = self.expr(expr)?;
        if let Value::Access(access) = &value
            && !gives_a_value(access)
        {
            return invalid("a value is used that nothing gives", expr.span);
        }
        Ok((value, ty))
    }

    /// An expression, with or without a value.
    fn expr(&mut self, expr: &'a Spanned<Expr>) -> Checked<Typed> {
        match &expr.node {
            Expr::Int(BEYOND_INT) => unsupported(
                format!("the number `{BEYOND_INT}`, which is no int"),
                expr.span,
            ),
            Expr::Int(value) => Ok((Value::Int(*value), INT)),
            Expr::Cast(ty, operand) => {
                if !matches!((ty.base, ty.stars), (Base::Int, _) | (Base::Byte, 1..)) {
                    return unsupported(format!("a cast to {ty}"), expr.span);
                }
                let (value, from) = self.value(operand)?;
                if matches!(from.base, Base::SpinLock | Base::Srcu) {
                    return unsupported(format!("a cast of {from}"), expr.span);
                }
                Ok((value, *ty))
            }
            Expr::Name(name) => Ok(match self.lookup(name, expr.span)? {
                Binding::Register(register, ty) => (Value::Register(register), ty),
                Binding::Parameter(word, ty) => (constant(word), ty),
            }),
            Expr::Unary(operator, operand) => self.unary(*operator, operand, expr),
            Expr::Binary(operator, left, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                binary(*operator, left, right, expr.span)
            }
            Expr::Conditional(parts) => {
                let [condition, yes, no] = &**parts;
                let condition = self.value(condition)?.0;
                let (yes, ty) = self.value(yes)?;
                let (no, other) = self.value(no)?;
                let ty = if ty.stars > 0 { ty } else { other };
                Ok((Value::Conditional(Box::new([condition, yes, no])), ty))
            }
            Expr::Call(name, arguments) => self.call(name, arguments),
        }
    }

    fn unary(
        &mut self,
        operator: Unary,
        operand: &'a Spanned<Expr>,
        whole: &'a Spanned<Expr>,
    ) -> Checked<Typed> {
        match operator {
            Unary::Deref => {
                let (at, ty) = self.pointer(operand)?;
                plain(ty, whole.span)?;
                let (order, chased) = (None, false);
                Ok((access(Access::Load { at, order, chased }), ty))
            }
            Unary::AddressOf => match &operand.node {
                Expr::Unary(Unary::Deref, pointer) => self.value(pointer),
                _ => unsupported("the address of a local variable", whole.span),
            },
            Unary::Minus if operand.node == Expr::Int(BEYOND_INT) => {
                Ok((Value::Int(-BEYOND_INT), INT))
            }
            Unary::Not | Unary::Complement | Unary::Minus => {
                let (value, ty) = self.value(operand)?;
                if ty.stars > 0 && operator != Unary::Not {
                    return unsupported("arithmetic on pointers", whole.span);
                }
                Ok((Value::Unary(operator, Box::new(value)), INT))
            }
        }
    }

    fn call(&mut self, name: &'a ast::Word, args: &'a [Spanned<Expr>]) -> Checked<Typed> {
        let Some(primitive) = primitive(&name.node) else {
            return unsupported(format!("the function `{}`", name.node), name.span);
        };
        let due = primitive.arguments();
        if args.len() != due {
            let what = format!(
                "`{}` takes {due} arguments and is given {}",
                name.node,
                args.len()
            );
            return invalid(what, name.span);
        }
        let (done, ty) = self.primitive(primitive, args, name.span)?;
        Ok((access(done), ty))
    }

    fn primitive(
        &mut self,
        primitive: Primitive,
        args: &'a [Spanned<Expr>],
        span: Span,
    ) -> Checked<(Access, Type)> {
        Ok(match primitive {
            Primitive::Load(named, order) => {
                let (at, ty) = self.named(named, &args[0])?;
                let (order, chased) = (Some(order), false);
                (Access::Load { at, order, chased }, ty)
            }
            Primitive::Store(named, order) => {
                let (at, value) = self.store(named, args, span)?;
                let order = Some(order);
                (Access::Store { at, value, order }, INT)
            }
            Primitive::StoreThenBarrier => {
                let (at, value) = self.store(Named::Lvalue, args, span)?;
                (Access::StoreThenBarrier { at, value }, INT)
            }
            Primitive::Rmw(kind, arguments, order, gives) => {
                let (pointer, operands) = match arguments {
                    Arguments::ValuePointer => (&args[1], &args[..1]),
                    _ => (&args[0], &args[1..]),
                };
                let (at, ty) = self.pointer(pointer)?;
                let mut values = Vec::new();
                for operand in operands {
                    values.push(self.value(operand)?.0);
                }
                if values
                    .iter()
                    .chain([&at])
                    .filter(|v| v.touches_memory())
                    .count()
                    > 1
                {
                    return unordered(span);
                }
                let Some(change) = kind.change(values) else {
                    return invalid("an argument is missing", span);
                };
                let ty = if gives == Gives::Old { ty } else { INT };
                let rmw = Access::Rmw {
                    at,
                    change,
                    order,
                    chased: false,
                    gives,
                };
                (rmw, ty)
            }
            Primitive::TryCompareExchange(order) => (self.try_exchange(args, order, span)?, INT),
            Primitive::Fence(barrier) => (Access::Fence(barrier), INT),
            Primitive::SpinLock => (
                Access::SpinLock(self.object(&args[0], Base::SpinLock)?),
                INT,
            ),
            Primitive::SpinUnlock => (
                Access::SpinUnlock(self.object(&args[0], Base::SpinLock)?),
                INT,
            ),
            Primitive::SpinTrylock => (
                Access::SpinTrylock(self.object(&args[0], Base::SpinLock)?),
                INT,
            ),
            Primitive::SpinIsLocked => (
                Access::SpinIsLocked(self.object(&args[0], Base::SpinLock)?),
                INT,
            ),
            Primitive::RcuReadLock => (Access::RcuReadLock, INT),
            Primitive::RcuReadUnlock => (Access::RcuReadUnlock, INT),
            Primitive::SynchronizeRcu => (Access::SynchronizeRcu, INT),
            Primitive::SrcuReadLock => (
                Access::SrcuReadLock(self.object(&args[0], Base::Srcu)?),
                INT,
            ),
            Primitive::SrcuReadUnlock => {
                let (srcu, given) = (self.object(&args[0], Base::Srcu)?, self.value(&args[1])?.0);
                (Access::SrcuReadUnlock(srcu, given), INT)
            }
            Primitive::SynchronizeSrcu => (
                Access::SynchronizeSrcu(self.object(&args[0], Base::Srcu)?),
                INT,
            ),
        })
    }

    fn named(&mut self, named: Named, arg: &'a Spanned<Expr>) -> Checked<Typed> {
        match named {
            Named::Lvalue => self.lvalue(arg),
            Named::Pointer => self.pointer(arg),
        }
    }

    fn store(
        &mut self,
        named: Named,
        args: &'a [Spanned<Expr>],
        span: Span,
    ) -> Checked<(Value, Value)> {
        let (at, value) = (self.named(named, &args[0])?.0, self.value(&args[1])?.0);
        if at.touches_memory() && value.touches_memory() {
            return unordered(span);
        }
        Ok((at, value))
    }

    /// `try_cmpxchg(x, &old, new)`.
    fn try_exchange(
        &mut self,
        args: &'a [Spanned<Expr>],
        order: RmwOrder,
        span: Span,
    ) -> Checked<Access> {
        let at = self.pointer(&args[0])?.0;
        let new = self.value(&args[2])?.0;
        if at.touches_memory() && new.touches_memory() {
            return unordered(span);
        }
        if let Expr::Unary(Unary::AddressOf, local) = &args[1].node
            && let Expr::Name(name) = &local.node
            && let Binding::Register(expected, _) = self.lookup(name, local.span)?
        {
            return Ok(Access::TryCompareExchange {
                at,
                expected,
                new,
                order,
                chased: false,
            });
        }
        unsupported(
            "anything but the address of a local variable here",
            args[1].span,
        )
    }

    /// The lock or the `srcu_struct` that an argument names.
    fn object(&mut self, arg: &'a Spanned<Expr>, base: Base) -> Checked<usize> {
        let (value, ty) = self.value(arg)?;
        let due = Type { base, stars: 1 };
        if ty != due {
            return invalid(format!("this is not a {due}"), arg.span);
        }
        if let Value::Address(location) = value {
            return Ok(location);
        }
        let what = if base == Base::Srcu {
            "an srcu_struct"
        } else {
            "a lock"
        };
        unsupported(
            format!("{what} that is not known before the test runs"),
            arg.span,
        )
    }
}
