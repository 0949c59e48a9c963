//! Which of the senses are there.

/// A set of senses, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subset(u8);

impl Subset {
    /// Most senses that can be told apart: their subsets are 63.
    pub const MOST: usize = 6;

    /// The senses that are present.
    pub fn of(present: impl IntoIterator<Item = bool>) -> Self {
        Self(present.into_iter().enumerate().fold(0, |set, (sense, there)| set | u8::from(there) << sense))
    }

    /// The first `m` senses.
    pub fn all(m: usize) -> Self {
        Self::of(std::iter::repeat_n(true, m))
    }

    /// One sense alone.
    pub fn only(sense: usize) -> Self {
        Self(1 << sense)
    }

    /// Number of senses.
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether no sense is there.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this sense is there.
    pub fn contains(self, sense: usize) -> bool {
        self.0 >> sense & 1 == 1
    }

    /// Whether all of these senses are in the other set.
    pub fn within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// All but one.
    pub fn without(self, sense: usize) -> Self {
        Self(self.0 & !(1 << sense))
    }

    /// Both sets together.
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The senses, ascending.
    pub fn senses(self) -> impl Iterator<Item = usize> {
        (0..8).filter(move |sense| self.contains(*sense))
    }

    /// Every set of the first `m` senses but the empty one.
    pub fn every(m: usize) -> impl Iterator<Item = Self> {
        (1..=Self::all(m).0).map(Self)
    }

    /// As a number, one bit per sense.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// The reverse of [`Subset::bits`], for the first `m` senses; `None` when empty or beyond.
    pub fn from_bits(bits: u8, m: usize) -> Option<Self> {
        (bits > 0 && Self(bits).within(Self::all(m))).then_some(Self(bits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subsets_are_counted_and_compared() {
        assert_eq!(Subset::every(Subset::MOST).count(), 63);
        let two = Subset::only(0).with(Subset::only(2));
        assert_eq!(two.senses().collect::<Vec<_>>(), [0, 2]);
        assert!(two.within(Subset::all(3)) && !two.within(Subset::all(2)));
        assert_eq!(two.without(0), Subset::only(2));
        assert_eq!(
            (Subset::from_bits(5, 3), Subset::from_bits(5, 2), Subset::from_bits(0, 2)),
            (Some(two), None, None)
        );
    }
}
