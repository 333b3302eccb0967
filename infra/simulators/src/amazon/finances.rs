//! listTransactions of the Finances API, version 2024-06-19.

use std::collections::{BTreeMap, HashMap};

use axum::http::StatusCode;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use uuid::Uuid;

use super::money::{Item, Transaction, transactions};
use super::query::{MARKETPLACE_ID, fingerprint, instant, invalid};
use crate::call::{Call, Reply};
use crate::order_book::{Fulfilment, OrderBook};
use crate::page_fault::{Malformation, PageFault};

pub(super) const TRANSACTIONS_PATH: &str = "/finances/2024-06-19/transactions";

const NEXT_TOKEN: &str = "nextToken";
/// Transactions on a page.
const PAGE_SIZE: usize = 100;
/// The longest span; a longer one is empty.
const LONGEST_SPAN: TimeDelta = TimeDelta::days(180);
/// How long a page token can be used.
const TOKEN_LIFE: TimeDelta = TimeDelta::hours(24);

/// A checked query.
struct Query {
    after: DateTime<Utc>,
    before: DateTime<Utc>,
    status: Option<String>,
    serves_marketplace: bool,
    fingerprint: String,
}

impl Query {
    fn parse(call: &Call, now: DateTime<Utc>) -> Result<Self, Reply> {
        let latest = now - TimeDelta::minutes(2);
        let after = instant(call, "postedAfter")?.ok_or_else(|| invalid("give postedAfter"))?;
        let before = instant(call, "postedBefore")?.unwrap_or(latest);
        if after > latest || before > latest || before <= after {
            return Err(invalid(
                "postedAfter and postedBefore must follow each other and be two minutes in the past",
            ));
        }
        if call.parameter("relatedIdentifierName").is_some() {
            return Err(invalid("this simulator does not filter by related identifiers"));
        }
        Ok(Self {
            after,
            before,
            status: call.parameter("transactionStatus").map(str::to_owned),
            serves_marketplace: call.parameter("marketplaceId").is_none_or(|id| id == MARKETPLACE_ID),
            fingerprint: fingerprint(call, NEXT_TOKEN),
        })
    }

    fn matches(&self, one: &Transaction<'_>, now: DateTime<Utc>) -> bool {
        self.serves_marketplace
            && self.before - self.after <= LONGEST_SPAN
            && (self.after..self.before).contains(&one.posted_at)
            && one.visible_at <= now
            && self.status.as_deref().is_none_or(|wanted| wanted == status(one, now))
    }
}

/// The page tokens of one account, and the last page of each query.
#[derive(Default)]
pub(super) struct Pages {
    starts: HashMap<String, (String, usize, DateTime<Utc>)>,
    last: HashMap<String, (usize, Option<String>)>,
}

/// Answers listTransactions. A position counts all transactions of the book, so that one that appears does not shift the others.
pub(super) fn page(
    (account, book): (&str, &OrderBook),
    pages: &mut Pages,
    call: &Call,
    (started_at, now): (DateTime<Utc>, DateTime<Utc>),
    page_fault: &PageFault,
) -> Reply {
    let query = match Query::parse(call, now) {
        Ok(query) => query,
        Err(refused) => return refused,
    };
    let mut from = match call.parameter(NEXT_TOKEN).map(|token| pages.starts.get(token)) {
        None => 0,
        Some(Some((fingerprint, from, issued_at)))
            if *fingerprint == query.fingerprint && now - *issued_at < TOKEN_LIFE =>
        {
            *from
        }
        Some(_) => return invalid("the nextToken is unknown, too old, or belongs to other arguments"),
    };
    let previous = match page_fault {
        PageFault::Repeat if from > 0 => pages.last.get(&query.fingerprint).cloned(),
        _ => None,
    };
    from = previous.as_ref().map_or(from, |(from, _)| *from);
    let mut matching =
        transactions(book, started_at).filter(|one| one.slot >= from && query.matches(one, now));
    let mut shown: Vec<Rendered> =
        matching.by_ref().take(PAGE_SIZE).map(|one| rendered(account, &one, now)).collect();
    let mut next = matching.next().map(|one| one.slot);
    if *page_fault == PageFault::Empty && !shown.is_empty() {
        // Nothing is lost: the token leads to the transactions that this page withholds.
        next = Some(from);
    }
    page_fault.apply(&mut shown, malform);
    let next_token = match previous {
        Some((_, token)) => token,
        None => next.map(|from| pages.issue(query.fingerprint.clone(), from, now)),
    };
    pages.last.insert(query.fingerprint, (from, next_token.clone()));
    let served = shown.len();
    let mut payload = BTreeMap::from([("transactions", field(&shown))]);
    if let Some(token) = next_token {
        payload.insert(NEXT_TOKEN, field(&token));
    }
    Reply::json(StatusCode::OK, &BTreeMap::from([("payload", payload)])).with_orders(served)
}

impl Pages {
    fn issue(&mut self, fingerprint: String, from: usize, now: DateTime<Utc>) -> String {
        self.starts.retain(|_, (_, _, issued_at)| now - *issued_at < TOKEN_LIFE);
        // Its characters must be encoded in a URL.
        let token = format!("{}+/{}==", self.starts.len(), Uuid::now_v7().simple());
        self.starts.insert(token.clone(), (fingerprint, from, now));
        token
    }
}

fn status(one: &Transaction<'_>, now: DateTime<Utc>) -> &'static str {
    match (one.is_deferred(), one.released_at <= now) {
        (false, _) => "RELEASED",
        (true, false) => "DEFERRED",
        (true, true) => "DEFERRED_RELEASED",
    }
}

/// A transaction's fields. Amounts are JSON numbers with all their digits, which a [`Value`] could not hold.
type Rendered = BTreeMap<&'static str, Box<RawValue>>;

fn field(value: &impl Serialize) -> Box<RawValue> {
    to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Money {
    currency_code: &'static str,
    currency_amount: Box<RawValue>,
}

impl Money {
    fn new(amount: Decimal) -> Self {
        let digits = RawValue::from_string(amount.to_string());
        Self { currency_code: "INR", currency_amount: digits.unwrap_or_else(|_| RawValue::NULL.to_owned()) }
    }
}

fn as_money<S: Serializer>(amount: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    Money::new(*amount).serialize(serializer)
}

#[derive(Serialize)]
struct Breakdown {
    #[serde(rename = "breakdownType")]
    word: &'static str,
    #[serde(rename = "breakdownAmount", serialize_with = "as_money")]
    amount: Decimal,
    #[serde(rename = "breakdowns")]
    below: Vec<Breakdown>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RenderedItem {
    description: String,
    total_amount: Money,
    related_identifiers: [Value; 0],
    breakdowns: Vec<Breakdown>,
    contexts: Value,
}

fn rendered(account: &str, one: &Transaction<'_>, now: DateTime<Utc>) -> Rendered {
    let instant = |at: DateTime<Utc>| json!(at.to_rfc3339_opts(SecondsFormat::Secs, true));
    let seller = json!({
        "sellingPartnerId": account, "accountType": "Standard Orders", "marketplaceId": MARKETPLACE_ID,
    });
    let contexts = if one.is_deferred() {
        json!([{
            "contextType": "DeferredContext", "deferralReason": "DD7", "maturityDate": instant(one.released_at),
        }])
    } else {
        json!([])
    };
    let items = one.items();
    let mut all = Vec::new();
    for item in &items {
        add(&mut all, item);
    }
    let described = if one.kind == "Refund" { "Refund Order" } else { "Order Payment" };
    BTreeMap::from([
        ("sellingPartnerMetadata", field(&seller)),
        ("transactionType", field(&one.kind)),
        ("transactionId", field(&one.id())),
        ("transactionStatus", field(&status(one, now))),
        ("description", field(&described)),
        ("postedDate", field(&instant(one.posted_at))),
        ("totalAmount", field(&Money::new(one.total()))),
        ("relatedIdentifiers", field(&related(account, one, now))),
        ("contexts", field(&contexts)),
        ("items", field(&items.iter().map(rendered_item).collect::<Vec<_>>())),
        ("breakdowns", field(&all)),
        (
            "marketplaceDetails",
            field(&json!({ "marketplaceId": MARKETPLACE_ID, "marketplaceName": "Amazon.in" })),
        ),
    ])
}

/// A transaction has a settlement as soon as it can be paid.
fn related(account: &str, one: &Transaction<'_>, now: DateTime<Utc>) -> Vec<Value> {
    let related =
        |name: &str, value: &str| json!({ "relatedIdentifierName": name, "relatedIdentifierValue": value });
    let settlement = one.settlement(account).id;
    let mut identifiers = vec![
        related("ORDER_ID", &one.order.order_id),
        related("FINANCIAL_EVENT_GROUP_ID", &format!("Group{settlement}")),
    ];
    if one.released_at <= now {
        identifiers.push(related("SETTLEMENT_ID", &settlement));
    }
    identifiers
}

fn rendered_item(item: &Item<'_>) -> RenderedItem {
    let network = if item.line.fulfilment == Fulfilment::Amazon { "AFN" } else { "MFN" };
    let mut breakdowns = Vec::new();
    add(&mut breakdowns, item);
    RenderedItem {
        description: item.title.clone(),
        total_amount: Money::new(item.total()),
        related_identifiers: [],
        breakdowns,
        contexts: json!([{
            "contextType": "ProductContext", "asin": item.asin, "sku": item.sku,
            "quantityShipped": item.line.quantity, "fulfillmentNetwork": network,
        }]),
    }
}

/// Adds an item's components to a tree of breakdowns.
fn add(tree: &mut Vec<Breakdown>, item: &Item<'_>) {
    for ((.., path), amount) in &item.components {
        descend(tree, path, *amount);
    }
}

/// Adds an amount to each breakdown on a path.
fn descend(level: &mut Vec<Breakdown>, path: &[&'static str], amount: Decimal) {
    let Some((word, below)) = path.split_first() else { return };
    let at = level.iter().position(|node| node.word == *word).unwrap_or_else(|| {
        let new = Breakdown { word, amount: Decimal::ZERO, below: Vec::new() };
        level.push(new);
        level.len() - 1
    });
    level[at].amount += amount;
    descend(&mut level[at].below, below, amount);
}

fn malform(transaction: &mut Rendered, malformation: &Malformation) {
    let amount = match malformation {
        Malformation::MissingField { field } => {
            transaction.remove(field.as_deref().unwrap_or("transactionId"));
            return;
        }
        Malformation::BadAmount => "12.3.4",
        Malformation::FiveDecimals => "648.37125",
        Malformation::OddCustomer | Malformation::WithheldCustomer => return,
    };
    let total = json!({ "currencyCode": "INR", "currencyAmount": amount });
    transaction.insert("totalAmount", field(&total));
}
