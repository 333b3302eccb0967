//! Every kind of fault as a client sees it.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod support;

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use simulators::{Fault, FaultKind, Malformation, Marketplace, Simulator, SimulatorConfig};
use support::{
    Answer, FILTER, MARKETPLACES, SEARCH, ajio_get, ajio_login, ajio_token, amazon_token, config, eventually,
    flipkart_filter, flipkart_get, flipkart_token, lwa, many, next_token, search, start,
};

/// A client of one marketplace that reads pages of five orders.
struct Client<'a> {
    simulator: &'a Simulator,
    marketplace: Marketplace,
    token: String,
}

const SMALL_PAGES: [(&str, &str); 3] =
    [("createdAfter", "2020-01-01T00:00:00Z"), ("maxResultsPerPage", "5"), ("includedData", "PROCEEDS")];

impl<'a> Client<'a> {
    fn new(simulator: &'a Simulator, marketplace: Marketplace) -> Self {
        let token = match marketplace {
            Marketplace::Ajio => ajio_token(simulator, "DV1"),
            Marketplace::Amazon => amazon_token(simulator, "Atzr|a"),
            Marketplace::Flipkart => flipkart_token(simulator, "app-1"),
            other @ Marketplace::Meesho => panic!("{other:?} serves no orders"),
        };
        Self { simulator, marketplace, token }
    }

    fn path(&self) -> &'static str {
        match self.marketplace {
            Marketplace::Ajio => "/orders/pendency",
            Marketplace::Amazon => SEARCH,
            Marketplace::Flipkart => FILTER,
            other @ Marketplace::Meesho => panic!("{other:?} serves no orders"),
        }
    }

    fn fault(&self, kind: FaultKind) -> Fault {
        Fault::new(self.marketplace, self.path(), kind)
    }

    fn first_page(&self) -> Answer {
        match self.marketplace {
            Marketplace::Ajio => ajio_get(self.simulator, &self.token, "/orders/pendency?pageSize=5"),
            Marketplace::Amazon => search(self.simulator, &self.token, &SMALL_PAGES),
            Marketplace::Flipkart => flipkart_filter(self.simulator, &self.token, &small_pages()),
            other @ Marketplace::Meesho => panic!("{other:?} serves no orders"),
        }
    }

    fn page_after(&self, page: &Answer) -> Answer {
        match self.marketplace {
            Marketplace::Ajio => {
                let number = page.json()["page"]["number"].as_u64().unwrap() + 1;
                let path = format!("/orders/pendency?pageSize=5&pageNumber={number}");
                ajio_get(self.simulator, &self.token, &path)
            }
            Marketplace::Amazon => {
                let next = next_token(page).unwrap();
                search(
                    self.simulator,
                    &self.token,
                    &[&SMALL_PAGES[..], &[("paginationToken", &next)]].concat(),
                )
            }
            Marketplace::Flipkart => {
                let link = page.json()["nextPageUrl"].as_str().unwrap().to_owned();
                flipkart_get(self.simulator, &self.token, &link)
            }
            other @ Marketplace::Meesho => panic!("{other:?} serves no orders"),
        }
    }

    /// What the page calls its list.
    fn list(&self) -> &'static str {
        if self.marketplace == Marketplace::Flipkart { "shipments" } else { "orders" }
    }

    fn ids(&self, page: &Answer) -> Vec<String> {
        let field = match self.marketplace {
            Marketplace::Ajio => "order_id",
            Marketplace::Amazon => "orderId",
            Marketplace::Flipkart => "shipmentId",
            other @ Marketplace::Meesho => panic!("{other:?} serves no orders"),
        };
        page.ids(self.list(), field)
    }

    fn refused(&self) -> u16 {
        match self.marketplace {
            Marketplace::Ajio | Marketplace::Flipkart => 401,
            Marketplace::Amazon => 403,
            other @ Marketplace::Meesho => panic!("{other:?} serves no orders"),
        }
    }
}

/// What has been dispatched, five at a time.
fn small_pages() -> Value {
    json!({
        "filter": {
            "type": "postDispatch", "states": ["SHIPPED", "DELIVERED", "PICKUP_COMPLETE"],
            "serviceProfiles": ["NON_FBF", "FBF_LITE"],
        },
        "pagination": { "pageSize": 5 },
    })
}

fn for_all(check: impl Fn(&Simulator, &Client<'_>)) {
    for marketplace in MARKETPLACES {
        let simulator = start(&config());
        check(&simulator, &Client::new(&simulator, marketplace));
    }
}

#[test]
fn a_status_fault_applies_to_as_many_calls_as_requested() {
    for_all(|simulator, client| {
        let kind = FaultKind::Status { status: 429, retry_after: Some(7) };
        simulator.add_fault(client.fault(kind).after(1).times(2));
        assert_eq!(client.first_page().status, 200);
        let refused = client.first_page();
        assert_eq!((refused.status, refused.headers["retry-after"].as_str()), (429, "7"));
        assert_eq!(client.first_page().status, 429);
        assert_eq!(client.first_page().status, 200);
        assert!(simulator.faults().is_empty());
        let ledger = simulator.ledger();
        assert_eq!(ledger.requests_with_status(client.marketplace, client.path(), 429), 2);
        assert_eq!(ledger.orders_served(client.marketplace, client.path()), 10);
    });
}

#[test]
fn server_errors_carry_the_marketplaces_own_body() {
    for_all(|simulator, client| {
        for status in [429, 500, 503] {
            simulator.add_fault(client.fault(FaultKind::Status { status, retry_after: None }).times(1));
            let answer = client.first_page();
            assert_eq!(answer.status, status);
            assert!(!answer.headers.contains_key("retry-after"));
            match client.marketplace {
                Marketplace::Ajio => assert_eq!(answer.json()["statusCode"], status),
                Marketplace::Amazon => assert!(answer.json()["errors"][0]["code"].is_string()),
                Marketplace::Flipkart => assert!(answer.json()["error"].is_string()),
                other @ Marketplace::Meesho => panic!("{other:?} serves no orders"),
            }
        }
    });
}

#[test]
fn a_fault_applies_only_to_its_account_its_path_and_its_method() {
    let simulator = start(&config());
    let (first, second) = (ajio_token(&simulator, "DV1"), ajio_token(&simulator, "DV2"));
    let broken = FaultKind::Status { status: 500, retry_after: None };
    simulator
        .add_fault(Fault::new(Marketplace::Ajio, "/orders", broken).for_account("DV1").for_method("GET"));
    let status = |token: &str, path: &str| ajio_get(&simulator, token, path).status;
    assert_eq!((status(&first, "/orders"), status(&first, "/orders/pendency")), (500, 500));
    assert_eq!((status(&first, "/returns"), status(&second, "/orders")), (200, 200));
    assert_eq!(support::ajio_post(&simulator, &first, "/orders", &json!([])).status, 200);
    simulator.clear_faults();
    assert_eq!(status(&first, "/orders"), 200);
}

#[test]
fn a_call_that_hangs_is_answered_late_and_seen_in_flight() {
    for_all(|simulator, client| {
        simulator.add_fault(client.fault(FaultKind::Hang { millis: 300 }).times(1));
        simulator.add_fault(client.fault(FaultKind::Status { status: 503, retry_after: None }).times(1));
        let started = Instant::now();
        std::thread::scope(|scope| {
            let call = scope.spawn(|| client.first_page().status);
            eventually("a call in flight", || {
                simulator.ledger().in_flight(client.marketplace, client.path()) == 1
            });
            assert_eq!(call.join().unwrap(), 503, "a hang and another fault add up");
        });
        assert!(started.elapsed() >= Duration::from_millis(300));
        assert_eq!(client.first_page().status, 200);
    });
}

#[test]
fn a_client_that_disconnects_while_it_waits_is_in_the_ledger_with_status_0() {
    let simulator = start(&config());
    let client = Client::new(&simulator, Marketplace::Ajio);
    simulator.add_fault(client.fault(FaultKind::Hang { millis: 60_000 }).times(1));
    let mut stream = TcpStream::connect(simulator.address()).unwrap();
    let request =
        format!("GET /ajio{} HTTP/1.1\r\nhost: x\r\napikey: {}\r\n\r\n", client.path(), client.token);
    stream.write_all(request.as_bytes()).unwrap();
    eventually("a call in flight", || simulator.ledger().in_flight(Marketplace::Ajio, client.path()) == 1);
    drop(stream);
    eventually("status 0", || {
        simulator.ledger().requests_with_status(Marketplace::Ajio, client.path(), 0) == 1
    });
    assert_eq!(simulator.ledger().in_flight(Marketplace::Ajio, client.path()), 0);
}

#[test]
fn a_simulator_stops_although_a_call_hangs() {
    let simulator = start(&config());
    simulator.add_fault(Fault::new(Marketplace::Ajio, "", FaultKind::Hang { millis: 60_000 }));
    let mut stream = TcpStream::connect(simulator.address()).unwrap();
    stream.write_all(b"GET /ajio/orders HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    eventually("a call in flight", || simulator.ledger().in_flight(Marketplace::Ajio, "/orders") == 1);
    let started = Instant::now();
    drop(simulator);
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_dropped_connection_ends_in_the_middle_of_the_body() {
    for_all(|simulator, client| {
        simulator.add_fault(client.fault(FaultKind::DropConnection).times(1));
        let broken = client.first_page();
        assert_eq!(broken.status, 200);
        assert!(!broken.is_complete() && !broken.body.is_empty());
        assert!(client.first_page().is_complete());
    });
}

#[test]
fn garbage_and_a_truncated_body_are_complete_responses_that_are_not_json() {
    for_all(|simulator, client| {
        for kind in [FaultKind::Garbage, FaultKind::Truncated] {
            simulator.add_fault(client.fault(kind).times(1));
            let broken = client.first_page();
            assert_eq!(broken.status, 200);
            assert!(broken.is_complete() && !broken.body.is_empty());
            assert!(serde_json::from_slice::<Value>(&broken.body).is_err());
        }
    });
}

#[test]
fn the_token_of_an_empty_page_leads_to_the_withheld_orders() {
    for marketplace in [Marketplace::Amazon, Marketplace::Flipkart] {
        let simulator = start(&config());
        let client = Client::new(&simulator, marketplace);
        let expected = client.ids(&client.first_page());
        simulator.add_fault(client.fault(FaultKind::EmptyPage).times(1));
        let empty = client.first_page();
        assert!(client.ids(&empty).is_empty());
        assert_eq!(client.ids(&client.page_after(&empty)), expected);
    }
}

#[test]
fn an_empty_or_short_page_of_ajio_keeps_its_totals() {
    let simulator = start(&config());
    let client = Client::new(&simulator, Marketplace::Ajio);
    let honest = client.first_page().json();
    for (kind, orders) in [(FaultKind::EmptyPage, 0), (FaultKind::ShortPage, 2)] {
        simulator.add_fault(client.fault(kind).times(1));
        let page = client.first_page();
        assert_eq!(client.ids(&page).len(), orders);
        assert_eq!(page.json()["page"], honest["page"]);
    }
}

#[test]
fn a_repeated_page_comes_back_for_ever_with_the_same_token_or_number() {
    for_all(|simulator, client| {
        let first = client.first_page();
        simulator.add_fault(client.fault(FaultKind::RepeatPage));
        let mut page = client.page_after(&first);
        for _ in 0..4 {
            assert_eq!(client.ids(&page), client.ids(&first));
            assert_eq!(page.json()["page"], first.json()["page"]);
            assert_eq!(page.json()["nextPageUrl"], first.json()["nextPageUrl"]);
            assert_eq!(next_token(&page), next_token(&first));
            page = client.page_after(&page);
        }
        simulator.clear_faults();
        assert_ne!(client.ids(&client.page_after(&first)), client.ids(&first));
    });
}

#[test]
fn expired_tokens_are_refused_until_new_ones_are_issued() {
    for_all(|simulator, client| {
        simulator.expire_tokens(client.marketplace, None);
        assert_eq!(client.first_page().status, client.refused());
        let renewed = Client::new(simulator, client.marketplace);
        assert_eq!(renewed.first_page().status, 200);
        simulator.add_fault(client.fault(FaultKind::ExpireTokens).times(1));
        assert_eq!(renewed.first_page().status, client.refused());
        assert_eq!(renewed.first_page().status, client.refused());
        assert_eq!(Client::new(simulator, client.marketplace).first_page().status, 200);
        assert_eq!(simulator.ledger().tokens_issued(client.marketplace), 3);
    });
}

#[test]
fn rejected_credentials_get_the_response_of_their_service() {
    let simulator = start(&config());
    simulator.add_fault(
        Fault::new(Marketplace::Ajio, "/authToken", FaultKind::RejectCredentials).for_account("DV1"),
    );
    simulator.add_fault(Fault::new(Marketplace::Amazon, "/auth", FaultKind::RejectCredentials).times(1));
    assert_eq!(ajio_login(&simulator, "DV1", "secret").status, 401);
    assert_eq!(ajio_login(&simulator, "DV2", "secret").status, 200);
    let form =
        [("grant_type", "refresh_token"), ("refresh_token", "r"), ("client_id", "c"), ("client_secret", "s")];
    let refused = lwa(&simulator, &form);
    assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("invalid_grant")));
    assert_eq!(lwa(&simulator, &form).status, 200);
}

#[test]
fn a_malformed_record_leaves_the_others_as_before() {
    for_all(|simulator, client| {
        let (amount, date) = match client.marketplace {
            Marketplace::Ajio => ("/total_amount", "/order_date"),
            Marketplace::Amazon => ("/proceeds/grandTotal/amount", "/createdTime"),
            Marketplace::Flipkart => {
                ("/orderItems/0/priceComponents/customerPrice", "/orderItems/0/orderDate")
            }
            other @ Marketplace::Meesho => panic!("{other:?} serves no orders"),
        };
        let honest = client.first_page().json()[client.list()].as_array().unwrap().clone();
        let malformed = |malformation| {
            simulator.add_fault(client.fault(FaultKind::Malformed { malformation, record: 3 }).times(1));
            let page = client.first_page();
            let orders = page.json()[client.list()].as_array().unwrap().clone();
            assert_eq!((&orders[..3], &orders[4..]), (&honest[..3], &honest[4..]));
            (orders[3].clone(), page.text().to_owned())
        };
        assert!(malformed(Malformation::MissingField { field: None }).0.pointer(date).is_none());
        let named = Malformation::MissingField { field: Some("payment_method".to_owned()) };
        assert!(malformed(named).0.get("payment_method").is_none());
        assert_eq!(malformed(Malformation::BadAmount).0.pointer(amount), Some(&json!("12.3.4")));
        assert!(malformed(Malformation::FiveDecimals).1.contains("648.37125"));
    });
}

#[test]
fn the_ledger_counts_by_account_and_can_be_reset() {
    let mut config: SimulatorConfig = config();
    config.amazon.default_book = many(7);
    let simulator = start(&config);
    let client = Client::new(&simulator, Marketplace::Amazon);
    client.page_after(&client.first_page());
    let ledger = simulator.ledger();
    let line = ledger.lines.iter().find(|line| line.path == SEARCH).unwrap();
    assert_eq!((line.requests, line.orders_served, line.status), (2, 7, 200));
    assert!(line.account.starts_with("unregistered-"));
    let text = serde_json::to_string(&ledger).unwrap();
    assert!(!text.contains("Atza") && !text.contains("Atzr"));
    simulator.reset_ledger();
    assert_eq!(simulator.ledger(), simulators::LedgerReport::default());
}
