//! What the function's codes mean, in words: things that are stuck, reasons of dead letters, and what a redrive would do.

use serde::Serialize;

/// Who can do something about a thing that is stuck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Turn {
    /// The platform: something is broken.
    Ours,
    /// The seller.
    Seller,
    /// Nobody has to: somebody stopped it on purpose.
    Stopped,
}

/// What a thing that is stuck means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meaning {
    /// Who can do something.
    pub turn: Turn,
    /// A heading.
    pub title: &'static str,
    /// What it means.
    pub text: &'static str,
}

/// What a thing that is stuck means.
pub(crate) fn meaning(what: &str) -> Meaning {
    let (turn, title, text) = match what {
        "RUN_FAILING" => (
            Turn::Ours,
            "Runs that fail over and over",
            "Five attempts or more without a page. They try again by themselves, with longer and longer waits, and lose nothing.",
        ),
        "RUN_NOT_TAKEN" => (
            Turn::Ours,
            "Runs that nobody takes",
            "Their accounts take runs, but no adapter has begun them, or the one that had has gone.",
        ),
        "SCHEDULE_OVERDUE" => (
            Turn::Ours,
            "Schedules that were passed over",
            "They have been due for a quarter of an hour or longer, and no run was made.",
        ),
        "IMPORT_NOT_TAKEN" => {
            (Turn::Ours, "Files that no run reads", "They were uploaded, and no run was begun for them.")
        }
        "EXPORT_FAILING" => {
            (Turn::Ours, "Exports that fail over and over", "Five attempts or more without progress.")
        }
        "EXPORT_NOT_TAKEN" => {
            (Turn::Ours, "Exports that nobody works on", "Nobody has taken them, or whoever had has gone.")
        }
        "LANE_MISSING" => (
            Turn::Ours,
            "Accounts without a lane",
            "They are active and have had no queue of their own for a quarter of an hour, so nothing of theirs is read.",
        ),
        "DEAD_LETTER" => (
            Turn::Ours,
            "Dead letters",
            "Messages that could not be handled. Their runs rest until somebody redrives or discards them.",
        ),
        crate::help::UNREADABLE => {
            (Turn::Ours, "Dead letters that nobody can read", "They name no run, so nothing waits for them.")
        }
        "ACCOUNT_NEEDS_RECONNECT" => (
            Turn::Seller,
            "Credentials that the marketplace refuses",
            "Nothing is read until the seller sends new ones, or a test finds the old ones accepted again.",
        ),
        "ACCOUNT_PAUSED" => (
            Turn::Stopped,
            "Accounts that their sellers paused",
            "Nothing is read until the seller resumes them.",
        ),
        "ACCOUNT_HELD" => (
            Turn::Stopped,
            "Accounts that operators paused",
            "Their runs wait where they are until an operator resumes them.",
        ),
        "MARKETPLACE_HELD" => (
            Turn::Stopped,
            "A marketplace that operators paused",
            "The runs of all its accounts wait where they are until an operator resumes it.",
        ),
        "SELLER_SUSPENDED" => (
            Turn::Stopped,
            "Sellers that staff suspended",
            "They can only be read, and their runs wait, until staff resume them.",
        ),
        _ => (
            Turn::Ours,
            "Something that does not go on",
            "This console does not know what it is; the README may.",
        ),
    };
    Meaning { turn, title, text }
}

/// What a reason means: why a message is dead, or why a thing is stuck. None of an error code, which says itself what it is.
pub(crate) fn reason(why: &str) -> Option<&'static str> {
    Some(match why {
        "TOO_MANY_RECEIVES" => {
            "The function did not start, crashed, timed out or was throttled each time. Look at its errors and panics at that time."
        }
        "garbage" | "malformed" | "unknown_version" => {
            "No message of this build, for example one of a later release before a rollback."
        }
        "other_lane" | "other_queue" | "other_marketplace" | "foreign_account" => {
            "A message in a wrong queue. None of our functions sends one: ask who may write to it."
        }
        "unknown_run" => {
            "The database does not know the run, or this publication of it, for example after a restore."
        }
        "unknown_file" => "A notice of an object that is not the file of an import.",
        "no_progress" => {
            "The attempts ended without an error of their own: the adapter crashed or timed out."
        }
        "not_received" => {
            "The message was sent, and no adapter has received it. The queue or its mapping may be gone."
        }
        "limit_reached" => {
            "As many runs of the marketplace are under way as may be at once. They go on by themselves as others end."
        }
        "lease_expired" => "Whoever worked on it stopped without a word.",
        "not_published" => "No message was sent for it. The scheduling sweep should have done so.",
        "not_claimed" | "not_begun" => "The scheduling sweep should have taken it up.",
        "lane_requested" => "The lanes function has been asked to make the queue, and has not done so.",
        "lane_not_moved" => {
            "Operators have moved it to the other kind of lane, and the lanes function has not done so."
        }
        "lane_retired" | "lane_paused" => "Its queue is not polled, although the account is active.",
        _ => return None,
    })
}

/// What a redrive would do with a dead letter.
pub(crate) fn prospect(prospect: &str) -> &'static str {
    match prospect {
        "PUBLISH" => "the run is queued again and published",
        "SEND" => "the message is sent to its queue again",
        "MOVED_ON" => "closed: the run has ended, or was published again",
        "SUPERSEDED" => "closed, and its run ends: a later run reads all of it",
        "WAITS_FOR_RUN" => "left open: another run of the account and kind is at work",
        "WAITS_FOR_ACCOUNT" => "left open: the account or its seller takes no runs now",
        "WAITS_FOR_EARLIER" => "left open for the moment: an earlier one of the account is on its way",
        "DISCARD_ONLY" => "left open: nobody can read it, so it can only be discarded",
        _ => "not known to this console",
    }
}

/// Where the log of a function is.
pub(crate) fn log(stack: &str, function: &str) -> String {
    if stack == crate::stack::LOCAL {
        format!("`cargo xtask logs {function}`")
    } else {
        format!("the log /aws/lambda/{stack}-{function}")
    }
}

/// The function that reads a marketplace.
pub(crate) fn adapter(marketplace: &str) -> String {
    format!("adapter-{}", marketplace.to_lowercase().replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_the_function_calls_stuck_has_a_meaning() {
        let list = include_str!("../../../functions/redrive/src/stuck.rs");
        let documented = list.split("/// What: ").nth(1).and_then(|rest| rest.split("pub what").next());
        let whats: Vec<&str> = documented.unwrap_or_default().split('`').skip(1).step_by(2).collect();
        assert!(whats.len() > 10, "{whats:?}");
        for what in whats {
            assert_ne!(meaning(what).title, meaning("?").title, "{what}");
        }
    }

    #[test]
    fn every_prospect_has_a_meaning() {
        let migration = include_str!("../../../migrations/0027_dead_letters.sql");
        let comment = migration.split("what a redrive would do with each now:").nth(1).unwrap_or_default();
        let comment = comment.split("-- A null filter").next().unwrap_or_default();
        let names = comment.lines().filter_map(|line| line.strip_prefix("--   ")?.split_whitespace().next());
        let names: Vec<&str> =
            names.filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_')).collect();
        assert_eq!(names.len(), 8, "{names:?}");
        for name in names {
            assert_ne!(prospect(name), prospect("?"), "{name}");
        }
    }

    #[test]
    fn a_log_is_where_the_stack_keeps_it() {
        assert_eq!(log("robnu-local", &adapter("AMAZON_IN")), "`cargo xtask logs adapter-amazon-in`");
        assert_eq!(log("robnu-prod", "sweep"), "the log /aws/lambda/robnu-prod-sweep");
    }
}
