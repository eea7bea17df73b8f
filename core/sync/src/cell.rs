//! Typed handles to declared cells.
//!
//! A handle is an index: copying it, comparing it or passing it to another CPU touches nothing that
//! an engine models. Only the methods that take a [`Lane`] are operations, and every one of them is
//! reported with the line of its caller.

use super::{CellId, Lane, LoadOrder, Look, Op, Rmw, RmwOrder, StoreOrder, Until, Word};
use std::fmt;
use std::marker::PhantomData;

macro_rules! handle {
    ($handle:ident) => {
        impl<T> Clone for $handle<T> {
            fn clone(&self) -> Self {
                *self
            }
        }
        impl<T> Copy for $handle<T> {}
        impl<T> PartialEq for $handle<T> {
            fn eq(&self, other: &Self) -> bool {
                self.id == other.id
            }
        }
        impl<T> Eq for $handle<T> {}
        impl<T> fmt::Debug for $handle<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($handle), "({})"), self.id.0)
            }
        }
        impl<T: Word> $handle<T> {
            pub(super) const fn of(id: CellId) -> Self {
                Self {
                    id,
                    value: PhantomData,
                }
            }
            /// Which cell this is.
            pub const fn id(self) -> CellId {
                self.id
            }
        }
    };
}

/// An atomic cell that holds a `T`.
pub struct Atomic<T> {
    id: CellId,
    value: PhantomData<fn(T) -> T>,
}
handle!(Atomic);

impl<T: Word> Atomic<T> {
    /// Loads.
    #[track_caller]
    pub fn load(self, lane: &Lane<'_>, order: LoadOrder) -> T {
        T::from_word(self.look(lane, order, Look::Value))
    }

    /// Loads, and asks whether the value is `value`.
    #[track_caller]
    pub fn is(self, lane: &Lane<'_>, value: T, order: LoadOrder) -> bool {
        self.look(lane, order, Look::Is(value.into_word())) != 0
    }

    /// Loads, and asks whether all these bits are set.
    #[track_caller]
    pub fn has_all(self, lane: &Lane<'_>, bits: T, order: LoadOrder) -> bool {
        self.look(lane, order, Look::HasAll(bits.into_word())) != 0
    }

    /// Loads, and asks whether some of these bits are set.
    #[track_caller]
    pub fn has_any(self, lane: &Lane<'_>, bits: T, order: LoadOrder) -> bool {
        self.look(lane, order, Look::HasAny(bits.into_word())) != 0
    }

    /// Loads, and asks what `look` asks; the answer.
    #[track_caller]
    pub fn look(self, lane: &Lane<'_>, order: LoadOrder, look: Look) -> u64 {
        lane.perform(Op::Load {
            cell: self.id,
            order,
            look,
        })
    }

    /// Stores.
    #[track_caller]
    pub fn store(self, lane: &Lane<'_>, value: T, order: StoreOrder) {
        lane.perform(Op::Store {
            cell: self.id,
            order,
            value: value.into_word(),
        });
    }

    /// Reads, decides, and writes or leaves, as one operation. Returns what was read; whether
    /// something was written is [`Rmw::apply`]'s answer for it.
    #[track_caller]
    pub fn rmw(self, lane: &Lane<'_>, rmw: Rmw, order: RmwOrder) -> T {
        T::from_word(self.rmw_look(lane, rmw, order, Look::Value))
    }

    /// Updates, and looks at nothing.
    #[track_caller]
    pub fn update(self, lane: &Lane<'_>, rmw: Rmw, order: RmwOrder) {
        self.rmw_look(lane, rmw, order, Look::Nothing);
    }

    /// Updates unless the condition refuses; whether it did.
    ///
    /// # Panics
    /// If `rmw` has no condition.
    #[track_caller]
    pub fn try_update(self, lane: &Lane<'_>, rmw: Rmw, order: RmwOrder) -> bool {
        let (look, done) = rmw.condition().expect("an update that may be refused");
        self.rmw_look(lane, rmw, order, look) == u64::from(done)
    }

    /// Updates, and asks what `look` asks of the value before; the answer.
    #[track_caller]
    pub fn rmw_look(self, lane: &Lane<'_>, rmw: Rmw, order: RmwOrder, look: Look) -> u64 {
        lane.perform(Op::Rmw {
            cell: self.id,
            order,
            rmw,
            look,
        })
    }

    /// Exchanges, and returns the old value.
    #[track_caller]
    pub fn swap(self, lane: &Lane<'_>, value: T, order: RmwOrder) -> T {
        self.rmw(lane, Rmw::Swap(value.into_word()), order)
    }

    /// Exchanges if the value is `expected`.
    ///
    /// # Errors
    /// The value found, where it was another.
    #[track_caller]
    pub fn compare_exchange(
        self,
        lane: &Lane<'_>,
        expected: T,
        new: T,
        order: RmwOrder,
    ) -> Result<T, T> {
        let rmw = Rmw::CompareExchange {
            expected: expected.into_word(),
            new: new.into_word(),
        };
        let found = self.rmw(lane, rmw, order);
        if found.into_word() == expected.into_word() {
            Ok(found)
        } else {
            Err(found)
        }
    }

    /// Waits until the value meets `until`, and returns it. The only way to wait on memory.
    #[track_caller]
    pub fn spin_until(self, lane: &Lane<'_>, until: Until, order: LoadOrder) -> T {
        T::from_word(self.spin(lane, until, order, Look::Value))
    }

    /// Waits until the value meets `until`, and looks at nothing more.
    #[track_caller]
    pub fn wait_until(self, lane: &Lane<'_>, until: Until, order: LoadOrder) {
        self.spin(lane, until, order, Look::Nothing);
    }

    #[track_caller]
    fn spin(self, lane: &Lane<'_>, until: Until, order: LoadOrder, look: Look) -> u64 {
        lane.perform(Op::SpinUntil {
            cell: self.id,
            order,
            until,
            look,
        })
    }
}

/// A plain cell that holds a `T`: no ordering, no atomicity, and a data race is a violation.
pub struct Plain<T> {
    id: CellId,
    value: PhantomData<fn(T) -> T>,
}
handle!(Plain);

impl<T: Word> Plain<T> {
    /// Reads.
    #[track_caller]
    pub fn read(self, lane: &Lane<'_>) -> T {
        T::from_word(lane.perform(Op::Read { cell: self.id }))
    }

    /// Writes.
    #[track_caller]
    pub fn write(self, lane: &Lane<'_>, value: T) {
        lane.perform(Op::Write {
            cell: self.id,
            value: value.into_word(),
        });
    }
}
