//! What GUP promises of one page of a file, said once more, and apart from the model: as [`promise`](crate::promise) says it of anonymous
//! memory.
//!
//! 1. The lockless walk knows no area, but whose the page is. It leaves alone what is secretmem's; a pin for long of a file whose pages
//!    must not be written to behind the file system's back; and one to read of a page that would have to be copied, if its area were
//!    private: because it does not know whether it is.
//! 2. The area decides the rest. Frames without pages and secretmem are nobody's. A pin for long may not write through a shared area of
//!    such a file. Force writes to private areas alone, and never to hugetlb's.
//! 3. In a private area a writer gets a copy, and so does a pin for long; anybody else gets the page of the file. In a shared one
//!    everybody gets that.
//! 4. What is not mapped is faulted in, and what is not in memory is read. Behind the end of the file there is nothing: `-EFAULT`.
//!    Memory is wanted for a table first, then for the copy, then for the page: `-ENOMEM`.
//! 5. Whoever lets the mmap lock be dropped finds it dropped where a page was read from a disk, and where the first write to a page had
//!    to be told, or made the page dirty.
//! 6. hugetlb's pages come from a pool, which is empty here: what would have to be copied, or made, is `-EFAULT`. A page that nobody
//!    else maps is the mapper's own, whatever its count.

use crate::promise::Call;
use gupcheck_core::gup::{Errno, Foll};

/// An area, as user space made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Private,
    PrivateReadOnly,
    Shared,
    SharedReadOnly,
    ShmemPrivate,
    ShmemShared,
    Secret,
    /// Frames without struct pages, by their numbers.
    PfnMap,
    HugePrivate,
    HugePrivateReadOnly,
    HugeShared,
}

impl Kind {
    pub(crate) fn is_private(self) -> bool {
        matches!(
            self,
            Self::Private | Self::PrivateReadOnly | Self::ShmemPrivate | Self::HugePrivate
        ) || self == Self::HugePrivateReadOnly
    }

    pub(crate) fn is_writable(self) -> bool {
        !matches!(
            self,
            Self::PrivateReadOnly | Self::SharedReadOnly | Self::HugePrivateReadOnly
        )
    }

    pub(crate) fn is_huge(self) -> bool {
        matches!(
            self,
            Self::HugePrivate | Self::HugePrivateReadOnly | Self::HugeShared
        )
    }

    /// A file on a disk, whose file system tracks what is dirty.
    fn is_on_disk(self) -> bool {
        matches!(
            self,
            Self::Private | Self::PrivateReadOnly | Self::Shared | Self::SharedReadOnly
        )
    }
}

/// What the tables have for the address, and the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing is mapped, and the page is not in memory.
    Absent,
    /// Nothing is mapped, and the page is in memory.
    Cached,
    /// Nothing is mapped, and the file is not that long.
    Behind,
    /// The file's page, read-only.
    Read,
    /// The file's page, writable.
    Write,
    /// The file's page, read-only, with a NUMA hint.
    Hint,
    /// A copy of one's own, read-only.
    Own,
    /// A copy of one's own, writable.
    OwnWritable,
    /// A copy that was shared, and nobody else maps it any more; hugetlb's.
    OwnLeft,
    /// A copy that somebody else maps; hugetlb's.
    OwnShared,
    /// The file's page is being migrated.
    Migrating,
    /// Memory has failed.
    Poisoned,
    /// A frame without a struct page.
    Raw,
}

/// Which page the caller gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// The file's.
    Files,
    /// The copy that was there.
    Own,
    /// A copy that was made.
    New,
}

/// What the slow walk comes to, and whether a fault drops the mmap lock if it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) got: Result<Which, Errno>,
    pub(crate) drops: bool,
}

/// The case: all that it depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) call: Call,
    pub(crate) flags: Foll,
    pub(crate) kind: Kind,
    pub(crate) state: State,
    /// Whether there is a table for the address.
    pub(crate) table: bool,
    /// Whether there are free pages.
    pub(crate) memory: bool,
}

const EFAULT: Result<Which, Errno> = Err(Errno::Efault);
const ENOMEM: Result<Which, Errno> = Err(Errno::Enomem);

impl Case {
    fn asks(self, flag: Foll) -> bool {
        self.flags.contains(flag)
    }

    fn writes(self) -> bool {
        self.asks(Foll::WRITE)
    }

    /// A pin for long.
    fn long(self) -> bool {
        self.call.pin && self.asks(Foll::LONGTERM)
    }

    /// Rule 1.
    pub(crate) fn lockless(self) -> bool {
        if self.kind == Kind::Secret {
            return false;
        }
        match self.state {
            State::Read => !self.writes() && !self.long(),
            State::Write => !(self.long() && self.writes() && self.kind.is_on_disk()),
            State::Own => !self.writes(),
            State::OwnWritable => true,
            State::OwnLeft | State::OwnShared => !self.writes() && !self.call.pin,
            _ => false,
        }
    }

    /// Rule 2.
    fn refused(self) -> bool {
        let tracked = self.kind == Kind::Shared;
        let forced = self.asks(Foll::FORCE) && self.kind == Kind::PrivateReadOnly;
        matches!(self.kind, Kind::Secret | Kind::PfnMap)
            || self.writes() && self.long() && tracked
            || self.writes() && !self.kind.is_writable() && !forced
    }

    /// Whether the file's page will not do, and a copy must be made of it.
    fn copies(self) -> bool {
        self.kind.is_private() && (self.writes() || self.long())
    }

    /// The end of a case in which a fault makes a copy, or needs no memory.
    fn after_a_fault(self, drops: bool) -> Outcome {
        let got = if self.copies() && self.kind.is_huge() {
            EFAULT
        } else if self.copies() && !self.memory {
            ENOMEM
        } else if self.copies() {
            Ok(Which::New)
        } else {
            Ok(Which::Files)
        };
        Outcome { got, drops }
    }

    /// Rules 2 to 6. `None` if it waits for somebody else.
    pub(crate) fn slow(self) -> Option<Outcome> {
        let ends = |got| Outcome { got, drops: false };
        if self.refused() {
            return Some(ends(EFAULT));
        }
        let may_fault = !self.asks(Foll::NOFAULT);
        let writes_shared = self.writes() && !self.kind.is_private();
        let wants_own = self.writes() || self.call.pin;
        Some(match self.state {
            State::OwnWritable => ends(Ok(Which::Own)),
            State::Write => ends(Ok(Which::Files)),
            State::Own if !self.writes() => ends(Ok(Which::Own)),
            // By force, and as it is.
            State::Own if self.kind == Kind::PrivateReadOnly => ends(Ok(Which::Own)),
            State::OwnLeft | State::OwnShared if !wants_own => ends(Ok(Which::Own)),
            State::Read if !self.writes() && !self.copies() => ends(Ok(Which::Files)),
            State::Hint
                if !self.writes() && !self.copies() && !self.asks(Foll::HONOR_NUMA_FAULT) =>
            {
                ends(Ok(Which::Files))
            }
            // Whatever is left is faulted in.
            _ if !may_fault => ends(EFAULT),
            State::Migrating => return None,
            State::Poisoned if self.asks(Foll::HWPOISON) => ends(Err(Errno::Ehwpoison)),
            State::Poisoned | State::OwnShared | State::Raw => ends(EFAULT),
            State::Own | State::OwnLeft => ends(Ok(Which::Own)),
            State::Absent | State::Behind | State::Cached if self.kind.is_huge() => {
                if self.state == State::Cached {
                    self.after_a_fault(false)
                } else {
                    ends(EFAULT)
                }
            }
            State::Absent | State::Behind | State::Cached => self.faulted_in(writes_shared),
            // hugetlb's entry is made writable, and nobody is told. Nor is anybody where taking the hint back makes it writable.
            State::Read if self.kind == Kind::HugeShared => self.after_a_fault(false),
            State::Hint if self.kind == Kind::ShmemShared => self.after_a_fault(false),
            State::Read | State::Hint => self.after_a_fault(writes_shared),
        })
    }

    /// Rules 4 and 5, of small pages.
    fn faulted_in(self, writes_shared: bool) -> Outcome {
        let copied_first = self.kind.is_private() && self.writes();
        let got = if !self.memory && (!self.table || copied_first) {
            ENOMEM
        } else if self.state == State::Behind {
            EFAULT
        } else if !self.memory && self.state == State::Absent {
            ENOMEM
        } else {
            let read = self.state == State::Absent && self.kind.is_on_disk();
            return self.after_a_fault(read || writes_shared);
        };
        Outcome { got, drops: false }
    }
}
