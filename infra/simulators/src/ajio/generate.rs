//! Generates a book from a user name. The same name and size always give the same orders.

use rust_decimal::Decimal;

use super::book::{Book, Item, Line, Order, Return, ReturnKind};
use super::status::{AjioReturnStatus, AjioStatus};

/// 1 January 2026, 00:00 in India.
const FIRST_ORDER: i64 = 1_767_205_800;
const SECONDS_BETWEEN_ORDERS: i64 = 1_800;
const NAMES: [&str; 6] = [
    "Slim Fit Shirt",
    "Straight Kurta",
    "Crew-Neck T-shirt",
    "Tapered Trousers",
    "Printed Saree",
    "Ankle Socks",
];
const COLORS: [&str; 5] = ["BLUE", "BLACK", "MAROON", "OLIVE", "WHITE"];
const SIZES: [&str; 6] = ["XS", "S", "M", "L", "XL", "FREE"];
const CARRIERS: [&str; 4] = ["DELHIVERY", "XPRESSBEES", "SHADOWFAX", "ECOM"];
/// The statuses of the orders, in turn: a third is on pendency, the others have all other statuses.
const STATUSES: [AjioStatus; 12] = [
    AjioStatus::Pendency,
    AjioStatus::Confirmed,
    AjioStatus::Delivered,
    AjioStatus::Pendency,
    AjioStatus::Packed,
    AjioStatus::Dispatched,
    AjioStatus::Pendency,
    AjioStatus::Cancelled,
    AjioStatus::ReadyToDispatch,
    AjioStatus::Pendency,
    AjioStatus::Delivered,
    AjioStatus::Dispatched,
];

/// A small deterministic random number generator (`SplitMix64`); nothing here needs to be unpredictable.
struct Random(u64);

impl Random {
    fn of(username: &str) -> Self {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        Self(username.bytes().fold(0xcbf2_9ce4_8422_2325, step))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u32) -> u32 {
        // The remainder is less than `limit`, so it always fits.
        u32::try_from(self.next() % u64::from(limit)).unwrap_or_default()
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.next()).unwrap_or_default() % choices.len()]
    }

    fn one_in(&mut self, chances: u32) -> bool {
        self.below(chances) == 0
    }
}

/// The book of a user name.
pub(super) fn book(username: &str, size: usize) -> Book {
    let mut random = Random::of(username);
    let prefix = random.below(100_000);
    let orders: Vec<Order> = (0..size).map(|at| order(&mut random, prefix, at)).collect();
    let returns = returns(&orders);
    Book::new(orders, returns)
}

fn order(random: &mut Random, prefix: u32, at: usize) -> Order {
    let order_id = format!("FN{prefix:05}{at:06}");
    let lines = (1..=1 + random.below(3)).map(|ordinal| line(random, &order_id, ordinal)).collect();
    let place = i64::try_from(at).unwrap_or_default();
    let mut order = Order {
        order_date: FIRST_ORDER + place * SECONDS_BETWEEN_ORDERS + i64::from(random.below(900)),
        status: AjioStatus::Pendency,
        payment_method: random.pick(&["COD", "PREPAID"]),
        carrier: random.pick(&CARRIERS),
        tracking_number: format!(
            "{:013}",
            1_490_000_000_000_u64 + u64::from(prefix) * 1_000_000 + random.next() % 999_983
        ),
        purchase_order: None,
        lines,
        order_id,
    };
    let status = STATUSES[at % STATUSES.len()];
    if status != AjioStatus::Pendency {
        order.confirm();
    }
    if status == AjioStatus::Cancelled {
        order.cancel_by_seller();
    }
    order.status = status;
    order
}

fn line(random: &mut Random, order_id: &str, ordinal: u32) -> Line {
    let mrp = Decimal::from(500 + 10 * random.below(400));
    let unit_price = amount(random, 20_000, 180_000);
    // The seller's price is a share of the customer's price. Some have four decimals, the most that an amount may have.
    let share = Decimal::new(i64::from(5_500 + random.below(1_500)), 4);
    let b2b_base_price = (unit_price * share).round_dp(if random.one_in(4) { 4 } else { 2 }).normalize();
    let color = random.pick(&COLORS);
    let size = random.pick(&SIZES);
    Line {
        order_item_id: format!("{order_id}-{ordinal}"),
        ordered: if random.one_in(5) { 2 + random.below(3) } else { 1 },
        customer_cancelled: 0,
        seller_cancelled: 0,
        mrp,
        unit_price,
        seller_discount: if random.one_in(3) { amount(random, 100, 9_900) } else { Decimal::ZERO },
        b2b_base_price,
        b2b_tax: (b2b_base_price * Decimal::new(5, 2)).round_dp(2),
        within_state: random.one_in(2),
        blank_in_key: random.one_in(2),
        item: Item {
            item_code: format!("46{:07}_{color}_{size}", random.below(10_000_000)),
            ean: format!("890{:010}", random.next() % 10_000_000_000),
            name: random.pick(&NAMES),
            color,
            size,
        },
    }
}

/// An amount in rupees and paise, without trailing zeros.
fn amount(random: &mut Random, least_paise: u32, spread: u32) -> Decimal {
    Decimal::new(i64::from(least_paise + random.below(spread)), 2).normalize()
}

/// Every second delivered order is returned by the customer; every third dispatched one returns to its origin.
fn returns(orders: &[Order]) -> Vec<Return> {
    const STATUSES: [AjioReturnStatus; 5] = [
        AjioReturnStatus::Initiated,
        AjioReturnStatus::Created,
        AjioReturnStatus::Delivered,
        AjioReturnStatus::Processed,
        AjioReturnStatus::Cancelled,
    ];
    let (mut delivered, mut dispatched) = (0_usize, 0_usize);
    let mut returns = Vec::new();
    for (at, order) in orders.iter().enumerate() {
        let (seen, every, kind) = match order.status {
            AjioStatus::Delivered => (&mut delivered, 2, ReturnKind::Customer),
            AjioStatus::Dispatched => (&mut dispatched, 3, ReturnKind::ReturnToOrigin),
            _ => continue,
        };
        *seen += 1;
        if seen.is_multiple_of(every) {
            returns.push(Return {
                return_order_id: format!("R-{}", order.order_id.trim_start_matches("FN")),
                return_date: order.order_date + 7 * 86_400,
                kind,
                status: STATUSES[returns.len() % STATUSES.len()],
                order: at,
            });
        }
    }
    returns
}
