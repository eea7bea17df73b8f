//! What GUP promises of one page, said once more, and apart from the model: from what callers are told, and what user space sees.
//!
//! 1. The lockless walk knows no area. It takes what hardware could use: present, not forbidden, not special. To write it must be
//!    writable. A pin to read must be of a page that is this process's own; one for long, of no device.
//! 2. Whatever it does not take, the slow walk decides, and by the area first: an area that is no memory, or does not allow the access,
//!    is `-EFAULT`. Force allows to read what might be read, and to write to private memory that might be written.
//! 3. A writer gets a page of its own: the one that is there, if nobody else has it; or else a copy. So does who pins to read, of what
//!    is anonymous. The zero page is nobody's: a reader gets it, a pin to read too, one for long a copy, where copies are made.
//! 4. What is not there is faulted in, a page of zeroes for a writer, the zero page for a reader; swapped out, it is read again. Where
//!    nobody may fault that is `-EFAULT`, where there is no memory `-ENOMEM`.
//! 5. Writing by force makes no entry writable, so an own page is written to as it is, without a fault.
//! 6. Who does not ask for NUMA hints does not see them, unless it writes.

use gupcheck_core::gup::{Errno, Foll};

/// An area, as user space made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    ReadWrite,
    ReadOnly,
    WriteOnly,
    NoAccess,
    /// Read-only, and nobody can make it anything else.
    Sealed,
    ShadowStack,
    /// A device's registers.
    Io,
    /// Frames without struct pages.
    PfnMap,
    Secret,
    /// A file whose pages are a device's memory.
    Dax,
    /// There is none.
    Nowhere,
}

/// What the tables have for the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// No table.
    NoTable,
    /// A table, and nothing in it.
    Hole,
    /// An own page, writable.
    Writable,
    /// An own page, read-only.
    Own,
    /// A page that somebody else has, too.
    Shared,
    /// A page that was shared, and nobody else has any more.
    Left,
    /// A page of KSM's.
    Ksm,
    /// The zero page.
    Zero,
    /// An own page, with a NUMA hint.
    Hint,
    /// An own page where nothing is allowed.
    Forbidden,
    /// Swapped out, and was its own.
    SwapOwn,
    /// Swapped out, and was not.
    SwapShared,
    /// A frame without a struct page.
    Raw,
    /// A device's page.
    Device,
    /// Memory has failed.
    Poisoned,
    HugeWritable,
    HugeOwn,
    HugeShared,
    HugeZero,
}

/// What is called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) pin: bool,
    /// It begins with the lockless walk.
    pub(crate) fast: bool,
    /// It goes on with the slow one.
    pub(crate) slow: bool,
}

/// Which page the caller gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// The one that was there.
    There,
    /// One that was free.
    New,
    /// The zero page.
    Zero,
}

/// The case: all that it depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) call: Call,
    pub(crate) flags: Foll,
    pub(crate) kind: Kind,
    /// Whether there are free pages.
    pub(crate) memory: bool,
}

impl Case {
    fn asks(self, flag: Foll) -> bool {
        self.flags.contains(flag)
    }

    /// Rule 1.
    pub(crate) fn lockless(self, state: State) -> bool {
        let (write, pin) = (self.asks(Foll::WRITE), self.call.pin);
        let long = self.asks(Foll::LONGTERM);
        match state {
            State::Writable | State::HugeWritable => true,
            State::Device => !long,
            State::Own | State::HugeOwn => !write,
            State::Shared | State::Left | State::Ksm | State::HugeShared => !write && !pin,
            // Not anonymous, and not special.
            State::HugeZero => !write && !long,
            _ => false,
        }
    }

    /// Rule 2: why the area refuses.
    fn refused(self) -> Option<Errno> {
        let (write, force) = (self.asks(Foll::WRITE), self.asks(Foll::FORCE));
        let allowed = match self.kind {
            Kind::Io | Kind::PfnMap | Kind::Secret | Kind::Nowhere => false,
            Kind::Dax if self.asks(Foll::LONGTERM) => return Some(Errno::Eopnotsupp),
            Kind::Dax | Kind::ReadWrite => true,
            Kind::ReadOnly | Kind::ShadowStack => !write || force,
            Kind::WriteOnly => write || force,
            Kind::NoAccess => force,
            Kind::Sealed => !write,
        };
        (!allowed).then_some(Errno::Efault)
    }

    /// A page from the slow walk that needs a fault, and maybe memory.
    fn by_fault(self, which: Which, memory: bool) -> Result<Which, Errno> {
        if self.asks(Foll::NOFAULT) {
            Err(Errno::Efault)
        } else if memory && !self.memory {
            Err(Errno::Enomem)
        } else {
            Ok(which)
        }
    }

    /// Rules 2 to 6.
    fn slow(self, state: State) -> Result<Which, Errno> {
        if let Some(errno) = self.refused() {
            return Err(errno);
        }
        let (write, pin) = (self.asks(Foll::WRITE), self.call.pin);
        let own = write || pin;
        let copies_zero = write || self.asks(Foll::LONGTERM) && self.kind != Kind::Sealed;
        // Whether an own page that is read-only is writable after a fault.
        let becomes_writable = write && matches!(self.kind, Kind::ReadWrite | Kind::WriteOnly);
        let new = || self.by_fault(Which::New, true);
        let same = || self.by_fault(Which::There, false);
        match state {
            State::SwapOwn | State::SwapShared => new(),
            State::Shared | State::Ksm | State::HugeShared if own => new(),
            State::HugeZero | State::Zero | State::Hole | State::NoTable if copies_zero => new(),
            State::Left if own => same(),
            State::Own | State::HugeOwn if becomes_writable => same(),
            State::Hint if becomes_writable || self.asks(Foll::HONOR_NUMA_FAULT) => same(),
            State::Zero => Ok(Which::Zero),
            State::Hole => self.by_fault(Which::Zero, false),
            State::NoTable => self.by_fault(Which::Zero, true),
            State::Raw => Err(Errno::Eexist),
            State::Poisoned if self.asks(Foll::HWPOISON) && !self.asks(Foll::NOFAULT) => {
                Err(Errno::Ehwpoison)
            }
            State::Poisoned => Err(Errno::Efault),
            // What is there will do.
            _ => Ok(Which::There),
        }
    }

    /// Of all these pages, in a row: which of them the caller gets, or why not the first. The lockless walk stops at what it does not
    /// take, and the slow one goes on from there.
    pub(crate) fn promises(self, states: &[State]) -> Result<Vec<Which>, Errno> {
        let taken = states.iter().take_while(|&&state| self.lockless(state));
        let lockless = if self.call.fast { taken.count() } else { 0 };
        let mut got = vec![Which::There; lockless];
        if !self.call.slow {
            return Ok(got);
        }
        for &state in &states[lockless..] {
            match self.slow(state) {
                Ok(which) => got.push(which),
                Err(errno) if got.is_empty() => return Err(errno),
                Err(_) => break,
            }
        }
        Ok(got)
    }
}
