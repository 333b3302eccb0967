//! The scopes other than a seller's: a person without a seller, sweeps and lanes. Each sees only the columns of its grants and the
//! rows of its policies.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use robnu_tenancy::{Database, Error, Params, PersonScope, SellerId, Subject, SystemScope};
use robnu_testkit::{TestDatabase, TwoSellers};
use tokio_postgres::Client;
use uuid::Uuid;

const SIGN_UP: &str = "select robnu.sign_up_seller($1, $2, $3, $4, $5, $6, '198.51.100.7')";

struct TestBed {
    test: TestDatabase,
    sellers: TwoSellers,
    superuser: Client,
}

impl TestBed {
    async fn new() -> Self {
        let test = TestDatabase::new().await;
        let sellers = TwoSellers::seed(&test).await;
        let superuser = test.superuser().await;
        Self { test, sellers, superuser }
    }

    async fn count(&self, sql: &str) -> i64 {
        self.superuser.query_one(sql, &[]).await.unwrap().get(0)
    }

    async fn sign_up(&self, database: &Database, subject: &Subject, seller: SellerId) -> Result<(), Error> {
        let (name, email, key) = ("a new seller", "new@example.invalid", vec![1_u8]);
        let params: Params<'_> = &[&seller, &name, &email, &Uuid::now_v7(), &key, &"alias/none"];
        let session = database.session(&PersonScope::new(subject.clone())).await?;
        session.commit_with(&[(SIGN_UP, params)]).await.map(|_| ())
    }
}

fn stranger() -> Subject {
    Subject::from_verified_claim("a stranger").unwrap()
}

#[tokio::test]
async fn a_person_sees_their_own_memberships_their_sellers_and_themselves() {
    let bed = TestBed::new().await;
    let database = bed.test.login("robnu_api").await;
    let person = PersonScope::new(bed.sellers.ours.subject("VIEWER"));
    for table in ["select seller_id from robnu.members", "select seller_id from robnu.sellers"] {
        let rows = database.read(&person, table, &[]).await.unwrap();
        assert_eq!(
            rows.iter().map(|row| row.get(0)).collect::<Vec<SellerId>>(),
            [bed.sellers.ours.id],
            "{table}"
        );
    }
    let rows = database.read(&person, "select email from robnu.people", &[]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get(0)).collect::<Vec<String>>(), ["VIEWER@example.invalid"]);

    let nobody = PersonScope::new(stranger());
    for sql in
        ["select id from robnu.members", "select seller_id from robnu.sellers", "select id from robnu.people"]
    {
        assert!(database.read(&nobody, sql, &[]).await.unwrap().is_empty(), "{sql}");
    }
}

#[tokio::test]
async fn a_person_reaches_no_other_tenant_table_and_writes_no_membership() {
    let bed = TestBed::new().await;
    let database = bed.test.login("robnu_api").await;
    let person = PersonScope::new(bed.sellers.ours.subject("OWNER"));
    for sql in [
        "select seller_id from robnu.orders",
        "select seller_id from robnu.marketplace_accounts",
        "select seller_id from robnu.seller_keys",
        "insert into robnu.members (seller_id, person_id, role) select seller_id, person_id, 'OWNER' from robnu.members",
        "update robnu.members set role = 'OWNER'",
        "delete from robnu.members",
        "insert into robnu.sellers (seller_id, org_id, name) select uuidv7(), org_id, name from robnu.sellers",
        "update robnu.sellers set name = 'mine'",
        "update robnu.people set subject = 'somebody else'",
        "delete from robnu.people",
    ] {
        let refused = database.read(&person, sql, &[]).await;
        assert!(matches!(refused, Err(Error::Forbidden)), "{sql}: {refused:?}");
    }
}

#[tokio::test]
async fn a_person_is_registered_only_by_signing_up() {
    let bed = TestBed::new().await;
    let database = bed.test.login("robnu_api").await;
    let person = PersonScope::new(stranger());
    let insert = "insert into robnu.people (subject, email) values ($1, 'x@example.invalid')";
    for subject in ["somebody else", "a stranger"] {
        let refused = database.read(&person, insert, &[&subject]).await;
        assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
    }
}

#[tokio::test]
async fn signing_up_makes_a_new_seller_with_its_owner_and_key() {
    let bed = TestBed::new().await;
    let database = bed.test.login("robnu_api").await;
    let seller = SellerId::new();
    bed.sign_up(&database, &stranger(), seller).await.unwrap();
    let scope = robnu_tenancy::SellerScope::for_member(
        stranger(),
        seller,
        robnu_tenancy::Permission::Membership,
        robnu_tenancy::Access::Read,
    );
    let keys = database.read(&scope, "select seller_id from robnu.seller_keys", &[]).await.unwrap();
    assert_eq!(keys.iter().map(|row| row.get(0)).collect::<Vec<SellerId>>(), [seller]);
    let roles = database.read(&scope, "select role from robnu.members", &[]).await.unwrap();
    assert_eq!(roles.iter().map(|row| row.get(0)).collect::<Vec<String>>(), ["OWNER"]);
}

#[tokio::test]
async fn signing_up_joins_no_seller_that_exists() {
    let bed = TestBed::new().await;
    let database = bed.test.login("robnu_api").await;
    let members = bed.count("select count(*) from robnu.members").await;
    let theirs = bed.sellers.theirs.id;
    for subject in [stranger(), bed.sellers.ours.subject("OWNER"), bed.sellers.theirs.subject("VIEWER")] {
        let refused = bed.sign_up(&database, &subject, theirs).await;
        assert!(matches!(refused, Err(Error::Exists { .. })), "{refused:?}");
    }
    assert_eq!(bed.count("select count(*) from robnu.members").await, members);
    assert_eq!(bed.count("select count(*) from robnu.people where subject = 'a stranger'").await, 0);
    assert_eq!(bed.count("select count(*) from robnu.seller_keys").await, 2);
}

#[tokio::test]
async fn a_person_signs_up_at_most_fifty_sellers_and_may_own_others_too() {
    let bed = TestBed::new().await;
    let database = bed.test.login("robnu_api").await;
    let owner = bed.sellers.ours.subject("OWNER");
    // Sellers that others signed up do not count; sellers that were given away do.
    let almost_all = format!(
        "insert into robnu.sellers (org_id, name, signed_up_by)
         select o.id, 'one of many', p.id from robnu.orgs o, robnu.people p, generate_series(1, 49)
         where p.subject = 'OWNER@{}'",
        bed.sellers.ours.id
    );
    bed.superuser.batch_execute(&almost_all).await.unwrap();
    bed.sign_up(&database, &owner, SellerId::new()).await.expect("the fiftieth");
    let refused = bed.sign_up(&database, &owner, SellerId::new()).await;
    assert!(matches!(refused, Err(Error::TooManySellers)), "{refused:?}");
    bed.sign_up(&database, &stranger(), SellerId::new()).await.expect("another person's first");
}

#[tokio::test]
async fn signing_up_is_only_for_the_person_of_the_scope() {
    let bed = TestBed::new().await;
    let database = bed.test.login("robnu_api").await;
    let params: Params<'_> = &[&SellerId::new(), &"n", &"e@x", &Uuid::now_v7(), &vec![1_u8], &"alias/none"];
    let owner = database.read(&bed.sellers.ours.scope("OWNER"), SIGN_UP, params).await;
    assert!(matches!(owner, Err(Error::Forbidden)), "{owner:?}");
    let adapter = bed.test.login("robnu_adapter").await;
    let job = adapter.read(&bed.sellers.ours.job_scope(), SIGN_UP, params).await;
    assert!(matches!(job, Err(Error::Forbidden)), "{job:?}");
}

/// What a system role may do with each column of each relation, from the catalogue.
const COLUMNS: &str =
    "select c.relname::text, a.attname::text, has_column_privilege($1, c.oid, a.attnum, 'select'),
    has_column_privilege($1, c.oid, a.attnum, 'update')
  from pg_class c join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'robnu'
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
  where c.relkind in ('r', 'p', 'v') order by 1, 2";

/// Runs `sql` in a system scope, in a transaction that is rolled back.
async fn behind_the_entry(login: &Client, role: &str, sql: &str) -> Result<u64, String> {
    login.batch_execute(&format!("begin; select robnu.enter_system('{role}')")).await.unwrap();
    let outcome = login.execute(sql, &[]).await;
    login.batch_execute("rollback").await.unwrap();
    outcome.map_err(|error| error.code().map_or_else(|| error.to_string(), |code| code.code().to_owned()))
}

async fn assert_only_granted_columns(login_role: &str, role: &str) {
    let bed = TestBed::new().await;
    let login = bed.test.raw(login_role).await;
    let mut granted = 0;
    for row in bed.superuser.query(COLUMNS, &[&role]).await.unwrap() {
        let (table, column): (String, String) = (row.get(0), row.get(1));
        let (selects, updates): (bool, bool) = (row.get(2), row.get(3));
        let read = behind_the_entry(&login, role, &format!("select {column} from robnu.{table}")).await;
        if selects {
            granted += 1;
            assert!(
                matches!(read, Ok(2..)),
                "{role} sees rows of both sellers in {table}.{column}: {read:?}"
            );
        } else {
            assert_eq!(read, Err("42501".to_owned()), "{role} reads {table}.{column}");
        }
        let to = if selects { &column } else { "null" };
        let write =
            behind_the_entry(&login, role, &format!("update robnu.{table} set {column} = {to}")).await;
        if updates {
            assert!(matches!(write, Ok(2..)), "{role} writes {table}.{column}: {write:?}");
        } else {
            assert_eq!(write, Err("42501".to_owned()), "{role} writes {table}.{column}");
        }
        for verb in ["delete from", "truncate"] {
            let refused = behind_the_entry(&login, role, &format!("{verb} robnu.{table}")).await;
            assert_eq!(refused, Err("42501".to_owned()), "{role}: {verb} {table}");
        }
    }
    assert!(granted > 0);
}

#[tokio::test]
async fn a_sweep_sees_and_writes_only_the_columns_it_was_granted() {
    assert_only_granted_columns("robnu_sweep", "robnu_system_sweep").await;
}

#[tokio::test]
async fn lanes_see_and_write_only_the_columns_they_were_granted() {
    assert_only_granted_columns("robnu_lanes", "robnu_system_lanes").await;
}

#[tokio::test]
async fn the_sweep_of_exports_sees_and_writes_only_the_columns_it_was_granted() {
    assert_only_granted_columns("robnu_exporter", "robnu_system_exports").await;
}

#[tokio::test]
async fn the_redrive_sees_and_writes_only_the_columns_it_was_granted() {
    assert_only_granted_columns("robnu_redrive", "robnu_system_redrive").await;
}

#[tokio::test]
async fn no_system_column_holds_what_a_seller_sells_or_who_buys() {
    let bed = TestBed::new().await;
    for role in [
        "robnu_system_sweep",
        "robnu_system_retention",
        "robnu_system_lanes",
        "robnu_system_exports",
        "robnu_system_redrive",
    ] {
        for row in bed.superuser.query(COLUMNS, &[&role]).await.unwrap() {
            let (table, column, selects): (String, String, bool) = (row.get(0), row.get(1), row.get(2));
            let told = ["display_name", "external_account_id", "page_position", "error_message"];
            let business = ["orders", "order_items", "shipments", "quarantined_records", "people", "members"];
            let private = column.ends_with("_enc") || told.contains(&column.as_str());
            assert!(
                !selects || table == "marketplaces" || !private && !business.contains(&table.as_str()),
                "{table}.{column}"
            );
        }
    }
}

#[tokio::test]
async fn a_sweep_makes_no_run_with_another_sellers_account() {
    let bed = TestBed::new().await;
    let database = bed.test.login("robnu_sweep").await;
    let insert = "insert into robnu.sync_runs (seller_id, account_id, marketplace_code, kind, trigger)
        values ($1, $2, 'AJIO', 'ORDERS', 'SCHEDULE')";
    let (ours, theirs) = (&bed.sellers.ours, &bed.sellers.theirs);
    let crossed = database.read(&SystemScope::Sweep, insert, &[&ours.id, &theirs.ajio]).await;
    assert!(matches!(crossed, Err(Error::Violates { .. })), "{crossed:?}");
    database.read(&SystemScope::Sweep, insert, &[&ours.id, &ours.ajio]).await.expect("its own account");
}

#[tokio::test]
async fn a_login_enters_only_its_own_scopes() {
    let bed = TestBed::new().await;
    let crossed = [
        ("robnu_sweep", "select robnu.enter_system('robnu_system_lanes')"),
        ("robnu_lanes", "select robnu.enter_system('robnu_system_sweep')"),
        ("robnu_api", "select robnu.enter_system('robnu_system_sweep')"),
        ("robnu_lanes", "select robnu.enter_system('robnu_system_retention')"),
        ("robnu_lanes", "select robnu.enter_system('robnu_system_closing')"),
        ("robnu_api", "select robnu.enter_system('robnu_system_closing')"),
        ("robnu_api", "select robnu.enter_sweep(uuidv7())"),
        ("robnu_adapter", "select robnu.enter_sweep(uuidv7())"),
        ("robnu_api", "select robnu.enter_job(uuidv7(), uuidv7())"),
        ("robnu_adapter", "select robnu.enter_member('x', uuidv7(), '', true)"),
        ("robnu_adapter", "select robnu.enter_staff('x')"),
        ("robnu_adapter", "select robnu.enter_impersonation('x', uuidv7(), uuidv7(), '', true)"),
        ("robnu_adapter", "select robnu.count_request('x', uuidv7())"),
        ("robnu_sweep", "set role robnu_staff"),
        ("robnu_adapter", "select robnu.enter_person('x')"),
        ("robnu_sweep", "select robnu.enter_job(uuidv7(), uuidv7())"),
        ("robnu_api", "set role robnu_owner"),
        ("robnu_adapter", "set role robnu_person"),
        ("robnu_sweep", "set role robnu_tenant"),
        ("robnu_lanes", "set role robnu_tenant"),
        ("robnu_api", "select robnu.enter_export(uuidv7(), uuidv7(), 'read')"),
        ("robnu_api", "select robnu.enter_exporter(uuidv7(), uuidv7())"),
        ("robnu_api", "select robnu.enter_system('robnu_system_exports')"),
        ("robnu_exporter", "select robnu.enter_member('x', uuidv7(), '', true)"),
        ("robnu_exporter", "select robnu.enter_job(uuidv7(), uuidv7())"),
        ("robnu_exporter", "select robnu.enter_system('robnu_system_sweep')"),
        ("robnu_exporter", "set role robnu_staff"),
        ("robnu_exporter", "select robnu.enter_system('robnu_system_redrive')"),
        ("robnu_redrive", "select robnu.enter_system('robnu_system_sweep')"),
        ("robnu_redrive", "select robnu.enter_job(uuidv7(), uuidv7())"),
        ("robnu_redrive", "select robnu.enter_sweep(uuidv7())"),
        ("robnu_redrive", "set role robnu_tenant"),
    ];
    for (login, sql) in crossed {
        let error = bed.test.raw(login).await.batch_execute(sql).await.expect_err(sql);
        assert_eq!(error.code().map(tokio_postgres::error::SqlState::code), Some("42501"), "{login}: {sql}");
    }
}

#[tokio::test]
async fn a_login_without_a_scope_sees_nothing_at_all() {
    let bed = TestBed::new().await;
    let tables = "select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'robnu' and c.relkind in ('r', 'p', 'v')";
    for login in
        ["robnu_api", "robnu_adapter", "robnu_sweep", "robnu_lanes", "robnu_exporter", "robnu_redrive"]
    {
        let client = bed.test.raw(login).await;
        for row in bed.superuser.query(tables, &[]).await.unwrap() {
            let table: String = row.get(0);
            for sql in [format!("select from robnu.{table}"), format!("delete from robnu.{table}")] {
                let error = client.batch_execute(&sql).await.expect_err(&sql);
                assert_eq!(
                    error.code().map(tokio_postgres::error::SqlState::code),
                    Some("42501"),
                    "{login}: {sql}"
                );
            }
        }
        client
            .batch_execute("create temporary table shadow (id integer)")
            .await
            .expect_err("no temporary tables");
    }
}

#[tokio::test]
async fn a_seller_scope_without_a_seller_is_an_error_and_not_an_empty_answer() {
    let bed = TestBed::new().await;
    let client = bed.test.raw("robnu_api").await;
    let codes = |error: tokio_postgres::Error| error.code().map(|code| code.code().to_owned());
    // The setting is unset on a fresh connection and empty on a used one.
    for _ in 0..2 {
        let bare = client.batch_execute("begin; set local role robnu_tenant; select from robnu.orders").await;
        assert_eq!(codes(bare.unwrap_err()), Some("RB003".to_owned()));
        client.batch_execute("rollback; begin; select robnu.enter_person('x'); commit").await.unwrap();
    }
}
