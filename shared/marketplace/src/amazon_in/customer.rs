//! Reads who ordered and where the goods go. City, state and the first digits of the postal code are kept in clear, for planning;
//! everything that names a person goes into [`Customer`].

use serde::Deserialize;

use crate::fields::Text;
use crate::lenient::{Lenient, Notes};
use crate::record::{Customer, CustomerText};

const ADDRESS: &str = "recipient.deliveryAddress";

/// Digits of a postal code of India.
const DIGITS: usize = 6;
/// So many of them are kept in clear.
const KEPT: usize = 3;

/// Who paid.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Buyer {
    #[serde(default)]
    buyer_name: Lenient<Text>,
    #[serde(default)]
    buyer_email: Lenient<Text>,
}

/// Who gets the goods.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recipient {
    #[serde(default)]
    delivery_address: Lenient<Address>,
}

#[allow(clippy::struct_field_names, reason = "the fields have the contract's names")]
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Address {
    #[serde(default)]
    name: Lenient<Text>,
    #[serde(default)]
    phone: Lenient<Text>,
    #[serde(default)]
    company_name: Lenient<Text>,
    #[serde(default)]
    address_line1: Lenient<Text>,
    #[serde(default)]
    address_line2: Lenient<Text>,
    #[serde(default)]
    address_line3: Lenient<Text>,
    #[serde(default)]
    municipality: Lenient<Text>,
    #[serde(default)]
    district_or_county: Lenient<Text>,
    #[serde(default)]
    city: Lenient<Text>,
    #[serde(default)]
    state_or_region: Lenient<Text>,
    #[serde(default)]
    postal_code: Lenient<Text>,
}

/// Where an order goes, and whose it is.
pub struct Delivery {
    pub city: Option<String>,
    pub state: Option<String>,
    pub postal_prefix: Option<String>,
    pub customer: Option<Customer>,
}

/// Reads both blocks. An odd field costs only itself; its note names the field and never holds its value.
pub fn delivery(buyer: Lenient<Buyer>, recipient: Lenient<Recipient>, notes: &mut Notes) -> Delivery {
    let buyer = buyer.read("buyer", notes).unwrap_or_default();
    let recipient = recipient.read("recipient", notes);
    let address = recipient.and_then(|recipient| recipient.delivery_address.read(ADDRESS, notes));
    let address = address.unwrap_or_default();
    let city = address.city.text(&format!("{ADDRESS}.city"), notes);
    let state = address.state_or_region.text(&format!("{ADDRESS}.stateOrRegion"), notes);
    let mut read = |given: Lenient<Text>, field: &str| printable(given, &format!("{ADDRESS}.{field}"), notes);
    let recipients_name = read(address.name, "name");
    let phone = read(address.phone, "phone");
    let lines = [
        read(address.company_name, "companyName"),
        read(address.address_line1, "addressLine1"),
        read(address.address_line2, "addressLine2"),
        read(address.address_line3, "addressLine3"),
        read(address.municipality, "municipality"),
        read(address.district_or_county, "districtOrCounty"),
    ];
    let postal_code = read(address.postal_code, "postalCode");
    let buyers_name = printable(buyer.buyer_name, "buyer.buyerName", notes);
    let email = printable(buyer.buyer_email, "buyer.buyerEmail", notes);
    let postal_prefix = postal_code
        .as_ref()
        .and_then(|code| postal_prefix(code.as_str(), &format!("{ADDRESS}.postalCode"), notes));
    let customer = Customer {
        name: recipients_name.or(buyers_name),
        phone,
        email,
        address: joined(&lines),
        postal_code,
    };
    Delivery { city, state, postal_prefix, customer: customer.if_known() }
}

/// Reads a text about a customer. Control characters, which no name or address has, become blanks.
fn printable(given: Lenient<Text>, path: &str, notes: &mut Notes) -> Option<CustomerText> {
    let text = given.text(path, notes)?;
    if !text.contains(char::is_control) {
        return Some(CustomerText::new(text));
    }
    notes.add(path, "holds control characters, which were replaced by blanks");
    let clean = CustomerText::new(text);
    let clean = clean.as_str().replace(char::is_control, " ");
    Some(CustomerText::new(clean))
}

/// The lines that there are, one below the other.
fn joined(lines: &[Option<CustomerText>]) -> Option<CustomerText> {
    let given: Vec<&str> = lines.iter().flatten().map(CustomerText::as_str).collect();
    (!given.is_empty()).then(|| CustomerText::new(given.join("\n")))
}

/// The digits of a postal code that are kept in clear. Any other code is kept encrypted only.
pub fn postal_prefix(code: &str, path: &str, notes: &mut Notes) -> Option<String> {
    let digits: String = code.chars().filter(|sign| !sign.is_whitespace()).collect();
    if digits.len() == DIGITS && digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Some(digits[..KEPT].to_owned());
    }
    notes.add(path, "does not have six digits, so the order has no postal prefix");
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read(buyer: &Value, address: &Value) -> (Delivery, Vec<String>) {
        let given = |value: Value| serde_json::from_value(value).expect("any JSON can be given");
        let recipient = serde_json::from_value(json!({ "deliveryAddress": address })).expect("any JSON");
        let mut notes = Notes::default();
        let delivery = delivery(given(buyer.clone()), recipient, &mut notes);
        (delivery, notes.into_vec())
    }

    fn texts(delivery: &Delivery) -> [Option<&str>; 5] {
        let none = [None; 5];
        delivery.customer.as_ref().map_or(none, |it| it.fields().map(|field| field.map(CustomerText::as_str)))
    }

    #[test]
    fn the_recipient_counts_before_the_buyer_and_lines_stand_below_each_other() {
        let buyer = json!({ "buyerName": "Buyer", "buyerEmail": "b@example.invalid" });
        let address = json!({
            "name": "Recipient", "phone": "+91 1", "companyName": "Firm", "addressLine1": "1 Street", "addressLine2": "",
            "addressLine3": "Back", "districtOrCounty": "District", "city": "PUNE", "stateOrRegion": "MAHARASHTRA",
            "postalCode": "411 001",
        });
        let (delivery, notes) = read(&buyer, &address);
        let address = "Firm\n1 Street\nBack\nDistrict";
        let expected = ["Recipient", "+91 1", "b@example.invalid", address, "411 001"];
        assert_eq!(texts(&delivery), expected.map(Some));
        let clear = [&delivery.city, &delivery.state, &delivery.postal_prefix].map(Option::as_deref);
        assert_eq!((clear, notes.len()), ([Some("PUNE"), Some("MAHARASHTRA"), Some("411")], 0));
    }

    #[test]
    fn without_a_recipient_the_buyer_is_the_customer_and_without_both_there_is_none() {
        let (delivery, _) = read(&json!({ "buyerName": "Buyer" }), &Value::Null);
        assert_eq!(texts(&delivery)[0], Some("Buyer"));
        let (delivery, notes) = read(&Value::Null, &json!({ "city": "PUNE", "name": " ", "phone": null }));
        assert!(delivery.customer.is_none() && delivery.city.is_some() && notes.is_empty());
    }

    #[test]
    fn an_odd_field_is_named_and_the_others_are_kept() {
        let address = json!({ "name": ["hush"], "phone": "hush".repeat(600), "addressLine1": "1\u{7}\tStreet \u{1f980}",
            "city": "PUNE", "postalCode": "hush" });
        let (delivery, notes) = read(&json!("hush"), &address);
        assert_eq!(texts(&delivery), [None, None, None, Some("1  Street \u{1f980}"), Some("hush")]);
        assert_eq!(delivery.postal_prefix, None);
        let expected = [
            "buyer does not have the type that the contract gives it",
            "recipient.deliveryAddress.name is not text",
            "recipient.deliveryAddress.phone is longer than 2000 bytes",
            "recipient.deliveryAddress.addressLine1 holds control characters, which were replaced by blanks",
            "recipient.deliveryAddress.postalCode does not have six digits, so the order has no postal prefix",
        ];
        assert_eq!(notes, expected);
    }

    proptest! {
        #[test]
        fn a_prefix_is_three_digits_of_six_and_never_a_whole_code(code in "[0-9 A-Z]{0,8}") {
            let digits = code.replace(' ', "");
            let is_code = digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_digit());
            let prefix = postal_prefix(&code, "postalCode", &mut Notes::default());
            prop_assert_eq!(prefix, is_code.then(|| digits[..3].to_owned()));
        }
    }
}
