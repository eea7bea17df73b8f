//! Which kinds of programs are drawn.

/// Which programs are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// A bit of everything.
    #[default]
    Mixed,
    /// Reader-writer locks, and waiting on memory.
    Queues,
    /// Waiting on memory, with all that may hide what is waited for.
    Waits,
    /// CPUs that do the same, beside one that does something else.
    Twins,
    /// Sections, and waits for them.
    Sections,
    /// The same, with CPUs that do the same.
    SectionTwins,
    /// CPUs that start and join each other.
    Spawns,
    /// Heads of address dependencies, and questions asked of what is read.
    Looks,
    /// Updates that return nothing or refuse, and fences.
    Voids,
    /// Questions asked of what is read, among fences and fully ordered updates.
    Fenced,
    /// Operations that say what they were computed from.
    Dependencies,
    /// Plain accesses, and what may order them.
    Plain,
}

impl Family {
    /// All families.
    pub const ALL: [Self; 12] = [
        Self::Mixed,
        Self::Queues,
        Self::Waits,
        Self::Twins,
        Self::Sections,
        Self::SectionTwins,
        Self::Spawns,
        Self::Looks,
        Self::Voids,
        Self::Fenced,
        Self::Dependencies,
        Self::Plain,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mixed => "mixed",
            Self::Queues => "queues",
            Self::Waits => "waits",
            Self::Twins => "twins",
            Self::Sections => "sections",
            Self::SectionTwins => "section-twins",
            Self::Spawns => "spawns",
            Self::Looks => "looks",
            Self::Voids => "voids",
            Self::Fenced => "fenced",
            Self::Dependencies => "dependencies",
            Self::Plain => "plain",
        }
    }

    /// (CPUs, lines a CPU): as much as brute force can do.
    pub(super) const fn sizes(self) -> &'static [(usize, u64)] {
        match self {
            Self::Dependencies => &[(2, 3), (2, 4), (3, 2), (3, 2), (3, 3)],
            Self::Plain | Self::Fenced => &[(2, 3), (2, 4), (2, 5), (3, 2), (3, 3)],
            Self::Looks => &[(2, 2), (2, 3), (2, 3), (2, 4), (3, 2)],
            Self::Mixed => &[
                (2, 2),
                (2, 3),
                (2, 3),
                (2, 4),
                (3, 2),
                (3, 2),
                (3, 2),
                (4, 1),
            ],
            Self::Queues => &[(3, 3), (3, 4), (4, 2), (4, 3)],
            Self::Waits => &[(2, 4), (3, 2), (3, 3), (4, 2)],
            Self::Twins => &[
                (2, 3),
                (2, 3),
                (3, 2),
                (3, 2),
                (3, 2),
                (4, 1),
                (3, 3),
                (4, 2),
            ],
            // Each line may be a whole section.
            Self::SectionTwins => &[
                (2, 3),
                (2, 3),
                (2, 4),
                (2, 4),
                (2, 4),
                (2, 4),
                (2, 4),
                (3, 1),
                (3, 1),
                (3, 1),
                (3, 1),
                (3, 1),
                (3, 1),
                (3, 1),
                (3, 1),
                (3, 2),
            ],
            Self::Sections => &[(2, 3), (2, 4), (3, 2), (3, 3), (3, 3)],
            Self::Voids => &[(2, 3), (2, 3), (2, 4), (3, 2), (3, 2), (3, 3)],
            Self::Spawns => &[
                (2, 3),
                (2, 3),
                (3, 2),
                (3, 2),
                (3, 2),
                (4, 1),
                (4, 1),
                (3, 3),
            ],
        }
    }

    /// One of [`Family::ALL`] by its name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }
}
