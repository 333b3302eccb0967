//! The scan: real runs of all marketplaces, with failures among them, and then a search of everything that they left behind for what
//! names a customer or opens an account there.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

#[path = "scan/search.rs"]
mod search;
mod support;

use std::fmt::Write as _;
use std::io::Read as _;
use std::time::{Duration, SystemTime};

use chrono::{TimeDelta, Utc};
use flate2::read::{GzDecoder, MultiGzDecoder};
use robnu_marketplace::code::MarketplaceCode::{self, Ajio, AmazonIn, Flipkart, Meesho};
use robnu_marketplace::kind::RunKind::{self, CredentialCheck, Orders, Returns};
use robnu_storage::raw_page::raw_page_place;
use robnu_testkit::local_aws;
use search::{Planted, Texts, hex};
use serde_json::json;
use simulators::{AmazonCustomer, Fault, FaultKind, Malformation, Marketplace, OrderBook, SimulatorConfig};
use support::{DIGEST_SECRET, Stand};
use uuid::Uuid;

const SEARCH: &str = "/orders/2026-01-01/orders";
const POSTAL_CODES: [&str; 3] = ["411048", "560085", "700156"];

/// Enough orders that every kind of odd customer is among them. They are young, because the customer of an old one is not stored.
fn book() -> OrderBook {
    let mut csv = "order_id,purchase_date,status,fulfilment,ship_service_level,category,payment_method,size,courier_status,\
                   line_amount,quantity,currency,ship_city,ship_postal_code,b2b\n"
        .to_owned();
    let day = (Utc::now() - TimeDelta::days(2)).format("%Y-%m-%d");
    for number in 0..40 {
        let status = ["Unshipped", "Shipped - Delivered to Buyer", "Cancelled"][number % 3];
        let code = POSTAL_CODES[number % 3];
        writeln!(
            csv,
            "405-{number:07}-{number:07},{day},{status},Merchant,Standard,Shirt,Cash,M,x,10.00,1,INR,PUNE,{code},{}",
            number % 5 == 0
        )
        .unwrap();
    }
    OrderBook::from_csv("generated", &csv).unwrap()
}

/// Customers as the simulators serve them, and the secrets of the stand's accounts. All names and streets, whatever is odd about them,
/// hold one word.
fn planted() -> Vec<Planted> {
    let mut planted = vec![
        Planted::new("a name or street", "Planted"),
        Planted::new("a name", "Subramanian"),
        Planted::new("an email", "@marketplace.example.invalid"),
        Planted::new("a company", "Demo Company"),
        Planted::new("AJIO's password", "correct horse"),
        Planted::new("AJIO's token", "sim.019"),
        Planted::new("Amazon's client secret", "battery staple"),
        Planted::new("Amazon's refresh token", "Atzr|"),
        Planted::new("Amazon's access token", "Atza|019"),
        Planted::new("Flipkart's secret", "dishwasher"),
        Planted::new("Meesho's key", "key-of-S"),
        Planted::new("Meesho's secret", "purple-monkey"),
        Planted::new("the digest key", DIGEST_SECRET),
    ];
    for order in book().orders() {
        if let Some(phone) = AmazonCustomer::of(order).phone {
            let digits = phone.trim_start_matches("+91 ").to_owned();
            planted.push(Planted::new(format!("the phone of {}", order.order_id), &digits));
        }
    }
    planted.extend(POSTAL_CODES.map(|code| Planted::word("a postal code", code)));
    planted
}

/// A kind of run, and what goes wrong with its first call.
type Spoilt = (RunKind, Option<FaultKind>);

/// The runs of each marketplace, and what goes wrong with the first call of each.
fn runs() -> [(MarketplaceCode, Marketplace, Vec<Spoilt>); 4] {
    let spoilt = |malformation| Some(FaultKind::Malformed { malformation, record: 2 });
    [
        (
            AmazonIn,
            Marketplace::Amazon,
            vec![
                (Orders, spoilt(Malformation::BadAmount)),
                (Orders, spoilt(Malformation::OddCustomer)),
                (Orders, Some(FaultKind::Truncated)),
                (Orders, Some(FaultKind::RejectCredentials)),
                (Returns, None),
            ],
        ),
        (Ajio, Marketplace::Ajio, vec![(Orders, spoilt(Malformation::BadAmount))]),
        (Flipkart, Marketplace::Flipkart, vec![(Orders, None), (Orders, Some(FaultKind::Truncated))]),
        (Meesho, Marketplace::Meesho, vec![(CredentialCheck, None)]),
    ]
}

/// Does the runs for both sellers, with a poison message among them, and keeps the functions' responses and logs. A run that has to
/// wait or to go on later is left where it is.
async fn run_all(stand: &Stand, texts: &mut Texts) {
    for (code, simulated, runs) in runs() {
        let function = stand.start(code).await;
        for (kind, fault) in runs {
            let anew = "delete from robnu.watermarks;
                update robnu.sync_runs set state = 'SUCCEEDED' where state in ('QUEUED', 'RUNNING', 'WAITING')";
            stand.superuser.batch_execute(anew).await.unwrap();
            // Past the calls for tokens.
            let path = match code {
                AmazonIn => SEARCH,
                Ajio => "/orders",
                Flipkart => "/sellers/v3",
                Meesho => "",
            };
            stand.simulator.add_fault(
                Fault::new(simulated, path, fault.unwrap_or(FaultKind::Hang { millis: 0 })).times(1),
            );
            for seller in [&stand.sellers.ours, &stand.sellers.theirs] {
                let job = stand.queue_for(seller, code, kind).await;
                texts.add("a response", format!("{:?}", function.invoke(stand.event(&job)).await));
            }
        }
        let poison = json!({ "version": 1, "account": "nobody" }).to_string();
        function.invoke(stand.raw_event(stand.sellers.ours.ajio, &poison)).await;
        texts.add(format!("{code:?}'s log"), function.log().join("\n"));
    }
}

/// Every row of every table, as text.
async fn dump(stand: &Stand, texts: &mut Texts) {
    let tables = "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'";
    for row in stand.superuser.query(tables, &[]).await.unwrap() {
        let table: String = row.get(0);
        let rows = format!("select coalesce(string_agg(t::text, e'\\n'), '') from {table} t");
        let rows: String = stand.superuser.query_one(&rows, &[]).await.unwrap().get(0);
        texts.add(table, rows);
    }
}

/// Every message in the stand's queues, with its attributes.
async fn messages(stand: &Stand, texts: &mut Texts) -> usize {
    let mut heard = 0;
    for queue in [
        &stand.lane_queue,
        &stand.dead_letter_queue,
        &stand.parallel_queue,
        &stand.parallel_dead_letter_queue,
    ] {
        loop {
            let call = stand.sqs.receive_message().queue_url(queue).message_attribute_names("All");
            let messages = call.max_number_of_messages(10).send().await.unwrap().messages.unwrap_or_default();
            if messages.is_empty() {
                break;
            }
            for message in messages {
                heard += 1;
                texts.add("a message", format!("{message:?}"));
                let receipt = message.receipt_handle().unwrap();
                stand.sqs.delete_message().queue_url(queue).receipt_handle(receipt).send().await.unwrap();
            }
        }
    }
    heard
}

/// What raw pages hold under their sellers' keys, which is what the sweep writes into objects. Returns how many there are.
async fn raw_pages(stand: &Stand, texts: &mut Texts) -> usize {
    let sql = "select seller_id, id, page_enc from robnu.raw_pages where page_enc is not null";
    let rows = stand.superuser.query(sql, &[]).await.unwrap();
    for row in &rows {
        let (seller, id, sealed): (_, Uuid, Vec<u8>) = (row.get(0), row.get(1), row.get(2));
        let packed = stand.cipher(seller).open(raw_page_place(id), &sealed).unwrap();
        let mut text = String::new();
        GzDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
        texts.add("a raw page", text);
    }
    rows.len()
}

/// Every object that came into any bucket since then, by its name and its contents.
async fn objects(texts: &mut Texts, since: SystemTime) {
    let config = aws_sdk_s3::config::Builder::from(&local_aws().await).force_path_style(true).build();
    let s3 = aws_sdk_s3::Client::from_conf(config);
    for bucket in s3.list_buckets().send().await.unwrap().buckets.unwrap_or_default() {
        let bucket = bucket.name.unwrap();
        let listed = s3.list_objects_v2().bucket(&bucket).send().await;
        // Another test's bucket may go meanwhile.
        for object in listed.map(|listed| listed.contents.unwrap_or_default()).unwrap_or_default() {
            let changed = object.last_modified.and_then(|at| SystemTime::try_from(at).ok());
            if changed.is_none_or(|at| at < since) {
                continue;
            }
            let key = object.key.unwrap();
            let Ok(stored) = s3.get_object().bucket(&bucket).key(&key).send().await else { continue };
            let bytes = stored.body.collect().await.unwrap().to_vec();
            if key.split('.').next_back() == Some("gz") {
                let mut unpacked = Vec::new();
                // A part of a text is searched too.
                let _ = MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut unpacked);
                texts.add("an unpacked object", String::from_utf8_lossy(&unpacked).into_owned());
            }
            texts.add("an object's name", key);
            texts.add("an object", hex(&bytes));
            texts.add("an object", String::from_utf8_lossy(&bytes).into_owned());
        }
    }
}

#[tokio::test]
async fn nothing_that_a_run_leaves_behind_holds_a_customer_or_a_secret_in_clear() {
    // The local cloud keeps whole seconds.
    let since = SystemTime::now() - Duration::from_secs(1);
    let mut config = SimulatorConfig::new(book());
    config.amazon.search_orders.burst = 1_000;
    config.ajio.orders = 60;
    let mut stand = Stand::new(config).await;
    // Each run does one page and leaves the next step in its lane.
    stand.slice_seconds = 0;
    stand.call_rates = "searchOrders:0.0056:1000";
    stand.superuser.batch_execute("delete from robnu.raw_pages").await.unwrap();
    let mut texts = Texts::default();
    run_all(&stand, &mut texts).await;
    let messages = messages(&stand, &mut texts).await;
    dump(&stand, &mut texts).await;
    let raw_pages = raw_pages(&stand, &mut texts).await;
    objects(&mut texts, since).await;

    let stored = "select (select count(*) from robnu.order_pii where postal_code_enc is not null),
        (select count(*) from robnu.quarantined_records where length(record_enc) > 100),
        (select count(*) from robnu.access_tokens where length(token_enc) > 40)";
    let stored = stand.superuser.query_one(stored, &[]).await.unwrap();
    assert!(stored.get::<_, i64>(0) >= 70, "customers of both sellers are stored");
    assert!(stored.get::<_, i64>(1) >= 2, "records with customers are set aside");
    assert_eq!(stored.get::<_, i64>(2), 6, "tokens of three accounts of both sellers are stored");
    assert!(raw_pages >= 8 && texts.hold("a raw page", "405-0000004-0000004"), "pages are kept: {raw_pages}");
    assert!(messages >= 2, "a next step and a dead letter: {messages}");
    assert!(texts.length() > 100_000, "the logs and the dump are there");
    let findings = texts.findings(&planted());
    assert!(findings.is_empty(), "{findings:#?}");

    // The search finds what is there: the same dump with a value put into a row.
    let plant = "update robnu.orders set ship_city = 'near Planted Lane' where external_order_id = '405-0000004-0000004'";
    assert!(stand.superuser.execute(plant, &[]).await.unwrap() > 0);
    let mut again = Texts::default();
    dump(&stand, &mut again).await;
    assert_eq!(again.findings(&planted()), ["robnu.orders holds a name or street"]);
}

#[test]
fn a_value_is_found_in_clear_in_hexadecimal_and_anywhere_in_base64() {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    let planted = [Planted::new("it", "Asha? >Rao")];
    let found = |text: &str| {
        let mut texts = Texts::default();
        texts.add("there", text);
        !texts.findings(&planted).is_empty()
    };
    assert!(found("by Asha? >Rao.") && found(&format!("\\x00{}ff", hex(b"Asha? >Rao"))));
    for lead in ["", "a", "ab", "abc", "abcd"] {
        for tail in ["", "y", "yz", "xyz"] {
            let text = format!("{lead}Asha? >Rao{tail}");
            assert!(found(&STANDARD.encode(&text)), "{text}");
            assert!(found(&format!("x.{}", URL_SAFE_NO_PAD.encode(&text))), "{text}");
        }
    }
    assert!(!found("Asha? > Rao") && !found(&STANDARD.encode("Asha Rao")));
}

#[test]
fn a_postal_code_is_found_as_a_word_and_not_inside_ids_and_instants() {
    let planted = [Planted::word("it", "411048")];
    let found = |text: &str| {
        let mut texts = Texts::default();
        texts.add("there", text);
        !texts.findings(&planted).is_empty()
    };
    assert!(found("(PUNE,411048,)") && found("\"411048\"") && found("411048"));
    for text in ["12:00:00.411048+00", "a411048f", "1411048", "4110480", "411,048"] {
        assert!(!found(text), "{text}");
    }
}
