//! A part of the cells.

/// As many steps of one group go to the same part: the group's control is searched by each part that has some of its steps,
/// so they should not be torn apart more than need be; and the groups differ a lot in what they cost, so no part
/// should have too many of the same.
const TOGETHER: usize = 16;

/// One of several parts. Which cells it has depends on their places in the question alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    /// From 0.
    nth: usize,
    of: usize,
}

impl Shard {
    /// Everything.
    pub(crate) const WHOLE: Self = Self { nth: 0, of: 1 };

    /// `2/8` is the second of eight.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (nth, of) = text.split_once('/')?;
        let (nth, of): (usize, usize) = (nth.parse().ok()?, of.parse().ok()?);
        (1..=of).contains(&nth).then(|| Self { nth: nth - 1, of })
    }

    /// Whether the cell of a group's step is in it.
    pub(crate) const fn has(self, group: usize, step: usize) -> bool {
        (group + step / TOGETHER) % self.of == self.nth
    }

    /// Whether a group's control is to be known by it, even if none of its steps is.
    pub(crate) const fn has_control(self, group: usize) -> bool {
        self.has(group, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_is_in_one_part_and_no_part_has_many_more_than_others() {
        for of in 1..12 {
            let mut sizes = vec![0; of];
            for group in 0..100 {
                for step in 0..70 {
                    let parts: Vec<_> = (0..of)
                        .filter(|&nth| Shard { nth, of }.has(group, step))
                        .collect();
                    assert_eq!(parts.len(), 1);
                    sizes[parts[0]] += 1;
                }
            }
            let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
            assert!(most - least <= 2 * 70, "{sizes:?}");
        }
    }

    #[test]
    fn a_part_is_one_of_several() {
        assert_eq!(Shard::parse("1/1"), Some(Shard::WHOLE));
        assert_eq!(Shard::parse("2/8"), Some(Shard { nth: 1, of: 8 }));
        for wrong in ["", "2", "0/8", "9/8", "1/0", "-1/2", "a/b", "1/2/3"] {
            assert_eq!(Shard::parse(wrong), None, "{wrong}");
        }
    }
}
