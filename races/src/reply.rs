//! What the kernel's functions return, as the words of an outcome.

use gupcheck_core::folio::Pfn;
use gupcheck_core::gup::{Errno, Gup};
use gupcheck_core::mm::VmFault;
use gupcheck_core::mutators::{Poisoned, Scan};
use gupcheck_core::pgtable::Level;
use gupcheck_program::Returned;

use crate::translation::pack;

/// Something that a CPU of a scene may return.
pub trait Reply {
    /// As labelled words.
    fn into_returned(self) -> Returned;
}

impl Reply for Returned {
    fn into_returned(self) -> Returned {
        self
    }
}

impl Reply for Gup<'_> {
    fn into_returned(self) -> Returned {
        let returned = match self.result {
            Ok(count) => Returned::nothing().int("ret", count as i64),
            Err(errno) => Returned::nothing().text("ret", errno.name()),
        };
        let returned =
            (self.asked.iter()).fold(returned, |returned, asked| returned.with_aside(pack(asked)));
        self.pages.iter().fold(returned, |returned, page| {
            returned.int("page", i64::from(page.pfn.0))
        })
    }
}

impl Reply for Result<(), Errno> {
    fn into_returned(self) -> Returned {
        Returned::nothing().text("ret", self.map_or_else(Errno::name, |()| "0"))
    }
}

impl Reply for Scan {
    fn into_returned(self) -> Returned {
        Returned::nothing().text("scan", self.name())
    }
}

impl Reply for VmFault {
    fn into_returned(self) -> Returned {
        let text = match self {
            Self::Done => "done",
            Self::Oom => "oom",
            Self::Sigbus => "sigbus",
            Self::Retry => "retry",
            Self::Completed => "completed",
            Self::Hwpoison => "hwpoison",
        };
        Returned::nothing().text("fault", text)
    }
}

impl Reply for Poisoned {
    fn into_returned(self) -> Returned {
        let text = match self {
            Self::TakenOff => "taken off",
            Self::Recovered => "recovered",
            Self::Delayed => "delayed",
            Self::Failed => "failed",
            Self::Ignored => "ignored",
            Self::Known => "known",
        };
        Returned::nothing().text("poisoned", text)
    }
}

impl Reply for () {
    fn into_returned(self) -> Returned {
        Returned::nothing()
    }
}

impl Reply for bool {
    fn into_returned(self) -> Returned {
        Returned::nothing().text("did", if self { "yes" } else { "no" })
    }
}

impl Reply for Option<Level> {
    fn into_returned(self) -> Returned {
        let text = match self {
            None => "none",
            Some(Level::Pte) => "pte",
            Some(Level::Pmd) => "pmd",
            Some(Level::Pud) => "pud",
            Some(Level::P4d) => "p4d",
            Some(Level::Pgd) => "pgd",
        };
        Returned::nothing().text("size", text)
    }
}

impl Reply for Result<Level, Errno> {
    fn into_returned(self) -> Returned {
        match self {
            Ok(level) => Some(level).into_returned(),
            Err(errno) => Returned::nothing().text("size", errno.name()),
        }
    }
}

impl Reply for Option<Pfn> {
    fn into_returned(self) -> Returned {
        match self {
            Some(pfn) => Returned::nothing().int("page", i64::from(pfn.0)),
            None => Returned::nothing(),
        }
    }
}

impl Reply for Option<u32> {
    fn into_returned(self) -> Returned {
        match self {
            Some(value) => Returned::nothing().int("value", i64::from(value)),
            None => Returned::nothing(),
        }
    }
}
