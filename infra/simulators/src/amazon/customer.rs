//! Invents who ordered. An order book names nobody, so each order gets a customer of its own, made of its number: a text of it that
//! turns up in a wrong place tells where it comes from. Some customers are odd in ways that the contract allows.

use serde_json::{Map, Value, json};

use super::query::fulfilled_by;
use crate::order_book::Order;

/// Longer than any name should be.
const LONG_NAME_REPEATS: usize = 300;

/// The invented customer of an order, as it is served. What Amazon withholds is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmazonCustomer {
    /// `buyerName` and the recipient's name.
    pub name: Option<String>,
    /// `buyerEmail`; only for orders that the seller ships.
    pub email: Option<String>,
    /// `phone`; only for orders that the seller ships.
    pub phone: Option<String>,
    /// `addressLine1`.
    pub street: Option<String>,
}

impl AmazonCustomer {
    /// The customer of an order. The same number always has the same one.
    #[must_use]
    pub fn of(order: &Order) -> Self {
        let id: String = order.order_id.chars().filter(char::is_ascii_alphanumeric).collect();
        let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let name = format!("Asha{id} Planted");
        let street = format!("Flat {id}, Planted Lane");
        let mut customer = Self {
            phone: Some(format!("+91 7{:09}", hash % 1_000_000_000)),
            email: Some(format!("{id}@marketplace.example.invalid")),
            name: Some(name.clone()),
            street: Some(street.clone()),
        };
        // The upper bits decide, because the lower ones are in the phone number.
        match (hash >> 40) % 12 {
            0 => customer.name = Some(name + &" Subramanian".repeat(LONG_NAME_REPEATS)),
            1 => customer.phone = None,
            2 => customer.name = None,
            3 => customer.name = Some(format!("आशा{id} Ñandú \u{1f980} Planted")),
            4 => customer.street = Some(format!("Flat {id},\u{7}\tPlanted Lane")),
            5 => return Self { name: None, email: None, phone: None, street: None },
            6 => customer.street = None,
            _ => {}
        }
        if fulfilled_by(order) == "AMAZON" {
            (customer.phone, customer.email) = (None, None);
        }
        customer
    }
}

pub(super) fn buyer(order: &Order, is_business: bool) -> Value {
    let customer = AmazonCustomer::of(order);
    let mut buyer = Map::new();
    buyer.extend(customer.name.map(|name| ("buyerName".to_owned(), json!(name))));
    buyer.extend(customer.email.map(|email| ("buyerEmail".to_owned(), json!(email))));
    if is_business {
        buyer.insert("buyerCompanyName".to_owned(), json!("Demo Company"));
    }
    Value::Object(buyer)
}

pub(super) fn recipient(order: &Order, is_business: bool) -> Value {
    let customer = AmazonCustomer::of(order);
    let (city, postal_code) =
        order.lines.first().map_or(("", ""), |line| (&line.ship_city, &line.ship_postal_code));
    let mut address = json!({
        "city": city,
        "postalCode": postal_code,
        "countryCode": "IN",
        "addressLine3": "",
        "addressType": if is_business { "COMMERCIAL" } else { "RESIDENTIAL" },
    });
    let texts =
        [("name", customer.name), ("phone", customer.phone), ("addressLine1", customer.street)].into_iter();
    let state = state(postal_code).map(str::to_owned);
    for (field, text) in texts.chain([("stateOrRegion", state)]) {
        if let Some(text) = text {
            address[field] = json!(text);
        }
    }
    json!({ "deliveryAddress": address })
}

/// The state in which a postal code lies, for the more populous ones.
pub(super) fn state(postal_code: &str) -> Option<&'static str> {
    Some(match postal_code.get(..2)?.parse::<u8>().ok()? {
        11 => "DELHI",
        20..=28 => "UTTAR PRADESH",
        30..=34 => "RAJASTHAN",
        36..=39 => "GUJARAT",
        40..=44 => "MAHARASHTRA",
        45..=48 => "MADHYA PRADESH",
        50 => "TELANGANA",
        56..=59 => "KARNATAKA",
        60..=64 => "TAMIL NADU",
        67..=69 => "KERALA",
        70..=74 => "WEST BENGAL",
        80..=85 => "BIHAR",
        _ => return None,
    })
}

/// Makes an order's customer odd in ways that the contract does not allow: null, a list, an object.
pub(super) fn make_odd(order: &mut Value) {
    order["buyer"] = Value::Null;
    if let Some(address) = order.pointer_mut("/recipient/deliveryAddress") {
        address["name"] = json!([address["name"]]);
        address["phone"] = Value::Null;
        address["addressLine1"] = json!({ "line": address["addressLine1"] });
    }
}

/// Withholds the customer, as Amazon does once an order is old: only the place remains.
pub(super) fn withhold(order: &mut Value) {
    let Some(order) = order.as_object_mut() else { return };
    order.remove("buyer");
    if let Some(Value::Object(address)) =
        order.get_mut("recipient").and_then(|it| it.get_mut("deliveryAddress"))
    {
        address.retain(|field, _| ["city", "stateOrRegion", "countryCode"].contains(&field.as_str()));
    }
}
