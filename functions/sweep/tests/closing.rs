//! Closing a seller: afterwards nothing of it opens, its members and personal data are gone, and the other seller is as it was.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use std::time::Duration;

use kit::closing::Bed;
use kit::{close_with, in_a_minute, try_sweep};
use robnu_storage::KeyService;
use robnu_storage::erasure::schedule_key_deletion;
use robnu_tenancy::{Error, SellerScope, SystemScope};
use sweep::closing::Report;
use tokio::time::Instant;

async fn sweep(bed: &Bed) -> Report {
    close_with(&bed.context, in_a_minute()).await
}

/// What a sweep reports that closed our seller with the objects of the bed.
fn closed() -> Report {
    Report { sellers_found: 1, sellers_closed: 1, objects_deleted: 16, ..Report::default() }
}

#[tokio::test]
async fn a_closed_seller_opens_nothing_and_the_other_seller_is_as_it_was() {
    let bed = Bed::new().await;
    let (key, copied) = bed.copy(bed.ours()).await;
    let cipher = bed.keys().cipher(bed.ours().id, &key).await.unwrap();
    assert_eq!(Bed::opened(&cipher, &copied), 3, "before");
    bed.closing_is_due().await;
    let theirs = bed.fingerprint(bed.theirs().id).await;

    assert_eq!(sweep(&bed).await, closed());

    bed.assert_closed().await;
    assert_eq!(bed.fingerprint(bed.theirs().id).await, theirs, "the other seller changed");
    // The keys that are left are the other seller's.
    let (left, of_theirs) = bed.copy(bed.theirs()).await;
    let cipher = bed.keys().cipher(bed.theirs().id, &left).await.unwrap();
    assert_eq!((Bed::opened(&cipher, &copied), Bed::opened(&cipher, &of_theirs)), (0, 3));
    assert!(bed.keys().cipher(bed.ours().id, &left).await.is_err(), "KMS unwraps a key for one seller only");
    // And a second sweep finds nothing to do.
    let ours = bed.fingerprint(bed.ours().id).await;
    assert_eq!(sweep(&bed).await, Report::default());
    assert_eq!(bed.fingerprint(bed.ours().id).await, ours);
}

#[tokio::test]
async fn with_a_key_per_seller_a_copy_of_the_database_from_before_opens_nothing_either() {
    let bed = Bed::new().await;
    let mut aliases = Vec::new();
    for seller in [bed.ours(), bed.theirs()] {
        let key = bed.kms.create_key().send().await.unwrap().key_metadata.unwrap().key_id;
        let alias = format!("alias/robnu/seller-{}", seller.id);
        bed.kms.create_alias().alias_name(&alias).target_key_id(&key).send().await.unwrap();
        bed.give_key(seller, &key).await;
        aliases.push((alias, key));
    }
    let [(our_alias, our_key), (their_alias, their_key)] = aliases.try_into().unwrap();
    let (ours, theirs) = (bed.copy(bed.ours()).await, bed.copy(bed.theirs()).await);
    bed.closing_is_due().await;

    assert_eq!(sweep(&bed).await, closed());

    bed.assert_closed().await;
    let restored = KeyService::new(bed.kms.clone(), our_key.clone());
    assert!(restored.cipher(bed.ours().id, &ours.0).await.is_err(), "the backup's key was unwrapped");
    assert!(bed.kms.describe_key().key_id(&our_alias).send().await.is_err(), "the alias is left");
    let key = bed.kms.describe_key().key_id(&our_key).send().await.unwrap().key_metadata.unwrap();
    assert_eq!(key.key_state.unwrap().as_str(), "PendingDeletion");
    let service = KeyService::new(bed.kms.clone(), their_alias);
    let cipher = service.cipher(bed.theirs().id, &theirs.0).await.unwrap();
    assert_eq!(Bed::opened(&cipher, &theirs.1), 3, "the other seller's key works");
    let key = bed.kms.describe_key().key_id(&their_key).send().await.unwrap().key_metadata.unwrap();
    assert_eq!(key.key_state.unwrap().as_str(), "Enabled");
}

#[tokio::test]
async fn a_key_that_was_scheduled_by_a_call_that_died_loses_its_alias_in_the_next() {
    let bed = Bed::new().await;
    let seller = bed.ours().id;
    assert!(!schedule_key_deletion(&bed.kms, seller, 7).await.unwrap(), "there is no such key");
    let key = bed.kms.create_key().send().await.unwrap().key_metadata.unwrap().key_id;
    let alias = format!("alias/robnu/seller-{seller}");
    bed.kms.create_alias().alias_name(&alias).target_key_id(&key).send().await.unwrap();
    bed.kms.schedule_key_deletion().key_id(&key).pending_window_in_days(7).send().await.unwrap();
    assert!(schedule_key_deletion(&bed.kms, seller, 7).await.unwrap());
    assert!(bed.kms.describe_key().key_id(&alias).send().await.is_err());
    assert!(!schedule_key_deletion(&bed.kms, seller, 7).await.unwrap());
}

#[tokio::test]
async fn nothing_happens_before_the_time_is_over_nor_to_a_suspended_seller() {
    let bed = Bed::new().await;
    bed.due_in("1 hour").await;
    let before = bed.fingerprint(bed.ours().id).await;
    assert_eq!(sweep(&bed).await, Report::default());
    assert_eq!(bed.fingerprint(bed.ours().id).await, before);
    // Even one that was suspended without losing its dates.
    bed.closing_is_due().await;
    bed.world
        .arrange(&format!(
            "update robnu.sellers set suspended_at = now(), suspension_reason = 'x' where seller_id = '{}'",
            bed.ours().id
        ))
        .await;
    let before = bed.fingerprint(bed.ours().id).await;
    assert_eq!(sweep(&bed).await, Report::default());
    assert_eq!(bed.fingerprint(bed.ours().id).await, before);
}

#[tokio::test]
async fn a_suspension_takes_the_asking_back() {
    let bed = Bed::new().await;
    bed.closing_is_due().await;
    bed.world.suspend(bed.ours().id).await;
    bed.world.resume(bed.ours().id).await;
    let asked =
        "select count(*) from robnu.sellers where closes_at is not null or closing_asked_at is not null";
    assert_eq!(bed.world.count(asked).await, 0);
    assert_eq!(sweep(&bed).await, Report::default());
}

/// Makes the database refuse to record this step, as if the call died just before its COMMIT.
async fn refuse(bed: &Bed, step: &str) {
    bed.world
        .superuser
        .batch_execute(&format!(
            "create or replace function refuse_step() returns trigger language plpgsql as
               $$ begin raise exception 'the call died'; end $$;
             create trigger refuse_step before update of closing_step on robnu.sellers for each row
               when (new.closing_step = '{step}') execute function refuse_step();
             grant execute on function refuse_step() to public"
        ))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_call_that_dies_before_any_step_is_recorded_leaves_what_the_next_one_finishes() {
    let bed = Bed::new().await;
    bed.closing_is_due().await;
    let theirs = bed.fingerprint(bed.theirs().id).await;
    let steps = ["STOPPED", "ERASED", "KEYS_DELETED", "CLOSED"];
    for (index, step) in steps.into_iter().enumerate() {
        refuse(&bed, step).await;
        let report = sweep(&bed).await;
        assert_eq!((report.sellers_found, report.sellers_failed, report.sellers_closed), (1, 1, 0), "{step}");
        let done: Option<String> = bed
            .world
            .row("select closing_step from robnu.sellers where seller_id = $1", &[&bed.ours().id])
            .await
            .get(0);
        assert_eq!(done.as_deref(), index.checked_sub(1).map(|last| steps[last]), "{step}");
        bed.world.superuser.batch_execute("drop trigger refuse_step on robnu.sellers").await.unwrap();
        if index > 0 {
            // It never opens again: nobody is admitted, and nobody takes it back.
            let owner = format!("OWNER@{}", bed.ours().id);
            let sql = "select count(*) from robnu.members m join robnu.people p on p.id = m.person_id where p.subject = $1";
            assert_eq!(bed.world.row(sql, &[&owner]).await.get::<_, i64>(0), 0, "{step}");
        }
    }
    assert_eq!(sweep(&bed).await.sellers_closed, 1);
    bed.assert_closed().await;
    assert_eq!(bed.fingerprint(bed.theirs().id).await, theirs);
}

#[tokio::test]
async fn a_call_that_is_cut_off_at_any_moment_leaves_what_the_next_one_finishes() {
    let bed = Bed::new().await;
    bed.closing_is_due().await;
    let theirs = bed.fingerprint(bed.theirs().id).await;
    let mut cut_off = 0;
    for moment in 1.. {
        let call = try_sweep(&bed.context, "closing", in_a_minute());
        let ended = tokio::time::timeout(Duration::from_micros(500 * moment), call).await;
        match ended {
            Err(_) => cut_off += 1,
            Ok(outcome) => {
                outcome.unwrap();
                break;
            }
        }
    }
    assert!(cut_off > 3, "the sweep was cut off {cut_off} times");
    sweep(&bed).await;
    bed.assert_closed().await;
    assert_eq!(bed.fingerprint(bed.theirs().id).await, theirs);
}

#[tokio::test]
async fn two_sweeps_at_once_close_a_seller_once() {
    let bed = Bed::new().await;
    bed.closing_is_due().await;
    let another =
        sweep::Context { erasure: bed.context.erasure.clone(), ..bed.world.another_context().await };
    let (one, other) = tokio::join!(sweep(&bed), close_with(&another, in_a_minute()));
    assert_eq!(one.sellers_failed + other.sellers_failed, 0, "{one:?} {other:?}");
    sweep(&bed).await;
    bed.assert_closed().await;
    let ends = "select count(*) from robnu.audit_events where action = 'seller.changed' and 'closed_at' = any (changed)";
    assert_eq!(bed.world.count(ends).await, 1);
}

#[tokio::test]
async fn more_rows_than_a_transaction_takes_are_erased_and_so_are_those_of_tables_to_come() {
    let bed = Bed::new().await;
    let ours = bed.ours().id;
    bed.world
        .arrange(&format!(
            "insert into robnu.quarantined_records (seller_id, account_id, run_id, reason, record_enc, record_digest)
               select seller_id, account_id, id, 'x', 'x', sha256(n::text::bytea) from robnu.sync_runs, generate_series(1, 2500) n
               where seller_id = '{ours}';
             create table robnu.secrets_to_come (seller_id uuid, id integer, secret_enc bytea);
             alter table robnu.secrets_to_come owner to robnu_owner;
             insert into robnu.secrets_to_come select seller_id, 1, 'x' from robnu.sellers"
        ))
        .await;
    bed.closing_is_due().await;
    assert_eq!(sweep(&bed).await, closed());
    bed.assert_closed().await;
    let left = bed.world.text("select string_agg(seller_id::text, ',') from robnu.secrets_to_come").await;
    assert_eq!(left, bed.theirs().id.to_string());
}

#[tokio::test]
async fn without_time_nothing_begins_and_one_sellers_failure_does_not_hold_up_the_other() {
    let bed = Bed::new().await;
    bed.closing_is_due().await;
    let report = close_with(&bed.context, Instant::now()).await;
    assert_eq!(report, Report { time_short: true, ..Report::default() });
    // Both are due, and one of them cannot be stopped.
    bed.world.arrange("update robnu.sellers set closing_asked_at = now(), closes_at = now()").await;
    let broken = format!(
        "alter table robnu.schedules add check (enabled or seller_id <> '{}') not valid",
        bed.theirs().id
    );
    bed.world.superuser.batch_execute(&broken).await.unwrap();
    let theirs = bed.fingerprint(bed.theirs().id).await;
    let report = sweep(&bed).await;
    assert_eq!((report.sellers_found, report.sellers_closed, report.sellers_failed), (2, 1, 1));
    bed.assert_closed().await;
    assert_eq!(bed.fingerprint(bed.theirs().id).await, theirs);
}

#[tokio::test]
async fn a_restored_backup_is_closed_again_by_the_register() {
    let bed = Bed::new().await;
    bed.closing_is_due().await;
    assert_eq!(sweep(&bed).await, closed());
    // The backup knows neither of the asking nor of a suspension's end, and still has the key.
    let ours = bed.ours().id;
    bed.world
        .arrange(&format!(
            "update robnu.sellers set closing_asked_at = null, closes_at = null, closing_step = null, closed_at = null,
               suspended_at = now(), suspension_reason = 'x' where seller_id = '{ours}';
             insert into robnu.people (subject, email) values ('OWNER@{ours}', 'owner@example.invalid');
             insert into robnu.members (seller_id, person_id, role)
               select '{ours}', id, 'OWNER' from robnu.people where subject = 'OWNER@{ours}';
             insert into robnu.seller_keys (seller_id, wrapped_key, kms_key_id, lease_expires_at) values ('{ours}', 'x', 'x', now())"
        ))
        .await;
    let theirs = bed.fingerprint(bed.theirs().id).await;
    let report = sweep(&bed).await;
    let again = Report { sellers_reopened: 1, sellers_found: 1, sellers_closed: 1, ..Report::default() };
    assert_eq!(report, again);
    bed.assert_closed().await;
    assert_eq!(bed.fingerprint(bed.theirs().id).await, theirs);
}

#[tokio::test]
async fn no_job_and_no_sweep_enters_a_seller_that_was_stopped_and_a_person_in_another_seller_stays() {
    let bed = Bed::new().await;
    let (ours, theirs) = (bed.ours().id, bed.theirs().id);
    // Their owner is our viewer, and our admin signed up a seller that others have now.
    bed.world
        .arrange(&format!(
            "insert into robnu.members (seller_id, person_id, role)
               select '{ours}', id, 'VIEWER' from robnu.people where subject = 'OWNER@{theirs}';
             update robnu.sellers set signed_up_by = (select id from robnu.people where subject = 'ADMIN@{ours}')
               where seller_id = '{theirs}'"
        ))
        .await;
    bed.closing_is_due().await;
    assert_eq!(sweep(&bed).await.sellers_closed, 1);
    let emails = format!(
        "select string_agg(email, ' ' order by subject) from robnu.people where subject in ('OWNER@{theirs}', 'ADMIN@{ours}', 'OWNER@{ours}')"
    );
    let emails = bed.world.text(&emails).await;
    let mut emails: Vec<&str> = emails.split(' ').collect();
    emails.sort_unstable();
    assert_eq!(emails, ["OWNER@example.invalid", "gone@invalid"]);
    let adapter = bed.world.test.login("robnu_adapter").await;
    let job = adapter.read(&SellerScope::for_job(ours, bed.ours().ajio), "select 1", &[]).await;
    assert!(matches!(job, Err(Error::Suspended)), "{job:?}");
    let inside = bed.context.database.read(&SellerScope::for_sweep(ours), "select 1", &[]).await;
    assert!(matches!(inside, Err(Error::Suspended)), "{inside:?}");
}

#[tokio::test]
async fn the_sweeps_role_sees_no_row_and_closes_no_seller_that_is_not_due() {
    let bed = Bed::new().await;
    for sql in ["select 1 from robnu.sellers", "select 1 from robnu.seller_keys", "delete from robnu.members"]
    {
        let answer = bed.context.database.read(&SystemScope::Closing, sql, &[]).await;
        assert!(matches!(answer, Err(Error::Forbidden)), "{sql}: {answer:?}");
    }
    bed.due_in("1 minute").await;
    let before = bed.fingerprint(bed.ours().id).await;
    let session = bed.context.database.session(&SystemScope::Closing).await.unwrap();
    let sql = "select robnu.advance_closing($1, null, 1000) as step";
    let answers = session.commit_with(&[(sql, &[&bed.ours().id])]).await.unwrap();
    assert_eq!(answers[0][0].get::<_, Option<String>>("step"), None);
    assert_eq!(bed.fingerprint(bed.ours().id).await, before);
}

#[tokio::test]
async fn a_data_key_that_the_key_sweep_works_on_is_deleted_when_it_is_done() {
    let bed = Bed::new().await;
    bed.closing_is_due().await;
    bed.world
        .run_sql("update robnu.seller_keys set lease_expires_at = now() + interval '15 minutes'", &[])
        .await;
    assert_eq!(sweep(&bed).await, Report { sellers_found: 1, ..Report::default() });
    bed.world.run_sql("update robnu.seller_keys set lease_expires_at = now()", &[]).await;
    assert_eq!(sweep(&bed).await, closed());
    bed.assert_closed().await;
}

#[tokio::test]
async fn raw_pages_go_with_their_seller_once_nobody_writes_an_object_of_them() {
    let bed = Bed::new().await;
    bed.world
        .arrange(
            "insert into robnu.raw_pages (seller_id, account_id, marketplace_code, run_id, kind, page, part, fetched_at, time_folder,
               page_digest, page_enc, object_id, leased_until)
             select seller_id, id, 'AJIO', uuidv7(), 'ORDERS', 1, 1, now(), '2026-11-20/09', sha256('waits'), 'x', uuidv7(),
               now() + interval '1 minute' from robnu.marketplace_accounts where marketplace_code = 'AJIO'",
        )
        .await;
    bed.closing_is_due().await;
    let theirs = bed.fingerprint(bed.theirs().id).await;
    // An object that is being written would come after the others were deleted.
    assert_eq!(sweep(&bed).await, Report { sellers_found: 1, ..Report::default() });
    let waits =
        format!("update robnu.raw_pages set leased_until = now() where seller_id = '{}'", bed.ours().id);
    bed.world.run_sql(&waits, &[]).await;
    assert_eq!(sweep(&bed).await, closed());
    bed.assert_closed().await;
    assert_eq!(bed.fingerprint(bed.theirs().id).await, theirs);
}
