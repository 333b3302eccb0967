//! What one person may get out of a free account in a day, all their sellers taken together. All numbers stand here; those
//! that the platform promises stand in `functions/api/README.md` too.

/// A bound, and what is counted against it.
#[derive(Debug)]
pub struct Budget {
    /// What is counted, where it lands.
    pub what: &'static str,
    /// How many there may be.
    pub most: u64,
    /// Within which time.
    pub within: &'static str,
    /// Whether none at all means that the way leads nowhere, so that it would find nothing either.
    pub some: bool,
}

const fn of(what: &'static str, most: u64, within: &'static str) -> Budget {
    Budget { what, most, within, some: most > 0 }
}

/// A marketplace locks an account after a few; a guesser has a new seller for every guess.
pub const GUESSES: Budget =
    of("refused checks of one user name, from three sellers of two people", 5, "a week");
/// The right one among many wrong ones is a taken account.
pub const TAKEN: Budget = of("guesses that were right after as many wrong ones", 0, "a week");
/// User names cost nothing either.
pub const REFUSED_CHECKS: Budget =
    of("refused checks that one person makes, of as many user names", 20, "a day");
/// Each is polled for ever.
pub const IDLE_LANES: Budget = of("queues of accounts whose credentials never worked", 0, "a day");
/// Each takes calls of Lambda's control plane from everybody.
pub const RECONNECTED: Budget = of("times that one account was connected again", 20, "a day");
/// See [`RECONNECTED`].
pub const RESUMED: Budget = of("times that one account was resumed", 20, "a day");
/// The first one, and one for each time that it was connected again.
pub const GENERATIONS: Budget = of("queues that were made for one account", 21, "a day");
/// Somebody else's mailbox, and what our sender is thought of.
pub const MAILS_TO_ONE: Budget =
    of("mails to one mailbox, in many spellings, from three sellers", 5, "a day");
/// See [`MAILS_TO_ONE`]: dots count for nothing there.
pub const MAILS_TO_DOTS: Budget = of("mails to one mailbox of a provider that ignores dots", 5, "a day");
/// See [`MAILS_TO_ONE`].
pub const MAILS: Budget = of("mails of one person, from three sellers", 100, "a day");
/// They are kept for years.
pub const EVENTS: Budget = of("events of one object that one person made, to and fro", 100, "a day");
/// Each is a row for ever and a message, cancelled or not.
pub const RUNS: Budget = of("runs of one account, asked for and cancelled", 200, "a day");
/// Each has a data key and bounds of its own.
pub const SIGN_UPS: Budget = of("sellers signed up with one mailbox, in many spellings", 5, "a day");
/// What is shared by all who are honest: 300, and three that were under way together with another that is counted.
pub const REQUESTS: Budget = of("requests of one person that were answered", 303, "ten seconds");
/// One request must not cost like a hundred.
pub const SLOWEST_FILTER: Budget = of("ms that the worst filter takes, for a million rows", 10, "a request");
/// Nobody who sends a header may stop a function.
pub const BROKEN: Budget = of("requests with hostile headers that were answered 5xx", 0, "ever");
/// Rules at the edge compare texts: a thing has one spelling.
pub const SPELLINGS: Budget = of("ids and paths in another spelling that were answered", 0, "ever");

/// Something that was counted.
#[derive(Debug)]
pub struct Count {
    /// The bound.
    pub budget: &'static Budget,
    /// How often it was tried.
    pub tried: u64,
    /// How often it came to pass.
    pub reached: u64,
    /// The worst of it, in a few words each.
    pub worst: Vec<String>,
}

impl Budget {
    /// So often was it tried, and so often did it come to pass.
    pub const fn count(&'static self, tried: u64, reached: u64) -> Count {
        Count { budget: self, tried, reached, worst: Vec::new() }
    }
}

impl Count {
    /// What is wrong with it: too much, or an attempt that would not have noticed.
    pub fn finding(&self) -> Option<String> {
        let Budget { what, most, within, some } = self.budget;
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
        if self.reached == 0 && *some {
            return Some(format!("none of {} attempts got anywhere: {what}", self.tried));
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
