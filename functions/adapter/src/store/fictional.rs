//! A stream that does not exist in the product: reviews of articles. It shows the parts of a new stream: a table, a batch
//! with its statement, and names for its counts. The engine, the ledger tables and the API need no change for it.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

use robnu_dispatch::{Job, Lease, Progress, StreamCounts, TakeLease, Taken, advance};
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::kind::RunKind;
use robnu_storage::SellerCipher;
use robnu_tenancy::{Database, Error, Row, RunId, SellerScope};
use robnu_testkit::{Seller, TestDatabase, TwoSellers};
use std::time::Duration;
use uuid::Uuid;

use super::batch::{Batch, Request, count};
use super::quarantine::Sealed;
use super::raw_pages::RawPages;
use super::store_batch;

const TABLE: &str = "
    set role robnu_owner;
    create table robnu.reviews (
      seller_id uuid not null, id uuid not null default uuidv7(), account_id uuid not null, article text not null, stars integer not null,
      primary key (seller_id, id), unique (seller_id, account_id, article),
      foreign key (seller_id, account_id) references robnu.marketplace_accounts (seller_id, id));
    call robnu.protect_tenant_table('robnu.reviews');
    call robnu.require_right_to_write('robnu.reviews', 'ingest', 'insert', 'update');
    grant select, insert (seller_id, account_id, article, stars), update (stars) on robnu.reviews to robnu_tenant;
    reset role";

const UPSERT: &str = "with written as (
      insert into robnu.reviews as r (seller_id, account_id, article, stars)
      select (select robnu.app_current_seller_id()), $1, article, stars from unnest($2::text[], $3::int[]) as p (article, stars)
      on conflict (seller_id, account_id, article) do update set stars = excluded.stars where r.stars <> excluded.stars
      returning old.id is null as is_new)
    select (count(*) filter (where is_new))::int as new, (count(*) filter (where not is_new))::int as changed from written";

struct ReviewsBatch {
    article: Vec<&'static str>,
    stars: Vec<i32>,
}

impl Batch for ReviewsBatch {
    fn requests<'a>(&'a self, job: &'a Job) -> Vec<Request<'a>> {
        vec![(UPSERT, vec![&job.account_id, &self.article, &self.stars])]
    }

    fn counts(&self, answers: &[Vec<Row>]) -> Result<Vec<StreamCounts>, Error> {
        let (added, changed) = (count(&answers[0], "new")?, count(&answers[0], "changed")?);
        let unchanged = i32::try_from(self.article.len()).unwrap() - added - changed;
        Ok(vec![StreamCounts { stream: "REVIEWS", added, changed, unchanged, removed: 0 }])
    }
}

async fn begin(database: &Database, test: &TestDatabase, seller: &Seller) -> (SellerScope, Job, Lease) {
    let job = Job {
        run_id: RunId::new(),
        step: 0,
        generation: 0,
        seller_id: seller.id,
        account_id: seller.amazon,
        marketplace: MarketplaceCode::AmazonIn,
        kind: RunKind::Listings,
    };
    let queued = "insert into robnu.sync_runs (seller_id, id, account_id, marketplace_code, kind, trigger)
        values ($1, $2, $3, 'AMAZON_IN', 'LISTINGS', 'API')";
    test.superuser().await.execute(queued, &[&seller.id, &job.run_id, &job.account_id]).await.unwrap();
    let scope = SellerScope::for_job(job.seller_id, job.account_id);
    let take = TakeLease::new(&job, Duration::from_mins(1));
    let session = database.session(&scope).await.unwrap();
    let rows = session.commit_with(&[(TakeLease::SQL, &take.params())]).await.unwrap();
    match Taken::from_rows(&rows[0], &job).unwrap() {
        Taken::Ours(lease) => (scope, job, lease),
        Taken::Not(why) => panic!("no lease: {why:?}"),
    }
}

#[tokio::test]
async fn a_new_stream_is_stored_and_counted_by_the_unchanged_engine() {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    test.superuser().await.batch_execute(TABLE).await.unwrap();
    let database = test.login("robnu_adapter").await;
    let cipher = SellerCipher::new(sellers.ours.id, Uuid::now_v7(), &[7; 32]).unwrap();
    let (scope, job, lease) = begin(&database, &test, &sellers.ours).await;
    let pages: [(&[&'static str], &[i32]); 2] =
        [(&["SHIRT", "SHOE"], &[4, 5]), (&["SHIRT", "SHOE", "HAT"], &[4, 1, 3])];
    for (number, (article, stars)) in pages.into_iter().enumerate() {
        let batch = ReviewsBatch { article: article.to_vec(), stars: stars.to_vec() };
        let mut session = database.session(&scope).await.unwrap();
        let (sealed, raw) = (Sealed::new(&cipher, &[]).unwrap(), RawPages::default());
        let (stored, _) = store_batch(&mut session, &job, &batch, &sealed, &raw, None).await.unwrap();
        let progress = Progress {
            next_position: (number == 0).then_some("second"),
            is_last: number == 1,
            complete_until: None,
            changed_since: None,
            counts: &stored.counts,
            quarantined: 0,
            lease_seconds: 60.0,
        };
        advance(session, &job, &lease, &progress, None).await.unwrap();
    }
    let counted = "select r.state || ' ' || c.stream || ' ' || c.added || ' ' || c.changed || ' ' || c.unchanged
        from robnu.sync_runs r join robnu.sync_run_counts c on c.seller_id = r.seller_id and c.run_id = r.id where r.id = $1";
    let row = test.superuser().await.query_one(counted, &[&job.run_id]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "SUCCEEDED REVIEWS 3 1 1");
    let theirs = SellerScope::for_job(sellers.theirs.id, sellers.theirs.amazon);
    let rows = database.read(&theirs, "select from robnu.reviews", &[]).await.unwrap();
    assert!(rows.is_empty(), "another seller sees nothing of it");
}
