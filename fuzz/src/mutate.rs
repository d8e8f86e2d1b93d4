//! Random changes to inputs, the same ones in each run.

/// Words of the grammars: changes that keep an input nearly valid get further than noise.
const WORDS: &[&str] = &[
    " eq ",
    " ne ",
    " co ",
    " pr",
    " and ",
    " or ",
    "not (",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "\\u0000",
    "\\ud83e",
    "null",
    "true",
    "false",
    "0",
    "-1.5e3",
    "1e400",
    "userName",
    "emails",
    ".value",
    ".type",
    "[type eq \"work\"]",
    "members",
    "urn:ietf:params:scim:schemas:core:2.0:User",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
    "{",
    "}",
    ":",
    ",",
    "\"op\":\"add\"",
    "\"op\":\"remove\"",
    "\"path\":\"members\"",
    "\"value\":[{\"value\":\"1\"}]",
    "\"primary\":true",
    "\"$ref\":\"\"",
    "\u{212a}",
    "\u{130}",
    "\u{1f980}",
    "\u{0}",
    "%00",
    "&",
    "=",
    "%22",
];

/// A small generator (xorshift64*): what matters is that a run can be repeated.
pub struct Mutator(u64);

impl Mutator {
    pub fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// One of the inputs, changed in one to eight places.
    pub fn mutate(&mut self, inputs: &[Vec<u8>]) -> Vec<u8> {
        const LONGEST: usize = 16 << 10;
        let mut out = inputs[self.below(inputs.len())].clone();
        for _ in 0..=self.below(8) {
            self.change(&mut out, inputs);
        }
        out.truncate(LONGEST);
        out
    }

    fn change(&mut self, out: &mut Vec<u8>, inputs: &[Vec<u8>]) {
        let (from, to) = self.range(out.len());
        match self.below(8) {
            0 if from < out.len() => out[from] ^= 1 << self.below(8),
            1 => out.insert(from, u8::try_from(self.below(256)).unwrap_or(b'?')),
            2 => drop(out.drain(from..to)),
            3 => {
                let copy = out[from..to].repeat(1 + self.below(3));
                out.splice(from..from, copy);
            }
            4 => {
                let other = &inputs[self.below(inputs.len())];
                let (start, end) = self.range(other.len());
                out.splice(from..to, other[start..end].iter().copied());
            }
            5 => out.truncate(from),
            _ => {
                let word = WORDS[self.below(WORDS.len())];
                out.splice(from..from, word.bytes());
            }
        }
    }

    /// A short range within a length.
    fn range(&mut self, length: usize) -> (usize, usize) {
        let from = self.below(length + 1);
        (from, (from + self.below(24)).min(length))
    }

    /// A number from 0 to `end`, without it; 0 where `end` is 0.
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(number).unwrap_or(0) % end.max(1)
    }
}
