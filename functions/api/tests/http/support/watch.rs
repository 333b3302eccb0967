//! Checks that a refused request has changed nothing.
//!
//! Without an idempotency key, a POST's statements are committed before its rows are looked at, so the code alone does not
//! ensure that a request with an error response had no effect. Here every response is compared with what was committed
//! meanwhile.

use robnu_testkit::TestDatabase;
use tokio_postgres::Client;

use super::Answer;

/// Notes each written row in the transaction that writes it, so that a rolled-back write leaves no note. Left out are the
/// counts of requests, which every request raises, and the checks of credentials, which are written exactly when they are
/// refused.
const NOTES: &str = "
    create schema watch;
    create unlogged table watch.changes (id bigint generated always as identity primary key, name text not null);
    create function watch.note() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
    begin
      insert into watch.changes (name) values (tg_table_name);
      return null;
    end $$;
    do $$
    declare
      name text;
    begin
      for name in select tablename from pg_tables
        where schemaname = 'robnu' and tablename not in ('request_counts', 'person_requests', 'person_changes', 'credential_checks',
          'schema_migrations') loop
        execute format('create trigger watch after insert or update or delete on robnu.%I for each row execute function watch.note()', name);
      end loop;
    end $$";

/// The one operation that commits something before it may refuse: the end of its path and the table. A state is used up
/// before the marketplace is asked about the code, so that no code is tried twice.
const COMMITS_BEFORE: (&str, [&str; 2]) =
    ("/accounts/authorizations/complete", ["account_authorizations", "audit_events"]);

/// Watches a test's database. Concurrent requests cannot be told apart, so it watches only requests one after the other.
pub struct Watch {
    client: Client,
}

impl Watch {
    pub async fn new(test: &TestDatabase) -> Self {
        let client = test.superuser().await;
        client.batch_execute(NOTES).await.expect("changes can be noted");
        Self { client }
    }

    /// The latest note.
    pub async fn latest(&self) -> i64 {
        let sql = "select coalesce(max(id), 0) from watch.changes";
        self.client.query_one(sql, &[]).await.expect("notes can be read").get(0)
    }

    /// Checks that an error response came without a change since a note.
    pub async fn assert_unchanged(&self, since: i64, path: &str, answer: &Answer) {
        if answer.status.is_success() {
            return;
        }
        let sql = "select coalesce(array_agg(distinct name), '{}') from watch.changes where id > $1";
        let mut changed: Vec<String> =
            self.client.query_one(sql, &[&since]).await.expect("notes can be read").get(0);
        if path.ends_with(COMMITS_BEFORE.0) {
            changed.retain(|name| !COMMITS_BEFORE.1.contains(&name.as_str()));
        }
        assert!(changed.is_empty(), "{path} was refused and has changed {changed:?}: {}", answer.text);
    }
}
