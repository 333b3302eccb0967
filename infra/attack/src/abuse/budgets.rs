//! Budgets: how much one person may cause with a free account in a day, over all their sellers. All numbers are in this file;
//! those that the platform promises are also in `functions/api/README.md`.

/// A limit, and what is counted against it.
#[derive(Debug)]
pub struct Budget {
    /// What is counted.
    pub what: &'static str,
    /// The highest count that is allowed.
    pub most: u64,
    /// The time to which the limit applies.
    pub within: &'static str,
    /// Whether a count of zero is a finding, because a way that never succeeds could not find anything.
    pub expects_some: bool,
}

const fn of(what: &'static str, most: u64, within: &'static str) -> Budget {
    Budget { what, most, within, expects_some: most > 0 }
}

/// A marketplace locks an account after a few wrong guesses, and a guesser can use a new seller for every guess.
pub const GUESSES: Budget =
    of("rejected checks of one user name, from three sellers of two people", 5, "a week");
/// A right guess among many wrong ones takes an account over.
pub const TAKEN: Budget = of("right guesses that succeeded after many wrong ones", 0, "a week");
/// User names cost a guesser nothing either.
pub const REFUSED_CHECKS: Budget =
    of("rejected checks of one person, each of another user name", 20, "a day");
/// Lambda polls each queue for ever.
pub const IDLE_LANES: Budget = of("queues of accounts whose credentials never worked", 0, "a day");
/// Each reconnection uses calls of Lambda's control plane that everybody shares.
pub const RECONNECTED: Budget = of("reconnections of one account", 20, "a day");
/// See [`RECONNECTED`].
pub const RESUMED: Budget = of("resumptions of one account", 20, "a day");
/// The first queue, and one for each reconnection.
pub const GENERATIONS: Budget = of("queues made for one account", 21, "a day");
/// Mails fill another person's mailbox and harm our sender's reputation.
pub const MAILS_TO_ONE: Budget =
    of("mails to one mailbox, in many spellings, from three sellers", 5, "a day");
/// See [`MAILS_TO_ONE`]. This provider ignores dots in an address.
pub const MAILS_TO_DOTS: Budget = of("mails to one mailbox of a provider that ignores dots", 5, "a day");
/// See [`MAILS_TO_ONE`].
pub const MAILS: Budget = of("mails of one person, from three sellers", 100, "a day");
/// Events are kept for years.
pub const EVENTS: Budget = of("events that one person made about one object", 100, "a day");
/// Each run costs a message and a row that stays, even when it is cancelled.
pub const RUNS: Budget = of("runs of one account, requested and cancelled", 200, "a day");
/// Each seller has its own data key and its own limits.
pub const SIGN_UPS: Budget = of("sellers signed up with one mailbox, in many spellings", 5, "a day");
/// The limit of 300, and three requests that were in flight together with one that was counted.
pub const REQUESTS: Budget = of("requests of one person that were answered", 303, "ten seconds");
/// One request must not cost as much as a hundred.
pub const SLOWEST_FILTER: Budget = of("ms of the slowest filter, for a million rows", 10, "a request");
/// No header may stop a function.
pub const BROKEN: Budget = of("requests with hostile headers that got a 5xx response", 0, "ever");
/// Rules at the edge compare texts, so an id or a path must have only one spelling.
pub const SPELLINGS: Budget = of("ids and paths in another spelling that got a 2xx response", 0, "ever");

/// Something that was counted.
#[derive(Debug)]
pub struct Count {
    /// The budget that limits it.
    pub budget: &'static Budget,
    /// How often it was tried.
    pub tried: u64,
    /// How often it succeeded.
    pub reached: u64,
    /// The worst cases, in a few words each.
    pub worst: Vec<String>,
}

impl Budget {
    /// A count against this budget: how often it was tried, and how often it succeeded.
    pub const fn count(&'static self, tried: u64, reached: u64) -> Count {
        Count { budget: self, tried, reached, worst: Vec::new() }
    }
}

impl Count {
    /// The finding, if there is one: the count exceeds the budget, or too few attempts could not have exceeded it.
    pub fn finding(&self) -> Option<String> {
        let Budget { what, most, within, expects_some } = self.budget;
        if self.reached > *most {
            let allowed = if *most == 0 {
                "none is allowed".to_owned()
            } else {
                format!("{most} in {within} are allowed")
            };
            let first = format!("{} {what}; {allowed}", self.reached);
            let lines: Vec<&str> =
                std::iter::once(first.as_str()).chain(self.worst.iter().map(String::as_str)).collect();
            return Some(lines.join("\n      "));
        }
        if self.reached == 0 && *expects_some {
            return Some(format!("none of {} attempts succeeded, so nothing was tested: {what}", self.tried));
        }
        (self.tried <= *most)
            .then(|| format!("only {} attempts, which cannot exceed {most}: {what}", self.tried))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_much_is_a_finding_and_so_is_an_attempt_that_could_not_notice() {
        static BOUND: Budget = of("mails", 5, "a day");
        static NONE: Budget = of("queues", 0, "a day");
        assert_eq!(BOUND.count(9, 5).finding(), None);
        assert_eq!(NONE.count(9, 0).finding(), None);
        let said = |seen: Count| seen.finding().unwrap_or_default();
        assert!(said(BOUND.count(9, 6)).starts_with("6 mails; 5 in a day are allowed"));
        assert!(said(BOUND.count(9, 0)).starts_with("none of 9 attempts"));
        assert!(said(BOUND.count(5, 5)).starts_with("only 5 attempts"));
    }
}
