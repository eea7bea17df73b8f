//! Operations that go or come together when a step is knocked out.

/// The walker's reads, as heads of address dependencies and without.
pub(crate) const DEPENDENT: &[&str] = &[
    "load.Dependency mm0.pgd[0]",
    "load.Dependency mm0.pmd[1]",
    "load.Dependency mm0.pte[4]",
    "load.Dependency mm0.pud[0]",
];
pub(crate) const INDEPENDENT: &[&str] = &[
    "load.Relaxed mm0.pgd[0]",
    "load.Relaxed mm0.pmd[1]",
    "load.Relaxed mm0.pte[4]",
    "load.Relaxed mm0.pud[0]",
];

/// The walk of no pages, where there is nothing.
pub(crate) const EMPTY_WALK: &[&str] = &[
    "enter irqs off",
    "enter rcu",
    "leave irqs off",
    "leave rcu",
    "load.Dependency mm0.pgd[0]",
    "load.Dependency mm0.pmd[1]",
    "load.Dependency mm0.pud[0]",
    "read page0.table",
    "read page1.table",
    "read page2.table",
];

/// The counts that a split gives back, with release and without.
pub(crate) const RELEASED: &[&str] = &[
    "store.Release page3.refcount",
    "store.Release page4.refcount",
    "store.Release page5.refcount",
    "store.Release page6.refcount",
];
pub(crate) const STORED: &[&str] = &[
    "store.Relaxed page3.refcount",
    "store.Relaxed page4.refcount",
    "store.Relaxed page5.refcount",
    "store.Relaxed page6.refcount",
];

/// What is asked of a pagemap for a reference, which is given back.
pub(crate) const REFERENCE_OF_A_PAGEMAP: &[&str] = &[
    "add.Relaxed pagemap0.ref",
    "load.Relaxed pagemap0.dead",
    "load.Relaxed pagemap0.dead",
    "sub.Relaxed pagemap0.ref",
];

/// The entries that a collapse clears, with the order of x86 and without.
pub(crate) const CLEARED: &[&str] = &[
    "xchg.Full mm0.pmd[1]",
    "xchg.Full mm0.pte[4]",
    "xchg.Full mm0.pte[5]",
    "xchg.Full mm0.pte[6]",
    "xchg.Full mm0.pte[7]",
];
pub(crate) const STORED_OVER: &[&str] = &[
    "load.Relaxed mm0.pmd[1]",
    "store.Relaxed mm0.pmd[1]",
    "store.Relaxed mm0.pte[4]",
    "store.Relaxed mm0.pte[5]",
    "store.Relaxed mm0.pte[6]",
    "store.Relaxed mm0.pte[7]",
];
