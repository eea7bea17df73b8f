//! Background actors, by name: who runs on a machine beside those whom a race is about.
//!
//! None of them may change what a race comes to, but between success and another try. What they do is
//! told in `mutators/noise.rs`.

use bitflags::bitflags;
use std::fmt;
use std::str::FromStr;

bitflags! {
    /// A set of background actors, one CPU each.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Noise: u8 {
        /// Somebody who goes through all frames and takes a reference of whatever is on the LRU, and drops it.
        const PFN = 1 << 0;
        /// A CPU that has a page in a batch for the LRU, a reference of it with it, and drains the batch.
        const LRU = 1 << 1;
        /// Page aging, which clears the accessed bit of an entry, and hardware, which sets it, and the dirty bit, again.
        const AD = 1 << 2;
        /// Somebody who freezes the count of a page that nobody else has a reference of, and gives it back.
        const FREEZE = 1 << 3;
    }
}

impl Noise {
    /// The names of all of them.
    pub const NAMES: [&'static str; 4] = ["pfn", "lru", "ad", "freeze"];

    /// How many CPUs they are.
    pub const fn count(self) -> u32 {
        self.bits().count_ones()
    }

    /// Each of them by itself.
    pub fn each(self) -> impl Iterator<Item = Self> {
        self.iter()
    }

    /// The names of those in the set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let named = Self::NAMES.into_iter().zip(Self::all().iter());
        named.filter_map(move |(name, one)| self.contains(one).then_some(name))
    }
}

impl fmt::Display for Noise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().collect::<Vec<_>>().join("+"))
    }
}

/// A name that no background actor has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownNoise(pub String);

impl fmt::Display for UnknownNoise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Noise::NAMES.join(" ");
        write!(f, "unknown noise {:?} (known: {known})", self.0)
    }
}

impl std::error::Error for UnknownNoise {}

impl FromStr for Noise {
    type Err = UnknownNoise;

    /// One of them, by name.
    fn from_str(name: &str) -> Result<Self, UnknownNoise> {
        let mut named = Self::NAMES.into_iter().zip(Self::all().iter());
        let found = named.find(|&(known, _)| known == name);
        found
            .map(|(_, one)| one)
            .ok_or_else(|| UnknownNoise(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back() {
        assert_eq!(Noise::all().count() as usize, Noise::NAMES.len());
        for (name, one) in Noise::NAMES.into_iter().zip(Noise::all().each()) {
            assert_eq!(name.parse(), Ok(one));
            assert_eq!(one.to_string(), name);
        }
        assert_eq!((Noise::PFN | Noise::AD).to_string(), "pfn+ad");
        assert_eq!(
            "cosmic".parse::<Noise>(),
            Err(UnknownNoise("cosmic".to_owned()))
        );
    }
}
