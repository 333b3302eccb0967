//! Which sellers the demo makes and which accounts they connect. The external ids are digests of the order book or the server.
//! A different book or server therefore gets a different account, and the demo shows exactly what that account holds.

use serde_json::{Value, json};
use simulators::OrderBook;

use crate::api::Api;
use crate::digest::digest;
use crate::settings::Settings;

/// Both sellers.
#[derive(Debug)]
pub struct Plan {
    /// The sellers, in the order of their owners in `PEOPLE`.
    pub sellers: [PlannedSeller; 2],
}

/// A seller that the demo makes.
#[derive(Debug)]
pub struct PlannedSeller {
    /// Its name.
    pub name: &'static str,
    /// What it connects.
    pub accounts: Vec<PlannedAccount>,
}

/// A marketplace account that the demo connects.
#[derive(Debug, Clone)]
pub struct PlannedAccount {
    /// Code of the marketplace.
    pub marketplace: &'static str,
    /// The marketplace's id of the seller.
    pub external_account_id: String,
    /// The seller's name for the account.
    pub display_name: &'static str,
    /// The credentials.
    pub details: Value,
}

/// A seller that exists.
#[derive(Debug)]
pub struct Seller<'a> {
    /// The platform's id.
    pub id: String,
    /// Its name.
    pub name: &'static str,
    /// Its owner.
    pub email: &'static str,
    /// The API with the owner's token.
    pub api: Api,
    /// What it connects.
    pub accounts: &'a [PlannedAccount],
}

impl Plan {
    /// Plans for the marketplaces of a stack.
    pub fn new(settings: &Settings, book: &OrderBook) -> Self {
        let amazon = match &settings.amazon_url {
            Some(url) => digest([url.as_bytes()]),
            None => digest([format!("{:?}", book.orders()).as_bytes()]),
        };
        let ajio = match &settings.ajio_url {
            Some(url) => digest([url.as_bytes()]),
            None => digest([b"simulators".as_slice()]),
        };
        let first = vec![ajio_account("AJIO Mumbai", &ajio, 1), amazon_account("Amazon India", &amazon)];
        let second = vec![ajio_account("AJIO Jaipur", &ajio, 2), flipkart_account("Flipkart Surat")];
        Self {
            sellers: [
                PlannedSeller { name: "Meera Textiles", accounts: first },
                PlannedSeller { name: "Arjun Home", accounts: second },
            ],
        }
    }
}

fn ajio_account(display_name: &'static str, source: &str, number: u32) -> PlannedAccount {
    // A dropship vendor signs in with a vendor code.
    let digits: u32 = u32::from_str_radix(&source[..6], 16).unwrap_or_default() % 100_000;
    let username = format!("DV{digits:05}{number}");
    let details = json!({"username": username, "password": "local-demo"});
    PlannedAccount { marketplace: "AJIO", external_account_id: username, display_name, details }
}

/// Flipkart's orders are always the simulator's. It takes any key of an application, and names the account by it.
fn flipkart_account(display_name: &'static str) -> PlannedAccount {
    let key = "FK48213";
    let details = json!({"app_id": key, "app_secret": "local-demo"});
    PlannedAccount { marketplace: "FLIPKART", external_account_id: key.to_owned(), display_name, details }
}

fn amazon_account(display_name: &'static str, source: &str) -> PlannedAccount {
    let external_account_id = format!("A{}", source[..13].to_uppercase());
    let details = json!({
        "client_id": format!("amzn1.application-oa2-client.{}", &source[..32]),
        "client_secret": "amzn1.oa2-cs.v1.local-demo",
        "refresh_token": format!("Atzr|{source}"),
    });
    PlannedAccount { marketplace: "AMAZON_IN", external_account_id, display_name, details }
}
