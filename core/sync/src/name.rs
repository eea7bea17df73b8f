//! What an object, a span or a lane is called.

use std::fmt;

/// The name of an object, as whoever wrote the code would write it: `queue3.head`, `mm0.pmd[1]`.
///
/// A name is a template in which every `{}` stands for the next index. It is a plain value that can
/// be made, copied and compared without allocating; text appears only when somebody looks at it.
///
/// ```
/// use gupcheck_sync::Name;
/// assert_eq!(Name::new("mm{}.pmd[{}]", [0, 1]).to_string(), "mm0.pmd[1]");
/// assert_eq!(Name::from("zone.lock").to_string(), "zone.lock");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    template: &'static str,
    indices: [u32; 3],
}

impl Name {
    /// A name from its template and the indices for its `{}`s, at most three.
    pub const fn new<const N: usize>(template: &'static str, indices: [u32; N]) -> Self {
        assert!(N <= 3, "a name has at most three indices");
        let mut all = [0; 3];
        let mut i = 0;
        while i < N {
            all[i] = indices[i];
            i += 1;
        }
        Self {
            template,
            indices: all,
        }
    }
}

impl From<&'static str> for Name {
    fn from(text: &'static str) -> Self {
        Self::new(text, [])
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut indices = self.indices.iter();
        for (nth, piece) in self.template.split("{}").enumerate() {
            if nth > 0 {
                match indices.next() {
                    Some(index) => write!(f, "{index}")?,
                    None => f.write_str("?")?,
                }
            }
            f.write_str(piece)?;
        }
        Ok(())
    }
}
