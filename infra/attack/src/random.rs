//! Repeatable random numbers: the seed and the attempt's number determine everything that the attempt chooses.

/// A random number generator (`SplitMix64`).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The generator of one attempt.
    pub fn new(seed: u64, attempt: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ attempt.rotate_left(32));
        random.next();
        random
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which must not be zero.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.next() % bound).unwrap_or_default()
    }

    /// True in `share` of a hundred cases.
    pub fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    /// One of several values. There must be at least one.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// One of the hostile texts.
    pub fn payload(&mut self) -> &'static str {
        PAYLOADS[self.below(PAYLOADS.len())]
    }

    /// One of several values, each with a probability that follows its weight.
    pub fn weighted<'a, T>(&mut self, from: &'a [(usize, T)]) -> &'a T {
        let mut left = self.below(from.iter().map(|(weight, _)| weight).sum());
        for (weight, one) in from {
            if left < *weight {
                return one;
            }
            left -= weight;
        }
        &from[0].1
    }

    /// A new id that belongs to nobody.
    pub fn uuid(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        let text = format!("{high:016x}{low:016x}");
        format!("{}-{}-7{}-8{}-{}", &text[..8], &text[8..12], &text[13..16], &text[17..20], &text[20..])
    }
}

/// The first half of a text.
pub fn half(text: &str) -> String {
    text.chars().take(text.chars().count() / 2).collect()
}

/// Texts with a special meaning for a database, a parser, a template, a terminal or a file system.
const PAYLOADS: &[&str] = &[
    "' or 1=1 --",
    "'; drop table robnu.orders; --",
    "' union select email from robnu.people --",
    "\"; select pg_sleep(1); --",
    "') or seller_id is not null --",
    "$1",
    "$$; set role robnu_owner; $$",
    "\\'; select set_config('role', 'robnu_owner', false); --",
    "%s%n%x{}",
    "{0}{seller_id}",
    "${jndi:ldap://127.0.0.1/a}",
    "{{7*7}}",
    "{\"$gt\": \"\"}",
    "[object Object]",
    "null",
    "../../../../etc/passwd",
    "..%2f..%2fv1%2fme",
    "<script>alert(1)</script>",
    "\u{0}",
    "\r\nx-injected: yes",
    "\u{202e}\u{feff}\u{1f600}",
    "1e309",
    "-1",
    "99999999999999999999",
    "2026-13-45T99:99:99Z",
    "%",
    "_",
    "*",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_attempt_choose_the_same() {
        let numbers = |seed, attempt| {
            let mut random = Random::new(seed, attempt);
            (0..8).map(|_| random.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(numbers(1, 7), numbers(1, 7));
        assert_ne!(numbers(1, 7), numbers(1, 8));
        assert_ne!(numbers(1, 7), numbers(2, 7));
    }

    #[test]
    fn an_id_has_the_form_of_a_uuid() {
        let id = Random::new(1, 1).uuid();
        assert_eq!(id.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{id}");
    }
}
