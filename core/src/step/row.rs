//! What a row of the table of steps has, and what is made of the rows.

/// What the project knows of one step.
pub(super) struct Row {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) does: &'static str,
    pub(super) pairs_with: &'static str,
    pub(super) source: &'static str,
}

macro_rules! steps {
    ($($(#[$doc:meta])* $step:ident = $id:literal, $name:literal, $does:literal, $pairs:literal, $source:literal;)*) => {
        /// A load-bearing step of the protocol.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Step {
            $(#[doc = $does] $(#[$doc])* $step,)*
        }

        impl Step {
            /// All steps, in the order of the catalogue.
            pub const ALL: &[Self] = &[$(Self::$step,)*];

            pub(super) const fn row(self) -> Row {
                match self {
                    $(Self::$step => Row { id: $id, name: $name, does: $does, pairs_with: $pairs, source: $source },)*
                }
            }
        }
    };
}

pub(super) use steps;
