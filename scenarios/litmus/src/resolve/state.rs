//! What is asked of the end of an execution: the condition, the filter, `locations`.

use super::globals::Globals;
use crate::ast::{self, Base, Constant, Operand, Quantifier, Target, Test};
use crate::error::{Checked, Span, invalid, unsupported};
use crate::intern::intern;
use crate::ir::{Asked, Code, Process, Prop, address_of};
use std::fmt;

/// The test, but for its locations, which later passes still look at.
pub(super) fn ask(globals: &Globals, processes: Vec<Process>, test: &Test) -> Checked<Code> {
    let mut asking = Asking {
        globals,
        processes,
        asked: Vec::new(),
    };
    for target in &test.locations {
        asking.target(&target.node, target.span, true)?;
    }
    let condition = asking.prop(&test.condition, true)?;
    let filter = match &test.filter {
        Some(prop) => Some(asking.prop(prop, false)?),
        None => None,
    };
    Ok(Code {
        name: test.name.clone(),
        locations: Vec::new(),
        processes: asking.processes,
        asked: asking.asked,
        filter,
        quantifier: test.quantifier,
        condition,
        text: condition_text(test),
        beyond_engines: None,
        is_for_lkmm: false,
    })
}

struct Asking<'a> {
    globals: &'a Globals,
    processes: Vec<Process>,
    asked: Vec<(Asked, &'static str, bool)>,
}

impl Asking<'_> {
    /// The index under which a target is asked for; `shown` if states show it.
    fn target(&mut self, target: &Target, span: Span, shown: bool) -> Checked<usize> {
        let (asked, name) = match target {
            Target::Register(process, name) => {
                let nth = self.register(*process, name, span)?;
                (Asked::Register(*process, nth), format!("{process}:{name}"))
            }
            Target::Location(name) => {
                let index = self.globals.get(name, span)?;
                let ty = self.globals.locations[index].ty;
                match ty.map(|ty| (ty.base, ty.stars)) {
                    Some((Base::SpinLock, 0)) => {
                        return unsupported(format!("the value of the lock `{name}`"), span);
                    }
                    Some((Base::Srcu, 0)) => {
                        return unsupported(format!("the value of the srcu_struct `{name}`"), span);
                    }
                    _ => {}
                }
                (Asked::Location(index), name.clone())
            }
        };
        let known = self.asked.iter().position(|known| known.0 == asked);
        let index = known.unwrap_or_else(|| {
            self.asked.push((asked, intern(&name), shown));
            self.asked.len() - 1
        });
        self.asked[index].2 |= shown;
        Ok(index)
    }

    /// Which of the registers that `process` returns is the one called `name`.
    fn register(&mut self, process: usize, name: &str, span: Span) -> Checked<usize> {
        let Some(process_code) = self.processes.get_mut(process) else {
            return invalid(format!("there is no process P{process}"), span);
        };
        let registers = &process_code.registers;
        let Some(register) = registers.iter().position(|known| known.name == name) else {
            return invalid(format!("P{process} has no variable `{name}`"), span);
        };
        let returned = &mut process_code.returned;
        let known = returned.iter().position(|&known| known == register);
        Ok(known.unwrap_or_else(|| {
            returned.push(register);
            returned.len() - 1
        }))
    }

    fn prop(&mut self, prop: &ast::Prop, shown: bool) -> Checked<Prop> {
        let mut both = |left: &ast::Prop, right: &ast::Prop| {
            let left = Box::new(self.prop(left, shown)?);
            Ok((left, Box::new(self.prop(right, shown)?)))
        };
        Ok(match prop {
            ast::Prop::Constant(constant) => Prop::Constant(*constant),
            ast::Prop::And(left, right) => both(left, right).map(|(l, r)| Prop::And(l, r))?,
            ast::Prop::Or(left, right) => both(left, right).map(|(l, r)| Prop::Or(l, r))?,
            ast::Prop::Implies(left, right) => {
                both(left, right).map(|(l, r)| Prop::Implies(l, r))?
            }
            ast::Prop::Not(prop) => Prop::Not(Box::new(self.prop(prop, shown)?)),
            ast::Prop::Equal(left, right) => {
                let asked = self.target(&left.node, left.span, shown)?;
                match &right.node {
                    Operand::Constant(Constant::Int(value)) => Prop::IsWord(asked, *value),
                    Operand::Constant(Constant::AddressOf(name)) => {
                        let location = self.globals.get(name, right.span)?;
                        Prop::IsWord(asked, address_of(location))
                    }
                    Operand::Target(target) => {
                        Prop::AreEqual(asked, self.target(target, right.span, shown)?)
                    }
                }
            }
        })
    }
}

fn condition_text(test: &Test) -> String {
    let quantifier = match test.quantifier {
        Quantifier::Exists => "exists",
        Quantifier::NotExists => "~exists",
        Quantifier::ForAll => "forall",
    };
    format!("{quantifier} ({})", Text(&test.condition))
}

/// A proposition in herd's notation, with no more parentheses than it takes.
struct Text<'a>(&'a ast::Prop);

impl Text<'_> {
    fn power(&self) -> u8 {
        match self.0 {
            ast::Prop::Or(..) => 1,
            ast::Prop::And(..) => 2,
            ast::Prop::Implies(..) => 3,
            ast::Prop::Not(..) => 4,
            ast::Prop::Constant(_) | ast::Prop::Equal(..) => 5,
        }
    }

    fn in_context(&self, least: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.power() < least {
            write!(f, "({self})")
        } else {
            write!(f, "{self}")
        }
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let power = self.power();
        let (left, operator, right) = match self.0 {
            ast::Prop::Constant(constant) => return write!(f, "{constant}"),
            ast::Prop::Equal(left, right) => {
                write_target(&left.node, f)?;
                f.write_str("=")?;
                return match &right.node {
                    Operand::Constant(Constant::Int(value)) => write!(f, "{value}"),
                    Operand::Constant(Constant::AddressOf(name)) => f.write_str(name),
                    Operand::Target(target) => write_target(target, f),
                };
            }
            ast::Prop::Not(prop) => {
                f.write_str("not ")?;
                return Text(prop).in_context(power, f);
            }
            ast::Prop::And(left, right) => (left, "/\\", right),
            ast::Prop::Or(left, right) => (left, "\\/", right),
            ast::Prop::Implies(left, right) => (left, "=>", right),
        };
        // `=>` leans to the right, the others to the left.
        let leans_right = u8::from(operator == "=>");
        Text(left).in_context(power + leans_right, f)?;
        write!(f, " {operator} ")?;
        Text(right).in_context(power + 1 - leans_right, f)
    }
}

fn write_target(target: &Target, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match target {
        Target::Register(process, name) => write!(f, "{process}:{name}"),
        Target::Location(name) => write!(f, "[{name}]"),
    }
}
