//! Makes broken inputs from sound ones, the same in every run.

/// Bytes that sit at the edge of something: signs, lengths, quotes, separators.
const EDGES: [u8; 16] = [0, 1, 2, 0x7f, 0x80, 0xff, 0xfe, b'"', b'\'', b',', b'\n', b'\r', b'{', b'[', b'.', b'-'];

/// Lengths that readers stumble over.
const LENGTHS: [u64; 8] =
    [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x7fff_ffff_ffff_ffff, 0xffff_ffff_ffff_ffff, 0x1_0000];

/// Longest input. Parsers of lengths break on small files; large ones only take time.
const LONGEST: usize = 1 << 16;

/// Seeds and the state of the dice.
#[derive(Debug)]
pub(crate) struct Mutator {
    seeds: Vec<Vec<u8>>,
    state: u64,
}

impl Mutator {
    /// An empty list of seeds stands for one empty input.
    pub(crate) fn new(mut seeds: Vec<Vec<u8>>) -> Self {
        if seeds.is_empty() {
            seeds.push(Vec::new());
        }
        Self { seeds, state: 0 }
    }

    /// The input of one round: first every seed as it is, then mutations.
    pub(crate) fn input(&mut self, round: u64) -> Vec<u8> {
        let index = usize::try_from(round).unwrap_or(usize::MAX);
        if let Some(seed) = self.seeds.get(index) {
            return seed.clone();
        }
        self.state = round;
        let chosen = self.below(self.seeds.len());
        let mut input = self.seeds[chosen].clone();
        for _ in 0..=self.below(6) {
            self.change(&mut input);
        }
        input.truncate(LONGEST);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        let end = (at + 1 + self.below(32)).min(input.len());
        match self.below(9) {
            0 => flip(input, at, self.below(8)),
            1 => put(input, at, &[EDGES[self.below(EDGES.len())]]),
            2 => put(input, at, &LENGTHS[self.below(LENGTHS.len())].to_le_bytes()[..1 << self.below(4)]),
            3 => put(input, at, &LENGTHS[self.below(LENGTHS.len())].to_be_bytes()[4..]),
            4 => drop(input.drain(at.min(end)..end)),
            5 => input.truncate(at),
            6 => {
                let piece = input[at.min(end)..end].to_vec();
                let times = 1 + self.below(64);
                let many = piece.repeat(times);
                drop(input.splice(at..at, many));
            }
            7 => drop(input.splice(at..at, [EDGES[self.below(EDGES.len())]])),
            _ => {
                let other = self.below(self.seeds.len());
                let cut = self.below(self.seeds[other].len() + 1);
                input.truncate(at);
                input.extend_from_slice(&self.seeds[other][cut..]);
            }
        }
    }

    /// A number below `n` (0 when `n` is 0). SplitMix64, Steele et al. 2014.
    fn below(&mut self, n: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % n.max(1) as u64).unwrap_or(0)
    }
}

fn flip(input: &mut [u8], at: usize, bit: usize) {
    if let Some(byte) = input.get_mut(at) {
        *byte ^= 1 << bit;
    }
}

fn put(input: &mut [u8], at: usize, bytes: &[u8]) {
    for (slot, &byte) in input.iter_mut().skip(at).zip(bytes) {
        *slot = byte;
    }
}
