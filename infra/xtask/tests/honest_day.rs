//! An honest seller's whole day on the deployed stack, at ten times an ordinary pace, and for two sellers at once. Nobody
//! gets 409 or 429, except for a password that was mistyped.
//!
//! The ordinary pace is our estimate for a seller with four accounts and a team of four, who ships some 300 parcels a day:
//!
//! | what | ordinary, a day | here |
//! |---|---|---|
//! | parcels scanned as they come back, some of them twice | 20 in the hour when the carrier comes, one in 3 s | 200 and 20 again, one in 0.3 s |
//! | claims filed, acknowledged, won or lost | 2 | 20 |
//! | pages of lists, details, searches; open pages that ask again | 1 in 3.3 s, all people together | 3 a second |
//! | syncs requested | 2 | 20 |
//! | invitations, some of them mistyped and withdrawn | 1 in a busy week | 10, and one sent again |
//! | people who join | 1 in a month | 3 |
//! | schedules changed | 1 | 10 |
//! | renames of the seller and of accounts | 1 in a month | 10 |
//! | pauses and resumes of an account | 1 in a month | 5 |
//! | passwords changed | 1 in three months | 3 |
//! | accounts connected, one with a password mistyped twice | 4 in all | 4 |
//! | requests of all people together | 1 a second | 10 a second |

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod day;
mod stack;

use std::time::Duration;

use day::{Person, busiest, token_mailed_to};
use reqwest::Method;
use serde_json::{Value, json};
use stack::{Owner, Stack, eventually, unique};
use tokio::sync::watch;
use tokio::time::Instant;

const PARCELS: usize = 200;
const CLAIMS: usize = 20;

/// The time between two requests of each person, ten times as fast as real people. Together they send ten requests a second.
const SCANNER: Duration = Duration::from_millis(300);
const OPERATOR: Duration = Duration::from_millis(330);
const MANAGER: Duration = Duration::from_millis(500);
const ACCOUNTANT: Duration = Duration::from_millis(600);

#[tokio::test]
async fn an_honest_sellers_whole_day_at_ten_times_its_pace_is_never_refused() {
    let stack = Stack::get();
    tokio::join!(day(&stack, "textiles"), day(&stack, "home"));
}

async fn day(stack: &Stack, name: &str) {
    let Owner { token, seller } = stack.new_owner(name).await;
    let manager = Person::at_work(stack, &token, &seller, MANAGER);
    let (team, resendable) = team(stack, &manager, &seller).await;
    let accounts = accounts(stack, &manager).await;
    parcels_on_their_way(stack, &seller, &accounts.ajio).await;
    let began = Instant::now();
    let (count, received) = watch::channel(0);
    let [operator, accountant, scanner] = &team;
    tokio::join!(
        scan(scanner, count),
        claim(accountant, received),
        look(operator),
        manage(stack, &manager, &accounts),
    );
    // An invitation can be sent again after a minute.
    let minute = Duration::from_secs(61);
    tokio::time::sleep(minute.saturating_sub(resendable.at.elapsed())).await;
    let again = manager.does(Method::POST, &format!("/invitations/{}/resend", resendable.id), None).await;
    assert_eq!(again["sent"], true, "{again}");

    let mut sent = manager.sent().await;
    for person in &team {
        sent.extend(person.sent().await);
    }
    eprintln!(
        "{name}: {} requests, {} in the busiest ten seconds, {:.0} s",
        sent.len(),
        busiest(sent.clone()),
        began.elapsed().as_secs_f64()
    );
    assert!(sent.len() > 500, "{} requests are too few for a busy day", sent.len());
}

/// An invitation that nobody has accepted, and the time of its mail.
struct Invitation {
    id: String,
    at: Instant,
}

/// Invites a team, mistypes each address once, and lets everybody join.
async fn team<'a>(stack: &'a Stack, manager: &Person<'_>, seller: &str) -> ([Person<'a>; 3], Invitation) {
    let invite = async |address: &str, role: Value| {
        let body = json!({"email": address, "role": role, "scan_returns": role.is_null()});
        let invited = manager.does(Method::POST, "/invitations", Some(body)).await;
        assert_eq!(invited["sent"], true, "{invited}");
        invited["invitation_id"].as_str().unwrap().to_owned()
    };
    let unanswered = invite(&format!("{}@test.invalid", unique("partner")), json!("VIEWER")).await;
    let unanswered = Invitation { id: unanswered, at: Instant::now() };
    let mut team = Vec::new();
    for (role, pace) in
        [(json!("OPERATOR"), OPERATOR), (json!("FINANCE"), ACCOUNTANT), (Value::Null, SCANNER)]
    {
        let token = stack.new_person("colleague").await;
        let (_, me) = stack.call(Some(&token), Method::GET, "/v1/me", None).await;
        let address = me["email"].as_str().unwrap();
        // The first invitation has two letters swapped.
        let mistyped = invite(&address.replace("test", "tset"), role.clone()).await;
        manager.does(Method::DELETE, &format!("/invitations/{mistyped}"), None).await;
        invite(address, role).await;
        let person = Person::at_work(stack, &token, seller, pace);
        let body = json!({"token": token_mailed_to(stack, address).await});
        person.does(Method::POST, "/v1/invitations/accept", Some(body)).await;
        team.push(person);
    }
    // Invitations that are withdrawn because the role was wrong.
    for role in ["VIEWER", "OPERATOR", "FINANCE"] {
        let id = invite(&format!("{}@test.invalid", unique("temp")), json!(role)).await;
        manager.does(Method::DELETE, &format!("/invitations/{id}"), None).await;
    }
    let team = team.try_into().unwrap_or_else(|_| panic!("three have joined"));
    (team, unanswered)
}

/// The seller's accounts.
struct Accounts {
    ajio: String,
    ajio_name: String,
    amazon: String,
    flipkart: String,
    meesho: String,
}

/// Connects four marketplaces. The password of one is mistyped twice.
async fn accounts(stack: &Stack, manager: &Person<'_>) -> Accounts {
    let ajio_name = unique("DV");
    password_at_ajio(stack, &ajio_name, "correct horse").await;
    let password = |password: &str| json!({"username": ajio_name, "password": password});
    let account = json!({"marketplace": "AJIO", "external_account_id": ajio_name, "display_name": "AJIO"});
    let typed = ["corect horse", "correct hrose", "correct horse"].map(password);
    let ajio = manager.connects(&account, &typed).await;

    let partner = unique("A");
    let book = include_str!("../../simulators/orders.csv");
    let known = json!({"account": partner, "refresh_token": format!("Atzr|{partner}"), "orders_csv": book});
    stack.control(Method::POST, "/amazon/accounts", Some(known)).await;
    let account =
        json!({"marketplace": "AMAZON_IN", "external_account_id": partner, "display_name": "Amazon"});
    let details = json!({"client_id": "amzn1.application-oa2-client.test", "client_secret": "battery-staple",
        "refresh_token": format!("Atzr|{partner}")});
    let amazon = manager.connects(&account, &[details]).await;

    let app = unique("app");
    let known = json!({"account": app, "app_id": app, "app_secret": "a-secret"});
    stack.control(Method::POST, "/flipkart/accounts", Some(known)).await;
    let account = json!({"marketplace": "FLIPKART", "external_account_id": app, "display_name": "Flipkart"});
    let details = json!({"app_id": app, "app_secret": "a-secret", "location_id": "LOC1"});
    let flipkart = manager.connects(&account, &[details]).await;

    let supplier = unique("S");
    let known =
        json!({"supplier_id": supplier, "api_key": format!("key-{supplier}"), "api_secret": "a-secret"});
    stack.control(Method::POST, "/meesho/accounts", Some(known.clone())).await;
    let account = json!({"marketplace": "MEESHO", "external_account_id": supplier, "display_name": "Meesho"});
    let meesho = manager.connects(&account, &[known]).await;

    for account in [&ajio, &amazon] {
        let path = format!("/accounts/{account}");
        eventually("the lane is there", 60, async || {
            (manager.reads(&path).await["lane_state"] == "ACTIVE").then_some(())
        })
        .await;
    }
    Accounts { ajio, ajio_name, amazon, flipkart, meesho }
}

async fn password_at_ajio(stack: &Stack, name: &str, password: &str) {
    let body = json!({"username": name, "password": password, "orders": 60});
    stack.control(Method::POST, "/ajio/accounts", Some(body)).await;
}

/// Inserts returns into the database, because they cannot be read from a marketplace yet.
async fn parcels_on_their_way(stack: &Stack, seller: &str, account: &str) {
    let sql = "insert into robnu.returns (seller_id, account_id, external_return_id, external_order_id, return_type, status,
          marketplace_status, tracking_number, currency, initiated_at)
        select $1::text::uuid, $2::text::uuid, 'RN' || number, 'FN' || number, 'CUSTOMER', 'IN_TRANSIT', 'RETURN_CREATED',
          'RAWB' || number, 'INR', now() - interval '5 days'
        from generate_series(1, $3::bigint) number";
    let parcels = i64::try_from(PARCELS).unwrap();
    let rows = stack.database().await.execute(sql, &[&seller, &account, &parcels]).await.unwrap();
    assert_eq!(rows, u64::try_from(PARCELS).unwrap());
}

/// Scans each parcel, and every tenth one twice.
async fn scan(scanner: &Person<'_>, count: watch::Sender<usize>) {
    for number in 1..=PARCELS {
        let body = json!({"code": format!("RAWB{number}")});
        scanner.does(Method::POST, "/returns/scan", Some(body.clone())).await;
        if number.is_multiple_of(10) {
            scanner.does(Method::POST, "/returns/scan", Some(body)).await;
        }
        count.send_replace(number);
    }
}

/// Files claims for damaged returns, acknowledges them and records how they ended.
async fn claim(accountant: &Person<'_>, mut received: watch::Receiver<usize>) {
    for number in 0..CLAIMS {
        let parcel = 1 + number * 5;
        received.wait_for(|count| *count >= parcel).await.unwrap();
        let found = accountant.reads(&format!("/search?q=RAWB{parcel}")).await;
        let hits = found["hits"].as_array().unwrap_or_else(|| panic!("{found}"));
        let hit = hits.iter().find(|hit| hit["number"] == format!("RAWB{parcel}")).unwrap_or(&hits[0]);
        let path = format!("/returns/{}/claim", hit["id"].as_str().unwrap_or_else(|| panic!("{found}")));
        let body = json!({"reason": "DAMAGED", "claimed_amount": "410.5"});
        let filed = accountant.does(Method::POST, &path, Some(body)).await;
        let claim = format!("/claims/{}", filed["claim_id"].as_str().unwrap());
        let ticket = json!({"marketplace_reference": format!("T-{number}")});
        accountant.does(Method::POST, &format!("{claim}/acknowledge"), Some(ticket)).await;
        let (end, body) = if number.is_multiple_of(2) {
            ("resolve-won", json!({"recovered_amount": "410.5"}))
        } else {
            ("resolve-lost", json!({"reason": "no proof of dispatch"}))
        };
        accountant.does(Method::POST, &format!("{claim}/{end}"), Some(body)).await;
    }
    for page in ["/claims?status=RESOLVED_WON", "/payouts", "/usage", "/claims?reason=DAMAGED"] {
        accountant.reads(page).await;
    }
}

/// Reads the pages that are open on screens, again and again: dispatch, orders, one order, parcels, returns.
async fn look(operator: &Person<'_>) {
    let mut order = None;
    for turn in 0..18 {
        for page in [
            "/dispatch?limit=50",
            "/orders?limit=50",
            "/orders?status=PENDING&limit=50",
            "/orders?marketplace=AJIO&limit=20",
            "/shipments?limit=50",
            "/returns?internal_status=RECEIVED&limit=50",
            "/listings?limit=20",
            "/accounts",
            "/runs?limit=20",
        ] {
            let list = operator.reads(page).await;
            let first = list["orders"].as_array().and_then(|orders| orders.first());
            order = first.and_then(|order| order["order_id"].as_str()).map(ToOwned::to_owned).or(order);
        }
        operator.reads(&format!("/search?q=RAWB{}", turn + 1)).await;
        if let Some(order) = &order {
            operator.reads(&format!("/orders/{order}")).await;
        }
    }
}

/// Changes schedules, names and passwords, pauses accounts and requests syncs.
async fn manage(stack: &Stack, manager: &Person<'_>, accounts: &Accounts) {
    let Accounts { ajio, ajio_name, amazon, flipkart, meesho } = accounts;
    for number in 0..10_u32 {
        let schedule = json!({"every_minutes": 30 + 5 * number, "enabled": true});
        manager.does(Method::PUT, &format!("/accounts/{ajio}/schedules/ORDERS"), Some(schedule)).await;
        let account = if number.is_multiple_of(2) { ajio } else { amazon };
        for _ in 0..2 {
            let run = manager
                .does(Method::POST, &format!("/accounts/{account}/sync"), Some(json!({"kind": "ORDERS"})))
                .await;
            manager.reads(&format!("/runs/{}", run["run_id"].as_str().unwrap())).await;
        }
        let (path, name) = match number % 2 {
            0 => (String::new(), json!({"name": format!("Meera Textiles {number}")})),
            _ => (format!("/accounts/{meesho}"), json!({"display_name": format!("Meesho {number}")})),
        };
        manager.does(Method::PATCH, &path, Some(name)).await;
        if number.is_multiple_of(2) {
            manager.does(Method::POST, &format!("/accounts/{flipkart}/pause"), None).await;
            manager.does(Method::POST, &format!("/accounts/{flipkart}/resume"), None).await;
        }
        if number.is_multiple_of(4) {
            let password = format!("correct horse {number}");
            password_at_ajio(stack, ajio_name, &password).await;
            let details = json!({"details": {"username": ajio_name, "password": password}});
            manager.does(Method::PUT, &format!("/accounts/{ajio}/credentials"), Some(details)).await;
        }
        manager.reads("/audit?limit=20").await;
        manager.reads("/members").await;
    }
}
