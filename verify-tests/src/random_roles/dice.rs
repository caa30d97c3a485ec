//! Chance that can be repeated: every case has dice of its own, made from the seed and the case's number.

/// SplitMix64 (Steele, Lea, Flood 2014): small, and good enough to draw cases.
#[derive(Clone, Copy, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The dice of one case.
    pub const fn new(seed: u64, case: u64) -> Self {
        let mut dice = Self(seed ^ case.wrapping_mul(0xA076_1D64_78BD_642F));
        // Neighbouring cases differ from their first throw on.
        dice.0 = dice.next();
        dice
    }

    /// 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `limit`, which is not zero.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap_or(0)
    }

    /// True in so many of a hundred cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of these, which are not none.
    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        let index = self.below(of.len());
        match of.get(index) {
            Some(&one) => one,
            None => panic!("nothing to choose from"),
        }
    }

    /// Up to `most` of these, perhaps none, perhaps one twice.
    pub fn some<T: Copy>(&mut self, of: &[T], most: usize) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| self.one(of)).collect()
    }
}
