//! Every list of the API with its hardest filters, for the plans test and for the benchmark: filters that match nothing, filters
//! that match only at the far end of the list, several filters at once, and the last page.

use crate::both_ways::BOTH_WAYS;
use crate::fixture::Seller;
use crate::variants::VARIANTS;

/// Fills a database that holds the fixture with a number of rows of every list for each seller. A tenth of all articles and air
/// waybills is named `COMMON`. Only the fixture has rows of the marketplace Flipkart.
const FILL: &str = include_str!("lists.sql");

/// The highest id, the lowest id, and an id that nothing has.
const TOP: &str = "'ffffffff-ffff-ffff-ffff-ffffffffffff'";
const NIL: &str = "'00000000-0000-0000-0000-000000000000'";
const UNKNOWN: &str = "'01900000-0000-7000-8000-000000000000'";

/// Returns the script that fills a database with `ours` rows of every list for one seller and `theirs` for the other.
#[must_use]
pub fn fill(sellers: [&Seller; 2], ours: u32, theirs: u32) -> String {
    FILL.replace(":ours", &format!("'{}'", sellers[0].id))
        .replace(":rows", &ours.to_string())
        .replace(":others", &theirs.to_string())
}

/// The scope in which a statement is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// The seller's owner.
    Member,
    /// A staff member.
    Staff,
    /// The owner as a person, without a seller.
    Person,
}

/// A statement of the API with hard parameters.
#[derive(Debug, Clone)]
pub struct ListCase {
    /// Name of the `.sql` file.
    pub statement: &'static str,
    /// The filters, in words.
    pub filter: &'static str,
    /// The parameters, as SQL.
    pub parameters: String,
    /// Who reads.
    pub reader: Reader,
}

/// Keys between which a page lies: time and id below which, time and id above which.
const ALL: &str = "'infinity', TOP, '0001-01-01Z', NIL";
const NONE: &str = "'2020-02-01Z', NIL, '2020-01-01Z', NIL";
/// The same by amount.
const ANY_AMOUNT: &str = "9223372036854775807, TOP, -9223372036854775808, NIL";
/// Where the first rows are, and where fewer than a page are left before either end.
const FIRST: &str = "'2026-01-01 00:05Z', NIL, '0001-01-01Z', NIL";
const LAST_DOWN: &str = "'2026-01-01 00:05Z', TOP, '0001-01-01Z', NIL";
const LAST_UP: &str = "'infinity', TOP, '2030-01-01Z', NIL";

/// Filters of a statement, with what they are called; `-` is none.
type Filters = &'static [(&'static str, &'static str)];
/// The same with the keys between which the page lies.
type Windows = &'static [(&'static str, &'static str, &'static str)];

const ORDERS: Windows = &[
    ("-", ALL, "null, null, null, null, null"),
    ("time that holds none", NONE, "null, null, null, null, null"),
    ("time at the far end", FIRST, "null, null, null, null, null"),
    ("must leave before, none", ALL, "null, null, null, null, '2020-01-01Z'"),
];
const ORDERS_OF_ACCOUNTS: Windows = &[
    ("account", ALL, "'AJIO', null, null, null, null"),
    ("account without any", ALL, "UNKNOWN, null, null, null, null"),
    ("marketplace without any", ALL, "null, 'FLIPKART', null, null, null"),
    ("marketplace, unknown", ALL, "null, 'NOWHERE', null, null, null"),
    ("account, must leave before, none", ALL, "'AJIO', null, null, null, '2020-01-01Z'"),
];
const ORDERS_OF_STATUS: Windows = &[
    ("status", ALL, "null, null, 'CONFIRMED', null, null"),
    ("status without any", ALL, "null, null, 'PACKED', null, null"),
    ("status, account, time that holds none", NONE, "'AJIO', null, 'DELIVERED', null, null"),
    ("status, marketplace without any", ALL, "null, 'FLIPKART', 'DELIVERED', null, null"),
    ("status, must leave before, none", ALL, "null, null, 'DELIVERED', null, '2020-01-01Z'"),
];
const ORDERS_OF_SKU: Windows = &[
    ("article", ALL, "null, null, null, 'SM0000007', null"),
    ("article without any", ALL, "null, null, null, 'NOTHING', null"),
    ("common article", ALL, "null, null, null, 'COMMON', null"),
    ("common article, status without any", ALL, "null, null, 'PACKED', 'COMMON', null"),
];
const ORDERS_DISPATCH: Windows = &[
    ("-", ALL, "null, null, null, null, null, null"),
    ("status without any", ALL, "null, null, 'PACKED', null, null, null"),
    ("marketplace without any", ALL, "null, 'FLIPKART', null, null, null, null"),
    ("article without any", ALL, "null, null, null, 'NOTHING', null, null"),
    ("placed, none", ALL, "null, null, null, null, '2020-01-01Z', '2020-02-01Z'"),
];
const RETURNS: Windows = &[
    ("-", ALL, "null, null, null, null, null, null"),
    ("type without any", ALL, "null, null, null, null, 'CUSTOMER', null"),
    ("to be filed before, none", ALL, "null, null, null, null, null, '2020-01-01Z'"),
    ("time that holds none", NONE, "null, null, null, null, null, null"),
];
const RETURNS_FILE_BY: Windows = &[
    ("-", ALL, "null, null, null, null, null, null, null"),
    ("type without any", ALL, "null, null, null, null, 'CUSTOMER', null, null"),
    ("to be filed before, none", NONE, "null, null, null, null, null, null, null"),
    ("time that holds none", ALL, "null, null, null, null, null, '2020-01-01Z', '2020-02-01Z'"),
];
const RETURNS_OF_ACCOUNTS: Windows = &[
    ("account", ALL, "'AJIO', null, null, null, null, null"),
    ("marketplace without any", ALL, "null, 'FLIPKART', null, null, null, null"),
    ("account, type without any", ALL, "'AJIO', null, null, null, 'CUSTOMER', null"),
];
const RETURNS_OF_STATUS: Windows = &[
    ("status without any", ALL, "null, null, 'PICKED_UP', null, null, null"),
    ("status, type without any", ALL, "null, null, 'DELIVERED', null, 'CUSTOMER', null"),
];
const RETURNS_OF_RECEIPT: Windows = &[
    ("internal status without any", ALL, "null, null, null, 'CLAIM_PENDING', null, null"),
    ("internal status, status without any", ALL, "null, null, 'PICKED_UP', 'EXPECTED', null, null"),
];
const CLAIMS: Windows = &[
    ("-", ALL, "null, null, null, null"),
    ("reason without any", ALL, "null, null, null, 'USED'"),
    ("time that holds none", NONE, "null, null, null, null"),
];
const CLAIMS_OF_ACCOUNTS: Windows = &[
    ("account", ALL, "'AJIO', null, null, null"),
    ("marketplace without any", ALL, "null, 'FLIPKART', null, null"),
    ("account, reason without any", ALL, "'AJIO', null, null, 'USED'"),
];
const CLAIMS_OF_STATUS: Windows = &[
    ("status without any", ALL, "null, null, 'RESOLVED_WON', null"),
    ("status, reason without any", ALL, "null, null, 'FILED', 'USED'"),
];
const PAYOUTS: Windows = &[
    ("-", ALL, "null, null, null, null, null"),
    ("status without any", ALL, "null, null, 'DISPUTED', null, null"),
    ("amount without any", ALL, "null, null, null, 99999999999, null"),
    ("time that holds none", NONE, "null, null, null, null, null"),
];
const PAYOUTS_OF_ACCOUNTS: Windows = &[
    ("account", ALL, "'AJIO', null, null, null, null"),
    ("marketplace without any", ALL, "null, 'FLIPKART', null, null, null"),
    ("account, status without any", ALL, "'AJIO', null, 'DISPUTED', null, null"),
];
const PAYOUTS_BY_AMOUNT: Windows = &[
    ("-", ANY_AMOUNT, "null, null, null, null, null"),
    ("status without any", ANY_AMOUNT, "null, null, 'DISPUTED', null, null"),
    ("time that holds none", ANY_AMOUNT, "null, null, null, '2020-01-01Z', '2020-02-01Z'"),
    ("smallest amounts", "2001, NIL, -9223372036854775808, NIL", "null, null, null, null, null"),
    ("largest amounts", "9223372036854775807, TOP, 9999999999, NIL", "null, null, null, null, null"),
];
const LISTINGS: Windows =
    &[("-", ALL, "null, null, null, null"), ("status without any", ALL, "null, null, 'BLOCKED', null")];
const LISTINGS_OF_ACCOUNTS: Windows = &[
    ("account", ALL, "'AJIO', null, null, null"),
    ("marketplace without any", ALL, "null, 'FLIPKART', null, null"),
    ("account, status without any", ALL, "'AJIO', null, 'BLOCKED', null"),
];
const LISTINGS_OF_SKU: Windows = &[
    ("article", ALL, "null, null, null, 'SM0000007'"),
    ("common article, status without any", ALL, "null, null, 'BLOCKED', 'COMMON'"),
];
const INVENTORY: Filters = &[
    ("-", "null, null, null, null"),
    ("account without any", "UNKNOWN, null, null, null"),
    ("marketplace without any", "null, 'FLIPKART', null, null"),
    ("available, none", "null, null, null, -5"),
];
const INVENTORY_OF_SKU: Filters = &[
    ("article", "null, null, 'SM0000007', null"),
    ("common article, available, none", "null, null, 'COMMON', -5"),
];
const AUDIT: Windows = &[("-", ALL, "null, null, null"), ("time that holds none", NONE, "null, null, null")];
const AUDIT_OF_OBJECT: Windows = &[
    ("object", ALL, "null, null, 'AJIO'"),
    ("object, action without any", ALL, "null, 'seller.', 'AJIO'"),
    ("object without any", ALL, "null, null, UNKNOWN"),
];
const AUDIT_OF_ACTOR: Windows = &[
    ("actor", ALL, "'AJIO', null, null"),
    ("actor, action without any", ALL, "'AJIO', 'seller.', null"),
    ("actor without any", ALL, "UNKNOWN, null, null"),
];
const AUDIT_OF_ACTION: Windows = &[
    ("action", ALL, "null, 'credentials.', null"),
    ("rare action", ALL, "null, 'seller.', null"),
    ("action without any", ALL, "null, 'nothing', null"),
    ("action, time that holds none", NONE, "null, 'credentials.', null"),
];
const SHIPMENTS: Filters = &[
    ("-", "null, null, null, null, null, null"),
    ("account without any", "UNKNOWN, null, null, null, null, null"),
    ("marketplace without any", "null, 'FLIPKART', null, null, null, null"),
    ("carrier without any", "null, null, null, 'NOBODY', null, null"),
];
const SHIPMENTS_OF_STATUS: Filters = &[
    ("status without any", "null, null, 'NOTHING', null, null, null"),
    ("status, marketplace without any", "null, 'FLIPKART', 'x', null, null, null"),
];
const SHIPMENTS_OF_ORDER: Filters = &[("order", "null, null, null, null, 'ORDER', null")];
const SHIPMENTS_TRACKED: Filters = &[
    ("air waybill", "null, null, null, null, null, 'TM0000007'"),
    ("common air waybill, status without any", "null, null, 'NOTHING', null, null, 'COMMON'"),
];

/// Lists that go down, from the newest; those that are both ways go up too.
const DOWN: &[(&str, Windows)] = &[
    ("orders/newest", ORDERS),
    ("orders/newest_of_accounts", ORDERS_OF_ACCOUNTS),
    ("orders/newest_of_status", ORDERS_OF_STATUS),
    ("orders/of_sku", ORDERS_OF_SKU),
    ("returns/newest", RETURNS),
    ("returns/newest_of_accounts", RETURNS_OF_ACCOUNTS),
    ("returns/newest_of_status", RETURNS_OF_STATUS),
    ("returns/newest_of_receipt", RETURNS_OF_RECEIPT),
    ("claims/newest", CLAIMS),
    ("claims/newest_of_accounts", CLAIMS_OF_ACCOUNTS),
    ("claims/newest_of_status", CLAIMS_OF_STATUS),
    ("payouts/newest", PAYOUTS),
    ("payouts/newest_of_accounts", PAYOUTS_OF_ACCOUNTS),
    ("listings/newest", LISTINGS),
    ("listings/newest_of_accounts", LISTINGS_OF_ACCOUNTS),
    ("listings/newest_of_sku", LISTINGS_OF_SKU),
    ("audit/list", AUDIT),
    ("audit/of_object", AUDIT_OF_OBJECT),
    ("audit/of_actor", AUDIT_OF_ACTOR),
    ("audit/of_action", AUDIT_OF_ACTION),
];
/// Lists that go up, and up only.
const UP: &[(&str, Windows)] = &[("orders/dispatch", ORDERS_DISPATCH), ("returns/file_by", RETURNS_FILE_BY)];
/// Shipments go by id, both ways.
const SHIPPED: &[(&str, Filters)] = &[
    ("shipments/newest", SHIPMENTS),
    ("shipments/newest_of_status", SHIPMENTS_OF_STATUS),
    ("shipments/newest_of_order", SHIPMENTS_OF_ORDER),
    ("shipments/newest_tracked", SHIPMENTS_TRACKED),
];
/// What is in stock goes down, from the latest reported.
const STOCK: &[(&str, Filters)] =
    &[("inventory/newest", INVENTORY), ("inventory/newest_of_sku", INVENTORY_OF_SKU)];
/// What has few filters, with all its parameters.
const OTHERS: &[(&str, &str, &str)] = &[
    ("inventory/lowest", "-", "-2147483648, NIL, 51, null, null, null, null"),
    ("inventory/lowest", "available, none", "-2147483648, NIL, 51, null, null, null, -5"),
    ("inventory/lowest", "marketplace without any", "-2147483648, NIL, 51, null, 'FLIPKART', null, null"),
    (
        "inventory/lowest_of_sku",
        "common article, available, none",
        "-2147483648, NIL, 51, null, null, 'COMMON', -5",
    ),
    ("payouts/entries", "-", "'PAYOUT', NIL, 51, null, null, null"),
    ("payouts/entries", "type without any", "'PAYOUT', NIL, 51, 'PENALTY', null, null"),
    ("payouts/entries", "order without any", "'PAYOUT', NIL, 51, null, 'NOTHING', null"),
    ("payouts/entries", "unbalanced, none", "'PAYOUT', NIL, 51, null, null, true"),
    ("payouts/announced", "-", "NIL, 51, null, null"),
    ("payouts/announced", "account without any", "NIL, 51, UNKNOWN, null"),
    ("payouts/announced", "order without any", "NIL, 51, null, 'NOTHING'"),
    ("payouts/changes", "-", "'PAYOUT', TOP, 51"),
    ("dispatch/list", "-", "'1970-01-01Z', NIL, 51, 'infinity', null, null"),
    ("dispatch/list", "marketplace without any", "'1970-01-01Z', NIL, 51, 'infinity', null, 'FLIPKART'"),
    ("dispatch/list", "last page", "'2030-01-01Z', NIL, 51, 'infinity', null, null"),
    ("dispatch/undated", "-", "'1970-01-01Z', NIL, 51, 'infinity', null, null"),
    ("dispatch/undated", "account without any", "'1970-01-01Z', NIL, 51, 'infinity', UNKNOWN, null"),
    ("dispatch/summary", "-", "'infinity', null, null"),
    ("dispatch/summary", "marketplace without any", "'infinity', null, 'FLIPKART'"),
    ("usage/show", "92 days", "'2026-01-01', '2026-04-02'"),
    ("search/search", "whole number", "'M0000007', 20"),
    ("search/search", "three characters", "'M00', 20"),
    ("search/search", "common air waybill", "'COMMON', 20"),
    ("search/search", "nothing", "'zzz', 20"),
    ("accounts/list", "-", "NIL, 51"),
    ("accounts/show", "that never succeeded", "'AJIO'"),
    ("exports/list", "-", "TOP, 51"),
    ("exports/show", "unknown", "UNKNOWN"),
    ("runs/list", "-", "TOP, 51"),
    ("runs/show", "unknown", "UNKNOWN"),
    ("quarantine/list", "-", "TOP, 51"),
    ("quarantine/of_account", "-", "TOP, 51, 'AJIO'"),
    ("quarantine/of_account", "account without any", "TOP, 51, UNKNOWN"),
    ("imports/list", "-", "TOP, 51"),
    ("imports/of_account", "-", "TOP, 51, 'AJIO'"),
    ("imports/of_account", "account without any", "TOP, 51, UNKNOWN"),
    ("imports/show", "unknown", "UNKNOWN"),
    ("imports/changes", "-", "'IMPORT', 0, 51, null"),
    ("imports/changes", "last page", "'IMPORT', 2147483647, 51, null"),
    ("imports/changes", "change without any", "'IMPORT', 0, 51, 'MISSING'"),
    ("imports/last_of_file", "file without any", "'AJIO', sha256('nothing')"),
    ("documents/show", "unknown", "UNKNOWN"),
    ("documents/list", "-", "TOP, 51"),
    ("documents/of_account", "-", "TOP, 51, 'AJIO'"),
    ("documents/of_account", "account without any", "TOP, 51, UNKNOWN"),
    ("documents/of_order", "order without any", "TOP, 51, UNKNOWN"),
    ("documents/of_shipment", "shipment without any", "TOP, 51, UNKNOWN"),
    ("documents/of_return", "return without any", "TOP, 51, UNKNOWN"),
    ("documents/of_claim", "claim without any", "TOP, 51, UNKNOWN"),
    ("runs/of_account", "last page", "NIL, 51, 'AJIO'"),
    ("runs/of_account", "-", "TOP, 51, 'AJIO'"),
    ("members/list", "-", "NIL, 51"),
    ("members/list", "last page", "TOP, 51"),
    ("invitations/list", "-", "TOP, 51"),
    ("accounts/credential_events", "-", "'AJIO', TOP, 51"),
    ("accounts/credential_events", "last page", "'AJIO', NIL, 51"),
    ("scans/list", "-", "TOP, 51"),
    ("returns/events", "-", "'RETURN'"),
    ("claims/events", "-", "'CLAIM'"),
    ("schedules/list", "-", "'AJIO'"),
];
const PERSON: &[(&str, &str, &str)] = &[("me/show", "-", "")];
const STAFF: &[(&str, &str, &str)] = &[
    ("admin/sellers", "-", "TOP, 51, null, null"),
    ("admin/sellers", "name without any", "TOP, 51, 'nothing', null"),
    ("admin/sellers", "suspended, none", "TOP, 51, null, true"),
    ("admin/impersonations", "-", "TOP, 51"),
];

/// Every list with its hardest filters, for a seller of a filled database.
#[must_use]
pub fn cases(seller: &Seller) -> Vec<ListCase> {
    let mut cases = Vec::new();
    let mut add = |statement, filter, parameters: String, reader| {
        cases.push(ListCase { statement, filter, parameters: named(parameters, seller), reader });
    };
    for (lists, last) in [(DOWN, LAST_DOWN), (UP, LAST_UP)] {
        for (list, windows) in lists {
            for (statement, last) in either_end(list).zip([last, LAST_UP]) {
                for (filter, window, values) in *windows {
                    add(statement, filter, format!("{window}, 51, {values}"), Reader::Member);
                }
                add(statement, "last page", format!("{last}, 51, {}", windows[0].2), Reader::Member);
            }
        }
    }
    for statement in either_end("payouts/largest") {
        for (filter, window, values) in PAYOUTS_BY_AMOUNT {
            add(statement, filter, format!("{window}, 51, {values}"), Reader::Member);
        }
    }
    for (statement, filters) in SHIPPED {
        for statement in either_end(statement) {
            for (filter, values) in *filters {
                add(statement, filter, format!("TOP, NIL, 51, {values}"), Reader::Member);
            }
        }
    }
    for (statement, filters) in STOCK {
        for (filter, values) in *filters {
            add(statement, filter, format!("'infinity', TOP, 51, {values}"), Reader::Member);
        }
        add(
            statement,
            "last page",
            format!("'2026-01-01 00:05Z', TOP, 51, {}", filters[0].1),
            Reader::Member,
        );
    }
    for (lists, reader) in [(OTHERS, Reader::Member), (STAFF, Reader::Staff), (PERSON, Reader::Person)] {
        for (statement, filter, parameters) in lists {
            add(statement, filter, (*parameters).to_owned(), reader);
        }
    }
    cases
}

/// A list's statement, and the one that reads it from its other end, if there is one.
fn either_end(statement: &'static str) -> impl Iterator<Item = &'static str> {
    let turned_round = BOTH_WAYS.iter().find(|list| list.down_name == statement).map(|list| list.up_name);
    std::iter::once(statement).chain(turned_round)
}

/// Puts ids in the place of their names.
fn named(parameters: String, seller: &Seller) -> String {
    let mut ids = vec![("TOP", TOP.to_owned()), ("NIL", NIL.to_owned()), ("UNKNOWN", UNKNOWN.to_owned())];
    ids.push(("'AJIO'", format!("'{}'", seller.ajio)));
    ids.push(("'ORDER'", format!("'{}'", seller.order)));
    ids.push(("'PAYOUT'", format!("'{}'", seller.payout)));
    ids.push(("'RETURN'", format!("'{}'", seller.return_id)));
    ids.push(("'CLAIM'", format!("'{}'", seller.claim)));
    ids.push(("'IMPORT'", format!("'{}'", seller.import)));
    ids.into_iter().fold(parameters, |text, (name, id)| text.replace(name, &id))
}

/// The statements of the API that are made of another one's file, by name, as if each had a file of its own.
pub fn derived() -> impl Iterator<Item = (&'static str, &'static str)> {
    let turned_round = BOTH_WAYS.iter().map(|list| (list.up_name, list.up));
    turned_round.chain(VARIANTS.iter().map(|variant| (variant.name, variant.text)))
}

/// The text of a statement of the API, `prepare`d as `tried`.
///
/// # Panics
/// When there is no such file and no such derived statement.
#[must_use]
pub fn prepared(statement: &str) -> String {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions/api/src/sql");
    let text = match derived().find(|(name, _)| *name == statement) {
        Some((_, text)) => text.to_owned(),
        None => {
            std::fs::read_to_string(folder.join(format!("{statement}.sql"))).expect("the statement exists")
        }
    };
    format!("prepare tried as {text}")
}
