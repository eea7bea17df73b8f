//! Error codes, as GUP and those who change page tables return them.

use std::fmt;

/// An error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Errno {
    /// There is nothing.
    Enoent = 2,
    /// Interrupted.
    Eintr = 4,
    /// Try again.
    Eagain = 11,
    /// Out of memory.
    Enomem = 12,
    /// Bad address.
    Efault = 14,
    /// The mmap lock was dropped meanwhile.
    Ebusy = 16,
    /// There is a mapping, but no struct page.
    Eexist = 17,
    /// Invalid argument.
    Einval = 22,
    /// The page must be unshared first; never leaves the slow path.
    Emlink = 31,
    /// The range overflows.
    Eoverflow = 75,
    /// Not for this kind of memory.
    Eopnotsupp = 95,
    /// Peer-to-peer memory that the caller did not ask for.
    Eremoteio = 121,
    /// The page is poisoned.
    Ehwpoison = 133,
}

impl Errno {
    /// Its name, as in a man page, with the sign that the kernel returns.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enoent => "-ENOENT",
            Self::Eintr => "-EINTR",
            Self::Eagain => "-EAGAIN",
            Self::Enomem => "-ENOMEM",
            Self::Efault => "-EFAULT",
            Self::Ebusy => "-EBUSY",
            Self::Eexist => "-EEXIST",
            Self::Einval => "-EINVAL",
            Self::Emlink => "-EMLINK",
            Self::Eoverflow => "-EOVERFLOW",
            Self::Eopnotsupp => "-EOPNOTSUPP",
            Self::Eremoteio => "-EREMOTEIO",
            Self::Ehwpoison => "-EHWPOISON",
        }
    }

    /// What the kernel returns.
    pub const fn code(self) -> i32 {
        -(self as i32)
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
