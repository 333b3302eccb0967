//! The ways of reading that are compared.

use robnu_tenancy::{Database, OrderId, SellerId, SellerScope};
use robnu_testkit::{Seller, TestDatabase};
use tokio_postgres::{Client, Config, NoTls, Statement};

/// A read: a statement in a scope, and the same statement past row level security. `$1` order, `$2` seller.
pub struct Read {
    pub name: &'static str,
    pub scoped: &'static str,
    pub raw: &'static str,
}

/// One way to read, on a connection of its own.
pub struct Reader {
    order: OrderId,
    seller: SellerId,
    way: Way,
}

enum Way {
    /// As a superuser, with one prepared statement and nothing else.
    Raw(Client, Statement),
    /// Through the shared code, in one round trip.
    Job(Database, SellerScope),
    /// The same for a new request each time, which is counted after its transaction.
    Member(Database, Box<Seller>),
    /// The statements of a member's round trip, each awaited: begin, enter, read, commit, count.
    Naive(Client, [Statement; 5], String),
}

impl Reader {
    /// Makes all four readers, for the server at `port`.
    pub async fn all(test: &TestDatabase, port: u16, seller: &Seller, read: &Read) -> [Self; 4] {
        let login = async |role: &str| {
            let mut config = test.config(role);
            config.port = port;
            Database::new(&config).await.unwrap()
        };
        let raw = connect(test, port, &superuser()).await;
        let statement = raw.prepare(read.raw).await.unwrap();
        let naive = connect(test, port, "robnu_api").await;
        let statements = [
            naive.prepare("begin").await.unwrap(),
            naive.prepare("select robnu.enter_member($1, $2, 'read', false)").await.unwrap(),
            naive.prepare(read.scoped).await.unwrap(),
            naive.prepare("commit").await.unwrap(),
            naive.prepare("select robnu.count_request($1, $2)").await.unwrap(),
        ];
        // This is how the fixture names its members.
        let subject = format!("VIEWER@{}", seller.id);
        let ways = [
            Way::Raw(raw, statement),
            Way::Job(login("robnu_adapter").await, seller.job_scope()),
            Way::Member(login("robnu_api").await, Box::new(seller.clone())),
            Way::Naive(naive, statements, subject),
        ];
        ways.map(|way| Self { order: seller.order, seller: seller.id, way })
    }

    /// Reads once.
    pub async fn read(&self, read: &Read) {
        let (order, seller) = (&self.order, &self.seller);
        let rows = match &self.way {
            Way::Raw(client, statement) => client.query(statement, &[order, seller]).await.unwrap(),
            Way::Job(database, scope) => database.read(scope, read.scoped, &[order]).await.unwrap(),
            Way::Member(database, seller) => {
                database.read(&seller.scope("VIEWER"), read.scoped, &[order]).await.unwrap()
            }
            Way::Naive(client, [begin, enter, statement, commit, count], subject) => {
                client.query(begin, &[]).await.unwrap();
                client.query(enter, &[subject, seller]).await.unwrap();
                let rows = client.query(statement, &[order]).await.unwrap();
                client.query(commit, &[]).await.unwrap();
                client.query(count, &[subject, seller]).await.unwrap();
                rows
            }
        };
        assert!(!rows.is_empty(), "nothing was read");
    }
}

async fn connect(test: &TestDatabase, port: u16, user: &str) -> Client {
    let mut config = Config::new();
    config.host(test.config(user).host).port(port).dbname(test.name()).user(user);
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

fn superuser() -> String {
    let url = std::env::var("TEST_DATABASE_URL").expect("TEST_DATABASE_URL names a server");
    let config: Config = url.parse().unwrap();
    config.get_user().expect("the URL names a superuser").to_owned()
}
