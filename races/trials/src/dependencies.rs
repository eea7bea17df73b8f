//! Loads at the head of a dependency: of values that lead somewhere, and of others.

use std::fmt;

use gupcheck_program::{Program, Returned};
use gupcheck_sync::{Atomic, Layout, LoadOrder, Name, Until, Word};

use super::{Dependency, Loose, Plainly, Release, r};

/// A value that leads to an object, or nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link(pub u8);

impl Link {
    /// Leads nowhere: what every link starts with.
    pub const NOWHERE: Self = Self(0);
    /// Leads to the object.
    pub const OBJECT: Self = Self(1);
    /// Says that there is something, and leads nowhere.
    pub const FLAG: Self = Self(2);
}

impl Word for Link {
    fn into_word(self) -> u64 {
        self.0.into()
    }
    fn from_word(word: u64) -> Self {
        Self(word as u8)
    }
    fn show(word: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match word {
            0 => "nowhere",
            1 => "object",
            _ => "flag",
        })
    }
    fn leads_to(word: u64) -> Option<Name> {
        (word == 1).then(|| Name::from("object"))
    }
}

fn returned(link: Link, data: i32) -> Returned {
    r(link.0.into()).int("r", data.into())
}

/// Message passing through a link that is published with release: the reader loads it with `order`, then the data
/// without. It returns both. The data is stale, if at all, where the load did not acquire.
pub fn message(link: Link, order: LoadOrder) -> Program {
    passed(link, move |cell, lane| cell.load(lane, order))
}

/// As [`message`], but the reader spins until there is something.
pub fn spun_message(link: Link, order: LoadOrder) -> Program {
    let something = Until::Differs(Link::NOWHERE.into_word());
    passed(link, move |cell, lane| {
        cell.spin_until(lane, something, order)
    })
}

fn passed(
    link: Link,
    read: impl Fn(Atomic<Link>, &gupcheck_sync::Lane<'_>) -> Link + Send + Sync + 'static,
) -> Program {
    let mut layout = Layout::new();
    let data = layout.atomic("data", 0);
    let cell = layout.atomic("link", Link::NOWHERE);
    let mut program = Program::new(layout);
    program.cpu("writer", move |lane| {
        data.store(lane, 1, Plainly);
        cell.store(lane, link, Release);
        Returned::nothing()
    });
    program.cpu("reader", move |lane| {
        let found = read(cell, lane);
        returned(found, data.load(lane, Loose))
    });
    program
}

/// Message passing of plain data: the reader reads it if there is something. A data race, where the load of the link
/// did not acquire.
pub fn plain_message(link: Link, order: LoadOrder) -> Program {
    let mut layout = Layout::new();
    let data = layout.plain("data", 0);
    let cell = layout.atomic("link", Link::NOWHERE);
    let mut program = Program::new(layout);
    program.cpu("writer", move |lane| {
        data.write(lane, 1);
        cell.store(lane, link, Release);
        Returned::nothing()
    });
    program.cpu("reader", move |lane| {
        let found = cell.load(lane, order);
        if found == Link::NOWHERE {
            return returned(found, 0);
        }
        returned(found, data.read(lane))
    });
    program
}

/// A relaxed load of a flag that is published with release, then the head of a dependency that has nothing to do with
/// it, then the data: nothing orders the first load and the last one, so that `1 0` may be read where loads may be
/// done early. An acquire fence in place of the dependency forbids that.
pub fn an_earlier_load() -> Program {
    let mut layout = Layout::new();
    let data = layout.atomic("data", 0);
    let flag = layout.atomic("flag", 0);
    let link = layout.atomic("link", Link::OBJECT);
    let mut program = Program::new(layout);
    program.cpu("writer", move |lane| {
        data.store(lane, 1, Plainly);
        flag.store(lane, 1, Release);
        Returned::nothing()
    });
    program.cpu("reader", move |lane| {
        let ready = flag.load(lane, Loose);
        link.load(lane, Dependency);
        r(ready).int("r", data.load(lane, Loose).into())
    });
    program
}
