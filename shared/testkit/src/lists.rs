//! Every list of the API with the filters that are hardest on it, for the test of plans and for the benchmark: filters that
//! match nothing, that match at the far end of the list only, several at once, and the last page.

use std::fmt::Write as _;

use crate::fixture::Seller;

/// Fills a database that holds the fixture: so many rows of every list for one seller and for the other. What is named
/// `COMMON` is a tenth of all articles and air waybills; nothing is on the marketplace Flipkart but the fixture.
const FILL: &str = include_str!("lists.sql");

/// The highest id, and the lowest.
const TOP: &str = "'ffffffff-ffff-ffff-ffff-ffffffffffff'";
const NIL: &str = "'00000000-0000-0000-0000-000000000000'";
const UNKNOWN: &str = "'01900000-0000-7000-8000-000000000000'";

/// The script that fills a database with `ours` rows of every list for one seller and `theirs` for the other.
#[must_use]
pub fn fill(sellers: [&Seller; 2], ours: u32, theirs: u32) -> String {
    FILL.replace(":ours", &format!("'{}'", sellers[0].id))
        .replace(":rows", &ours.to_string())
        .replace(":others", &theirs.to_string())
}

/// Through which entry a statement goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// The seller's owner.
    Member,
    /// A staff member.
    Staff,
    /// The owner, of no seller yet.
    Person,
}

/// A statement of the API with parameters that are hard on it.
#[derive(Debug, Clone)]
pub struct ListCase {
    /// Name of the `.sql` file.
    pub statement: &'static str,
    /// What is filtered, in words.
    pub filter: &'static str,
    /// The parameters, as SQL.
    pub parameters: String,
    /// Who reads.
    pub reader: Reader,
}

/// How a list goes on: time or number and id, and the page.
const NEWEST: &str = "'infinity', TOP, 51";
const OLDEST: &str = "'1970-01-01Z', NIL, 51";
/// Where fewer than a page are left.
const LAST_DOWN: &str = "'2026-01-01 00:05Z', TOP, 51";
const LAST_UP: &str = "'2030-01-01Z', NIL, 51";

/// Filters that a statement takes after its position, with what they are called; `-` is none.
type Filters = &'static [(&'static str, &'static str)];

const ORDERS: Filters = &[
    ("-", "null, null, null, null, null, null, null"),
    ("time that holds none", "null, null, null, '2020-01-01Z', '2020-02-01Z', null, null"),
    ("time at the far end", "null, null, null, null, '2026-01-01 00:05Z', null, null"),
    ("must leave before, none", "null, null, null, null, null, '2020-01-01Z', null"),
];
const ORDERS_OF_ACCOUNTS: Filters = &[
    ("account", "'AJIO', null, null, null, null, null, null"),
    ("account without any", "UNKNOWN, null, null, null, null, null, null"),
    ("marketplace without any", "null, 'FLIPKART', null, null, null, null, null"),
    ("marketplace, unknown", "null, 'NOWHERE', null, null, null, null, null"),
    ("account, must leave before, none", "'AJIO', null, null, null, null, '2020-01-01Z', null"),
];
const ORDERS_OF_STATUS: Filters = &[
    ("status", "null, null, 'CONFIRMED', null, null, null, null"),
    ("status without any", "null, null, 'PACKED', null, null, null, null"),
    (
        "status, account, time that holds none",
        "'AJIO', null, 'DELIVERED', '2020-01-01Z', '2020-02-01Z', null, null",
    ),
    ("status, marketplace without any", "null, 'FLIPKART', 'DELIVERED', null, null, null, null"),
    ("status, must leave before, none", "null, null, 'DELIVERED', null, null, '2020-01-01Z', null"),
];
const ORDERS_OF_SKU: Filters = &[
    ("article", "null, null, null, null, null, null, 'SM0000007'"),
    ("article without any", "null, null, null, null, null, null, 'NOTHING'"),
    ("common article", "null, null, null, null, null, null, 'COMMON'"),
    ("common article, status without any", "null, null, 'PACKED', null, null, null, 'COMMON'"),
];
const ORDERS_DISPATCH: Filters = &[
    ("-", "null, null, null, null, null, null, null"),
    ("status without any", "null, null, 'PACKED', null, null, null, null"),
    ("marketplace without any", "null, 'FLIPKART', null, null, null, null, null"),
    ("article without any", "null, null, null, null, null, null, 'NOTHING'"),
    ("placed, none", "null, null, null, '2020-01-01Z', '2020-02-01Z', null, null"),
];
const RETURNS: Filters = &[
    ("-", "null, null, null, null, null, null, null, null"),
    ("type without any", "null, null, null, null, 'CUSTOMER', null, null, null"),
    ("claim due before, none", "null, null, null, null, null, null, null, '2020-01-01Z'"),
    ("time that holds none", "null, null, null, null, null, '2020-01-01Z', '2020-02-01Z', null"),
];
const RETURNS_OF_ACCOUNTS: Filters = &[
    ("account", "'AJIO', null, null, null, null, null, null, null"),
    ("marketplace without any", "null, 'FLIPKART', null, null, null, null, null, null"),
    ("account, type without any", "'AJIO', null, null, null, 'CUSTOMER', null, null, null"),
];
const RETURNS_OF_STATUS: Filters = &[
    ("status without any", "null, null, 'PICKED_UP', null, null, null, null, null"),
    ("status, type without any", "null, null, 'DELIVERED', null, 'CUSTOMER', null, null, null"),
];
const RETURNS_OF_RECEIPT: Filters = &[
    ("internal status without any", "null, null, null, 'CLAIM_PENDING', null, null, null, null"),
    ("internal status, status without any", "null, null, 'PICKED_UP', 'EXPECTED', null, null, null, null"),
];
const CLAIMS: Filters = &[
    ("-", "null, null, null, null, null, null"),
    ("reason without any", "null, null, null, 'USED', null, null"),
    ("time that holds none", "null, null, null, null, '2020-01-01Z', '2020-02-01Z'"),
];
const CLAIMS_OF_ACCOUNTS: Filters = &[
    ("account", "'AJIO', null, null, null, null, null"),
    ("marketplace without any", "null, 'FLIPKART', null, null, null, null"),
    ("account, reason without any", "'AJIO', null, null, 'USED', null, null"),
];
const CLAIMS_OF_STATUS: Filters = &[
    ("status without any", "null, null, 'RESOLVED_WON', null, null, null"),
    ("status, reason without any", "null, null, 'FILED', 'USED', null, null"),
];
const PAYOUTS: Filters = &[
    ("-", "null, null, null, null, null, null, null"),
    ("status without any", "null, null, 'DISPUTED', null, null, null, null"),
    ("amount without any", "null, null, null, null, null, 99999999999, null"),
    ("time that holds none", "null, null, null, '2020-01-01Z', '2020-02-01Z', null, null"),
];
const PAYOUTS_OF_ACCOUNTS: Filters = &[
    ("account", "'AJIO', null, null, null, null, null, null"),
    ("marketplace without any", "null, 'FLIPKART', null, null, null, null, null"),
    ("account, status without any", "'AJIO', null, 'DISPUTED', null, null, null, null"),
];
const LISTINGS: Filters =
    &[("-", "null, null, null, null"), ("status without any", "null, null, 'BLOCKED', null")];
const LISTINGS_OF_ACCOUNTS: Filters = &[
    ("account", "'AJIO', null, null, null"),
    ("marketplace without any", "null, 'FLIPKART', null, null"),
    ("account, status without any", "'AJIO', null, 'BLOCKED', null"),
];
const LISTINGS_OF_SKU: Filters = &[
    ("article", "null, null, null, 'SM0000007'"),
    ("common article, status without any", "null, null, 'BLOCKED', 'COMMON'"),
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
const AUDIT: Filters = &[
    ("-", "null, null, null, null, null"),
    ("time that holds none", "null, null, null, '2020-01-01Z', '2020-02-01Z'"),
];
const AUDIT_OF_OBJECT: Filters = &[
    ("object", "null, null, 'AJIO', null, null"),
    ("object, action without any", "null, 'seller.', 'AJIO', null, null"),
    ("object without any", "null, null, UNKNOWN, null, null"),
];
const AUDIT_OF_ACTOR: Filters = &[
    ("actor", "'AJIO', null, null, null, null"),
    ("actor, action without any", "'AJIO', 'seller.', null, null, null"),
    ("actor without any", "UNKNOWN, null, null, null, null"),
];
const AUDIT_OF_ACTION: Filters = &[
    ("action", "null, 'credentials.', null, null, null"),
    ("rare action", "null, 'seller.', null, null, null"),
    ("action without any", "null, 'nothing', null, null, null"),
    ("action, time that holds none", "null, 'credentials.', null, '2020-01-01Z', '2020-02-01Z'"),
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

/// Lists in pages, with their filters: by time or number downwards, upwards.
const DOWN: &[(&str, Filters)] = &[
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
    ("inventory/newest", INVENTORY),
    ("inventory/newest_of_sku", INVENTORY_OF_SKU),
    ("audit/list", AUDIT),
    ("audit/of_object", AUDIT_OF_OBJECT),
    ("audit/of_actor", AUDIT_OF_ACTOR),
    ("audit/of_action", AUDIT_OF_ACTION),
];
const UP: &[(&str, Filters)] = &[
    ("orders/oldest", ORDERS),
    ("orders/oldest_of_accounts", ORDERS_OF_ACCOUNTS),
    ("orders/oldest_of_status", ORDERS_OF_STATUS),
    ("orders/dispatch", ORDERS_DISPATCH),
    ("returns/oldest", RETURNS),
    ("returns/oldest_of_accounts", RETURNS_OF_ACCOUNTS),
    ("returns/oldest_of_status", RETURNS_OF_STATUS),
    ("returns/oldest_of_receipt", RETURNS_OF_RECEIPT),
    ("returns/claim_due", RETURNS),
    ("claims/oldest", CLAIMS),
    ("claims/oldest_of_accounts", CLAIMS_OF_ACCOUNTS),
    ("claims/oldest_of_status", CLAIMS_OF_STATUS),
    ("payouts/oldest", PAYOUTS),
    ("payouts/oldest_of_accounts", PAYOUTS_OF_ACCOUNTS),
    ("listings/oldest", LISTINGS),
    ("listings/oldest_of_accounts", LISTINGS_OF_ACCOUNTS),
    ("listings/oldest_of_sku", LISTINGS_OF_SKU),
];
/// Shipments go by id.
const SHIPPED: &[(&str, &str, Filters)] = &[
    ("shipments/newest", "TOP, 51", SHIPMENTS),
    ("shipments/newest_of_status", "TOP, 51", SHIPMENTS_OF_STATUS),
    ("shipments/newest_of_order", "TOP, 51", SHIPMENTS_OF_ORDER),
    ("shipments/newest_tracked", "TOP, 51", SHIPMENTS_TRACKED),
    ("shipments/oldest", "NIL, 51", SHIPMENTS),
    ("shipments/oldest_of_status", "NIL, 51", SHIPMENTS_OF_STATUS),
    ("shipments/oldest_of_order", "NIL, 51", SHIPMENTS_OF_ORDER),
    ("shipments/oldest_tracked", "NIL, 51", SHIPMENTS_TRACKED),
];
/// What has few filters, with all its parameters.
const OTHERS: &[(&str, &str, &str)] = &[
    ("payouts/largest", "-", "9223372036854775807, TOP, 51, null, null, null, null, null, null, null"),
    (
        "payouts/largest",
        "time that holds none",
        "9223372036854775807, TOP, 51, null, null, null, '2020-01-01Z', '2020-02-01Z', null, null",
    ),
    (
        "payouts/largest",
        "smallest amounts",
        "9223372036854775807, TOP, 51, null, null, null, null, null, null, 2000",
    ),
    (
        "payouts/smallest",
        "status without any",
        "-9223372036854775808, NIL, 51, null, null, 'DISPUTED', null, null, null, null",
    ),
    (
        "payouts/smallest",
        "largest amounts",
        "-9223372036854775808, NIL, 51, null, null, null, null, null, 9999999999, null",
    ),
    ("inventory/lowest", "-", "-2147483648, NIL, 51, null, null, null, null"),
    ("inventory/lowest", "available, none", "-2147483648, NIL, 51, null, null, null, -5"),
    ("inventory/lowest", "marketplace without any", "-2147483648, NIL, 51, null, 'FLIPKART', null, null"),
    (
        "inventory/lowest_of_sku",
        "common article, available, none",
        "-2147483648, NIL, 51, null, null, 'COMMON', -5",
    ),
    ("payouts/lines", "-", "'PAYOUT', NIL, 51, null, null"),
    ("payouts/lines", "type without any", "'PAYOUT', NIL, 51, 'CLAIM', null"),
    ("payouts/lines", "order without any", "'PAYOUT', NIL, 51, null, 'NOTHING'"),
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
    ("runs/list", "-", "TOP, 51"),
    ("quarantine/list", "-", "TOP, 51"),
    ("quarantine/of_account", "-", "TOP, 51, 'AJIO'"),
    ("quarantine/of_account", "account without any", "TOP, 51, UNKNOWN"),
    ("runs/of_account", "last page", "NIL, 51, 'AJIO'"),
    ("runs/of_account", "-", "TOP, 51, 'AJIO'"),
    ("members/list", "-", "NIL, 51"),
    ("members/list", "last page", "TOP, 51"),
    ("invitations/list", "-", "TOP, 51"),
    ("accounts/credential_events", "-", "'AJIO', TOP, 51"),
    ("accounts/credential_events", "last page", "'AJIO', NIL, 51"),
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
    for (lists, first, last) in [(DOWN, NEWEST, LAST_DOWN), (UP, OLDEST, LAST_UP)] {
        for (statement, filters) in lists {
            for (filter, values) in *filters {
                add(statement, filter, format!("{first}, {values}"), Reader::Member);
            }
            add(statement, "last page", format!("{last}, {}", filters[0].1), Reader::Member);
        }
    }
    for (statement, first, filters) in SHIPPED {
        for (filter, values) in *filters {
            add(statement, filter, format!("{first}, {values}"), Reader::Member);
        }
    }
    for (lists, reader) in [(OTHERS, Reader::Member), (STAFF, Reader::Staff), (PERSON, Reader::Person)] {
        for (statement, filter, parameters) in lists {
            add(statement, filter, (*parameters).to_owned(), reader);
        }
    }
    cases
}

/// Puts ids in the place of their names.
fn named(parameters: String, seller: &Seller) -> String {
    let mut ids = vec![("TOP", TOP.to_owned()), ("NIL", NIL.to_owned()), ("UNKNOWN", UNKNOWN.to_owned())];
    ids.push(("'AJIO'", format!("'{}'", seller.ajio)));
    ids.push(("'ORDER'", format!("'{}'", seller.order)));
    ids.push(("'PAYOUT'", format!("'{}'", seller.payout)));
    ids.push(("'RETURN'", format!("'{}'", seller.return_id)));
    ids.push(("'CLAIM'", format!("'{}'", seller.claim)));
    ids.into_iter().fold(parameters, |text, (name, id)| text.replace(name, &id))
}

/// The text of a statement of the API, `prepare`d as `tried`.
///
/// # Panics
/// When there is no such file.
#[must_use]
pub fn prepared(statement: &str) -> String {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions/api/src/sql");
    let text =
        std::fs::read_to_string(folder.join(format!("{statement}.sql"))).expect("the statement exists");
    let mut prepare = String::from("prepare tried as ");
    write!(prepare, "{text}").expect("text can be written");
    prepare
}
