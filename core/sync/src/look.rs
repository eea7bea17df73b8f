//! What code looks at of a value that it reads.

/// The one question that an operation asks of the value that it reads.
///
/// Code seldom cares for all of a value: a count is compared with zero, a flag is tested, what an update
/// without a result found is nobody's business. The question is part of the operation, and the code gets its
/// [answer](Look::answer) and nothing else, so that it *cannot* depend on more. Two executions that
/// differ only in what nobody looked at are the same to their CPUs, and an engine may treat them so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Look {
    /// What is it? The answer is the value.
    Value,
    /// Nothing. The answer is 0.
    Nothing,
    /// Is it this?
    Is(u64),
    /// Is it, as a signed number of 32 bits, below this? A count that was added to beyond them is negative.
    IsBelow(i64),
    /// Is some of these bits set?
    HasAny(u64),
    /// Are all of these bits set?
    HasAll(u64),
    /// What are these bits? The answer is the value without all others.
    Bits(u64),
}

impl Look {
    /// The answer for `value`: 1 for yes and 0 for no, where it is a question of yes or no.
    pub const fn answer(self, value: u64) -> u64 {
        match self {
            Self::Value => value,
            Self::Nothing => 0,
            Self::Is(expected) => (value == expected) as u64,
            Self::IsBelow(limit) => ((value as i32 as i64) < limit) as u64,
            Self::HasAny(bits) => (value & bits != 0) as u64,
            Self::HasAll(bits) => (value & bits == bits) as u64,
            Self::Bits(bits) => value & bits,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Look;

    #[test]
    fn answers() {
        let minus_one = -1_i64 as u64;
        assert_eq!(Look::Value.answer(7), 7);
        assert_eq!(Look::Nothing.answer(7), 0);
        assert_eq!(Look::Is(7).answer(7), 1);
        assert_eq!(Look::Is(7).answer(6), 0);
        assert_eq!(Look::IsBelow(0).answer(minus_one), 1);
        assert_eq!(Look::IsBelow(0).answer(0), 0);
        assert_eq!(Look::IsBelow(0).answer(1 << 31), 1);
        assert_eq!(Look::HasAny(6).answer(2), 1);
        assert_eq!(Look::HasAny(6).answer(1), 0);
        assert_eq!(Look::HasAll(6).answer(2), 0);
        assert_eq!(Look::HasAll(6).answer(7), 1);
        assert_eq!(Look::Bits(6).answer(13), 4);
    }
}
