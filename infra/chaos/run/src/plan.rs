//! The plan: which fault strikes when. It follows from the seed alone, so that the same seed gives the same plan; what a fault meets when
//! it strikes depends on the machine.

use std::fmt;
use std::time::Duration;

use fastrand::Rng;

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// A function's process is killed while it works.
    Kill,
    /// A function's process is stopped while it works, and goes on when its lease has ended.
    Freeze,
    /// `PostgreSQL` is stopped and started again.
    DatabaseRestart,
    /// `PostgreSQL` crashes and recovers.
    DatabaseCrash,
    /// A function's connection is cut in a transaction.
    ConnectionCut,
    /// A message disappears.
    MessageLost,
    /// A message is delivered twice at the same time.
    MessageDoubled,
    /// A message is delivered late.
    MessageDelayed,
    /// S3 fails.
    S3,
    /// KMS fails.
    Kms,
    /// SQS fails.
    Sqs,
    /// Lambda's calls about mappings fail.
    Lambda,
    /// A marketplace answers 429.
    Throttled,
    /// A marketplace answers 500 or 503.
    ServerError,
    /// A marketplace answers late.
    Hang,
    /// A marketplace closes the connection in the middle of its answer.
    CutAnswer,
    /// A marketplace answers something that is not JSON.
    Garbage,
    /// A marketplace answers half of its JSON.
    Truncated,
    /// A marketplace's page is empty.
    EmptyPage,
    /// A marketplace's page comes again.
    RepeatedPage,
    /// A marketplace's tokens expire.
    ExpiredTokens,
    /// A marketplace's page has a malformed record.
    MalformedRecord,
}

/// The kinds, each with how many of them strike in a minute, and how many at least.
const RATES: [(Fault, usize, usize); 21] = [
    (Fault::Freeze, 12, 5),
    (Fault::DatabaseRestart, 2, 1),
    (Fault::DatabaseCrash, 1, 1),
    (Fault::ConnectionCut, 40, 12),
    (Fault::MessageLost, 18, 6),
    (Fault::MessageDoubled, 12, 3),
    (Fault::MessageDelayed, 6, 2),
    (Fault::S3, 6, 3),
    (Fault::Kms, 6, 3),
    (Fault::Sqs, 10, 4),
    (Fault::Lambda, 4, 2),
    (Fault::Throttled, 6, 2),
    (Fault::ServerError, 8, 2),
    (Fault::Hang, 6, 2),
    (Fault::CutAnswer, 6, 2),
    (Fault::Garbage, 6, 2),
    (Fault::Truncated, 6, 2),
    (Fault::EmptyPage, 6, 2),
    (Fault::RepeatedPage, 8, 3),
    (Fault::ExpiredTokens, 6, 2),
    (Fault::MalformedRecord, 6, 2),
];

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Kill => "a function is killed",
            Self::Freeze => "a function is frozen beyond its lease",
            Self::DatabaseRestart => "PostgreSQL restarts",
            Self::DatabaseCrash => "PostgreSQL crashes",
            Self::ConnectionCut => "a connection is cut in a transaction",
            Self::MessageLost => "a message is lost",
            Self::MessageDoubled => "a message comes twice",
            Self::MessageDelayed => "a message comes late",
            Self::S3 => "S3 fails",
            Self::Kms => "KMS fails",
            Self::Sqs => "SQS fails",
            Self::Lambda => "Lambda's mappings fail",
            Self::Throttled => "marketplace: 429",
            Self::ServerError => "marketplace: 500, 503",
            Self::Hang => "marketplace: hangs",
            Self::CutAnswer => "marketplace: cuts the connection",
            Self::Garbage => "marketplace: not JSON",
            Self::Truncated => "marketplace: half of the JSON",
            Self::EmptyPage => "marketplace: empty page",
            Self::RepeatedPage => "marketplace: repeated page",
            Self::ExpiredTokens => "marketplace: expired tokens",
            Self::MalformedRecord => "marketplace: malformed record",
        })
    }
}

/// A fault at its time.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// When, since the beginning.
    pub at: Duration,
    /// What.
    pub fault: Fault,
    /// A number by which whoever makes the fault chooses what it meets.
    pub choice: usize,
    /// How long it takes or how late it is, in whatever measure the fault has: 0 to 1.
    pub share: f64,
}

/// The faults of a run of this length, in the order of their times. There are `kills` kills.
pub fn plan(seed: u64, length: Duration, kills: usize) -> Vec<Planned> {
    let mut random = Rng::with_seed(seed);
    let minutes = length.as_secs_f64() / 60.0;
    let mut planned = Vec::new();
    for (fault, in_a_minute, at_least) in [(Fault::Kill, 0, kills)].into_iter().chain(RATES) {
        let count = times(in_a_minute, minutes).max(at_least);
        for _ in 0..count {
            // The first seconds build something up that can be damaged, and the last let the last faults strike.
            let at = length.mul_f64(0.03 + 0.87 * random.f64());
            planned.push(Planned { at, fault, choice: random.usize(..1_000_000), share: random.f64() });
        }
    }
    planned.sort_by_key(|planned| planned.at);
    planned
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "small numbers"
)]
fn times(in_a_minute: usize, minutes: f64) -> usize {
    (in_a_minute as f64 * minutes).round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_plan_and_another_seed_another() {
        let minute = Duration::from_mins(1);
        assert_eq!(plan(7, minute, 30), plan(7, minute, 30));
        assert_ne!(plan(7, minute, 30), plan(8, minute, 30));
    }

    #[test]
    fn even_a_short_plan_has_every_kind_of_fault_and_all_kills() {
        let planned = plan(1, Duration::from_secs(20), 1000);
        let of = |fault| planned.iter().filter(|planned| planned.fault == fault).count();
        assert_eq!(of(Fault::Kill), 1000);
        for (fault, _, at_least) in RATES {
            assert!(at_least > 0 && of(fault) >= at_least, "{fault}");
        }
    }
}
