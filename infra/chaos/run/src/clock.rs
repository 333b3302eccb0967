//! Time: runs wait for minutes and hours, and a run of chaos lasts minutes. So the times in the rows of live runs are moved back, again and
//! again, as if time passed faster. A lease that lives is left alone: it lasts as long as its holder works, in true seconds.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::superuser::Superuser;

/// How often the times are moved.
const TICK: Duration = Duration::from_millis(250);
/// With each tick, a run that was not sent waits 20 seconds, one that was sent and not taken two minutes, one whose lease has ended half a
/// minute, and one that waits an hour at most. Rows that are locked are at work.
const PASS: &str = "update robnu.sync_runs r
    set queued_at = queued_at - interval '20 seconds',
      sent_at = sent_at - interval '2 minutes',
      next_attempt_at = next_attempt_at - case state when 'WAITING' then interval '20 minutes' else interval '20 seconds' end,
      lease_expires_at = lease_expires_at - case when lease_expires_at < now() then interval '30 seconds' else interval '0' end
    where (r.seller_id, r.id) in (
      select seller_id, id from robnu.sync_runs where state in ('QUEUED', 'RUNNING', 'WAITING') for update skip locked)";

/// A bucket of calls that a marketplace's pause has emptied fills as fast.
const FILL: &str =
    "update robnu.call_buckets set full_at = full_at - interval '20 seconds' where full_at > now()";

/// What the functions of an account tell each other of a token that could not be had is over as fast. A lease that lives is left alone.
const FORGET: &str = "update robnu.access_tokens set failed_until = failed_until - interval '20 seconds' where failed_until > now()";

/// An export whose message is lost waits ten minutes, and its lease lasts half a minute: longer than anybody writes here.
const PASS_EXPORTS: &str = "update robnu.exports set sent_at = sent_at - interval '1 minute', lease_expires_at = lease_expires_at - interval '4 seconds'
    where (seller_id, id) in (select seller_id, id from robnu.exports where state in ('QUEUED', 'RUNNING') for update skip locked)";

/// Lets time pass until it is dropped.
pub async fn pass(superuser: &Superuser) -> anyhow::Result<()> {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        superuser.query(PASS, &[]).await?;
        superuser.query(FILL, &[]).await?;
        superuser.query(FORGET, &[]).await?;
        superuser.query(PASS_EXPORTS, &[]).await?;
    }
}
