//! Lanes: the name of an account's own FIFO queue.
//!
//! The name is `{prefix}{account id, 32 hex digits}-{generation}.fifo`. The generation counts how often the queue was made
//! again, because SQS refuses a deleted name for 60 seconds.

use robnu_tenancy::AccountId;

/// Name of an account's queue.
#[must_use]
pub fn lane_queue_name(prefix: &str, account: AccountId, generation: i32) -> String {
    format!("{prefix}{}-{generation}.fifo", account.as_uuid().simple())
}

/// The account whose lane a queue is, read from the queue's ARN, URL or name.
#[must_use]
pub fn lane_account(queue: &str) -> Option<AccountId> {
    let (head, generation) = queue.strip_suffix(".fifo")?.rsplit_once('-')?;
    generation.parse::<u32>().ok()?;
    let hex = head.get(head.len().checked_sub(32)?..)?;
    // A queue's name has no room for hyphens. This is the only place where an id is written without them.
    let id: uuid::fmt::Simple = hex.parse().ok()?;
    (id.to_string() == hex).then(|| id.into_uuid().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_names_its_account_and_fits_sqs() {
        let account = AccountId::new();
        let name = lane_queue_name("robnu-staging-lane-", account, 12);
        assert!(name.len() <= 80, "SQS allows 80 characters: {name}");
        assert_eq!(lane_account(&name), Some(account));
        assert_eq!(lane_account(&format!("arn:aws:sqs:ap-south-1:000000000000:{name}")), Some(account));
    }

    #[test]
    fn other_queues_name_no_account() {
        for queue in [
            "",
            "robnu-local-ajio-dlq.fifo",
            "-1.fifo",
            "é-1.fifo",
            "robnu-local-lane-xyz-1.fifo",
            "a-b.fifo",
            "lane-0192ABCDEF017234856789ABCDEF0123-1.fifo",
        ] {
            assert_eq!(lane_account(queue), None, "{queue}");
        }
    }
}
