//! The reseal sweep: a new data key takes over from an old one, whatever is interrupted or happens beside it.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod kit;

use std::time::Duration;

use kit::closing::Bed;
use kit::wire::Wire;
use kit::{in_a_minute, try_sweep};
use robnu_storage::{KeyService, Place, WrappedKey};
use robnu_tenancy::{SellerId, SellerScope};
use robnu_testkit::Seller;
use sweep::reseal::{Report, SEALED_COLUMNS};
use sweep::{Context, Request, SweepError, handle};
use tokio::time::Instant;
use uuid::Uuid;

const NOTHING: Report = Report {
    sellers_seen: 0,
    keys_added: 0,
    resealed: 0,
    keys_dropped: 0,
    unreadable: 0,
    sellers_failed: 0,
    time_short: false,
};

/// Two sellers with a secret, a customer and a record each; ours has an old data key.
struct Stand {
    bed: Bed,
    context: Context,
}

impl Stand {
    async fn new() -> Self {
        Box::pin(Self::make()).await
    }

    async fn make() -> Self {
        let bed = Bed::new().await;
        let context = Context { keys: bed.keys(), ..bed.world.another_context().await };
        let stand = Self { bed, context };
        stand.age_newest(stand.ours().id, "366 days").await;
        stand
    }

    /// The same, with the new data key there for longer than anybody can work without knowing it.
    async fn with_new_key() -> Self {
        let stand = Self::new().await;
        assert_eq!(Box::pin(stand.sweep()).await, Report { sellers_seen: 1, keys_added: 1, ..NOTHING });
        stand.age_newest(stand.ours().id, "31 minutes").await;
        stand
    }

    fn ours(&self) -> &Seller {
        self.bed.ours()
    }

    async fn age_newest(&self, seller: SellerId, age: &str) {
        let sql = format!(
            "update robnu.seller_keys set created_at = now() - interval '{age}'
             where seller_id = '{seller}' and id = (select id from robnu.seller_keys where seller_id = '{seller}' order by id desc limit 1)"
        );
        self.bed.world.arrange(&sql).await;
    }

    async fn sweep(&self) -> Report {
        self.try_sweep(&self.context).await.unwrap()
    }

    async fn try_sweep(&self, context: &Context) -> Result<Report, SweepError> {
        reseal(context, in_a_minute()).await
    }

    /// The seller's data keys, oldest first.
    async fn keys(&self) -> Vec<WrappedKey> {
        let sql = "select id as key_id, wrapped_key, kms_key_id from robnu.seller_keys where seller_id = $1 order by id";
        let rows = self.bed.world.superuser.query(sql, &[&self.ours().id]).await.unwrap();
        rows.iter().map(|row| WrappedKey::from_row(row).unwrap().unwrap()).collect()
    }

    /// Each ciphertext of ours opens with the newest key alone.
    async fn assert_all_under_newest(&self) {
        let keys = self.keys().await;
        let service = self.bed.keys();
        let ring = service.ring(self.ours().id, vec![keys.last().unwrap().clone()]).unwrap();
        let found = self.bed.copy_ciphertexts(self.ours()).await;
        assert_eq!(found.len(), 3);
        for each in found {
            assert_eq!(&*ring.open(each.place, &each.sealed).await.unwrap(), b"Asha Rao", "{:?}", each.place);
        }
    }

    async fn assert_done(&self) {
        assert_eq!(self.keys().await.len(), 1, "only the new key is left");
        self.assert_all_under_newest().await;
    }
}

async fn reseal(context: &Context, deadline: Instant) -> Result<Report, SweepError> {
    match try_sweep(context, "reseal", deadline).await? {
        sweep::Report::Reseal(report) => Ok(report),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_sealed_column_of_the_schema_is_in_the_list() {
    let stand = Stand::new().await;
    let sql = "select of_table, of_column from robnu.sealed_columns()";
    let rows = stand.bed.world.superuser.query(sql, &[]).await.unwrap();
    let mut expected: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let sql = "select table_name::text, column_name::text from information_schema.columns where table_schema = 'robnu' and column_name like '%\\_enc'";
    let rows = stand.bed.world.superuser.query(sql, &[]).await.unwrap();
    let mut there: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let mut listed: Vec<(String, String)> =
        SEALED_COLUMNS.iter().map(|each| (each.table.to_owned(), each.column.to_owned())).collect();
    for list in [&mut expected, &mut there, &mut listed] {
        list.sort();
    }
    assert_eq!(listed, there);
    assert_eq!(expected, there);
}

#[tokio::test]
async fn an_old_data_key_is_replaced_and_no_other_seller_is_touched() {
    let stand = Stand::new().await;
    let world = &stand.bed.world;
    let untouched = stand.bed.fingerprint(stand.bed.theirs().id).await;
    let stamps = "select string_agg(updated_at::text, ',' order by order_id) from robnu.order_pii";
    let before = world.text(stamps).await;
    let (old, copied) = stand.bed.copy(stand.ours()).await;
    assert_eq!(stand.sweep().await, Report { sellers_seen: 1, keys_added: 1, ..NOTHING });
    // Somebody at work may not know the new key yet.
    assert_eq!(stand.sweep().await, Report { sellers_seen: 1, ..NOTHING });
    stand.age_newest(stand.ours().id, "29 minutes").await;
    assert_eq!(stand.sweep().await, Report { sellers_seen: 1, ..NOTHING });
    assert_eq!(stand.keys().await.len(), 2);
    stand.age_newest(stand.ours().id, "31 minutes").await;
    let report = stand.sweep().await;
    assert_eq!(report, Report { sellers_seen: 1, resealed: 3, keys_dropped: 1, ..NOTHING });
    stand.assert_done().await;
    assert_ne!(stand.keys().await[0].id, old.id);
    assert_eq!(stand.bed.fingerprint(stand.bed.theirs().id).await, untouched);
    assert_eq!(world.text(stamps).await, before, "time counts on from the last real change");
    // What was copied before opens with nothing that is left.
    let service = stand.bed.keys();
    let ring = service.ring(stand.ours().id, stand.keys().await).unwrap();
    for each in copied {
        assert!(ring.open(each.place, &each.sealed).await.is_err(), "{:?}", each.place);
    }
    assert_eq!(stand.sweep().await, NOTHING);
    let trail =
        "select string_agg(action, ', ' order by id) from robnu.audit_events where action like 'data_key.%'";
    assert_eq!(world.text(trail).await, "data_key.added, data_key.deleted");
}

#[tokio::test]
async fn a_sweep_that_dies_anywhere_is_continued() {
    for operation in ["GenerateDataKey", "Decrypt"] {
        let stand = if operation == "Decrypt" { Stand::with_new_key().await } else { Stand::new().await };
        let wire = Wire::new();
        let keys = KeyService::new(wire.kms(), stand.bed.platform_key.clone());
        let context = Context { keys, ..stand.bed.world.another_context().await };
        let reached = wire.hold(operation);
        tokio::select! {
            outcome = stand.try_sweep(&context) => panic!("{operation}: {outcome:?}"),
            () = reached.notified() => {}
        }
        if operation == "GenerateDataKey" {
            assert_eq!(stand.sweep().await, Report { sellers_seen: 1, keys_added: 1, ..NOTHING });
            stand.age_newest(stand.ours().id, "31 minutes").await;
        }
        let report = stand.sweep().await;
        assert_eq!(
            report,
            Report { sellers_seen: 1, resealed: 3, keys_dropped: 1, ..NOTHING },
            "{operation}"
        );
        stand.assert_done().await;
    }
}

#[tokio::test]
async fn work_that_was_done_in_part_is_continued_by_what_the_ciphertexts_name() {
    let stand = Stand::with_new_key().await;
    let keys = stand.keys().await;
    let service = stand.bed.keys();
    // A former sweep has sealed the record anew, and died.
    let found = stand.bed.copy_ciphertexts(stand.ours()).await;
    let record = found.iter().find(|each| each.place.table == "quarantined_records").unwrap();
    let newest = service.cipher(stand.ours().id, &keys[1]).await.unwrap();
    let sealed = newest.seal(record.place, b"Asha Rao").unwrap();
    let sql = "update robnu.quarantined_records set record_enc = $2 where seller_id = $1";
    stand.bed.world.run_sql(sql, &[&stand.ours().id, &sealed]).await;
    let report = stand.sweep().await;
    assert_eq!(report, Report { sellers_seen: 1, resealed: 2, keys_dropped: 1, ..NOTHING });
    stand.assert_done().await;
}

#[tokio::test]
async fn two_sweeps_at_once_add_one_key_and_lose_nothing() {
    let stand = Stand::new().await;
    let other = Context { keys: stand.bed.keys(), ..stand.bed.world.another_context().await };
    let (one, two) = tokio::join!(stand.try_sweep(&stand.context), stand.try_sweep(&other));
    assert_eq!(one.unwrap().keys_added + two.unwrap().keys_added, 1);
    assert_eq!(stand.keys().await.len(), 2);
    stand.age_newest(stand.ours().id, "31 minutes").await;
    let (one, two) = tokio::join!(stand.try_sweep(&stand.context), stand.try_sweep(&other));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.resealed + two.resealed, 3, "{one:?} {two:?}");
    stand.sweep().await;
    stand.assert_done().await;
}

#[tokio::test]
async fn what_somebody_wrote_meanwhile_is_not_replaced() {
    let stand = Stand::with_new_key().await;
    let ours = stand.ours();
    let order = ours.order.as_uuid().to_owned();
    let session = stand.context.database.session(&SellerScope::for_sweep(ours.id)).await.unwrap();
    let (ids, before, now) = (vec![order], vec![b"what was read".to_vec()], vec![b"sealed anew".to_vec()]);
    let params: [&(dyn robnu_tenancy::ToSql + Sync); 5] =
        [&"order_pii", &"customer_name_enc", &ids, &before, &now];
    let rows = session.commit_with(&[(sweep::reseal::SEAL_ANEW, &params)]).await.unwrap();
    assert_eq!(rows[0][0].get::<_, i64>("replaced"), 0);
    // A secret that was wiped stays wiped.
    let sql = "update robnu.ajio_account_details set password_enc = '' where seller_id = $1";
    stand.bed.world.run_sql(sql, &[&ours.id]).await;
    let report = stand.sweep().await;
    assert_eq!(report, Report { sellers_seen: 1, resealed: 2, keys_dropped: 1, ..NOTHING });
    let sql = "select length(password_enc) from robnu.ajio_account_details where seller_id = $1";
    assert_eq!(stand.bed.world.row(sql, &[&ours.id]).await.get::<_, i32>(0), 0);
}

#[tokio::test]
async fn a_record_that_was_read_again_since_the_new_key_is_one_row_again() {
    let stand = Stand::with_new_key().await;
    let ours = stand.ours().id;
    let keys = stand.keys().await;
    let service = stand.bed.keys();
    let newest = service.cipher(ours, &keys[1]).await.unwrap();
    let id = Uuid::now_v7();
    let place = Place { table: "quarantined_records", column: "record", row: id };
    let sealed = newest.seal(place, b"Asha Rao").unwrap();
    let digest = newest.digest(place.table, place.column, b"Asha Rao").to_vec();
    let sql = "insert into robnu.quarantined_records (seller_id, id, account_id, run_id, reason, record_enc, record_digest, seen)
       select seller_id, $2, account_id, run_id, 'again', $3, $4, 4 from robnu.quarantined_records where seller_id = $1";
    assert_eq!(stand.bed.world.run_sql(sql, &[&ours, &id, &sealed, &digest]).await, 1);
    stand.sweep().await;
    let sql = "select count(*)::integer, min(id::text), max(seen), min(encode(record_digest, 'hex')) from robnu.quarantined_records where seller_id = $1";
    let row = stand.bed.world.row(sql, &[&ours]).await;
    let hex = digest.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    assert_eq!(row.get::<_, i32>(0), 1);
    assert_eq!(
        (row.get::<_, String>(1), row.get::<_, i32>(2), row.get::<_, String>(3)),
        (id.to_string(), 5, hex)
    );
    stand.assert_done().await;
}

#[tokio::test]
async fn a_ciphertext_that_does_not_open_stays_with_its_key_and_fails_the_sweep_at_its_end() {
    let stand = Stand::with_new_key().await;
    let sql = "update robnu.order_pii set customer_name_enc = set_byte(customer_name_enc, 40, get_byte(customer_name_enc, 40) # 1) where seller_id = $1";
    assert_eq!(stand.bed.world.run_sql(sql, &[&stand.ours().id]).await, 1);
    let failure = stand.try_sweep(&stand.context).await;
    assert!(matches!(failure, Err(SweepError::NotResealed { sellers: 0, ciphertexts: 1 })), "{failure:?}");
    assert_eq!(stand.keys().await.len(), 2, "the key that the ciphertext names stays");
    let sql = "select count(*) from robnu.quarantined_records q join robnu.seller_keys k on k.seller_id = q.seller_id
       where robnu.data_key_of(q.record_enc) = k.id and not exists (select from robnu.seller_keys l where l.seller_id = k.seller_id and l.id > k.id)
         and q.seller_id = $1";
    assert_eq!(
        stand.bed.world.row(sql, &[&stand.ours().id]).await.get::<_, i64>(0),
        1,
        "the others are done"
    );
}

#[tokio::test]
async fn an_operator_has_one_sellers_young_key_replaced() {
    let stand = Stand::new().await;
    let theirs = stand.bed.theirs().id;
    let request = Request { sweep: "reseal".to_owned(), seller_id: Some(theirs) };
    let report = handle(&request, &stand.context, in_a_minute()).await.unwrap();
    assert_eq!(report, sweep::Report::Reseal(Report { sellers_seen: 1, keys_added: 1, ..NOTHING }));
    assert_eq!(stand.keys().await.len(), 1, "ours was not asked for");
}

#[tokio::test]
async fn a_suspended_sellers_data_rests_and_without_time_nothing_is_begun() {
    let stand = Stand::new().await;
    let soon = Instant::now() + Duration::from_secs(1);
    assert_eq!(reseal(&stand.context, soon).await.unwrap(), Report { time_short: true, ..NOTHING });
    stand.bed.world.suspend(stand.ours().id).await;
    assert_eq!(stand.sweep().await, NOTHING);
    stand.bed.world.resume(stand.ours().id).await;
    assert_eq!(stand.sweep().await.keys_added, 1);
}

#[tokio::test]
async fn the_database_keeps_the_order_of_steps_itself() {
    let stand = Stand::with_new_key().await;
    let ours = stand.ours().id;
    let keys = stand.keys().await;
    let run = async |statement: &'static str, params: &[&(dyn robnu_tenancy::ToSql + Sync)]| {
        let session = stand.context.database.session(&SellerScope::for_sweep(ours)).await.unwrap();
        session.commit_with(&[(statement, params)]).await.unwrap()[0][0].get::<_, bool>(0)
    };
    assert!(!run(sweep::reseal::DROP, &[&keys[0].id]).await, "ciphertexts name it");
    assert!(!run(sweep::reseal::DROP, &[&keys[1].id]).await, "it is the newest");
    let later = Uuid::now_v7();
    let add: [&(dyn robnu_tenancy::ToSql + Sync); 4] = [&keys[0].id, &later, &b"wrapped".to_vec(), &"kms"];
    assert!(!run(sweep::reseal::ADD, &add).await, "it is not after the newest");
    let theirs = stand.bed.copy(stand.bed.theirs()).await.0.id;
    assert!(!run(sweep::reseal::DROP, &[&theirs]).await, "it is another seller's");
    assert_eq!(stand.keys().await.len(), 2);
}
