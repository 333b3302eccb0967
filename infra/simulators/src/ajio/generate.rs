//! Making up a book from a user name: the same name and size always give the same orders.

use rust_decimal::Decimal;

use super::book::{Book, Item, Line, Order, Return, ReturnKind};
use super::status::AjioStatus;

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
/// A third of the orders waits on pendency; the others are spread over all statuses.
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

/// Small deterministic generator (`SplitMix64`); nothing here needs to be unpredictable.
struct Chance(u64);

impl Chance {
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
        // Less than `limit`, so it always fits.
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
    let mut chance = Chance::of(username);
    let prefix = chance.below(100_000);
    let orders: Vec<Order> = (0..size).map(|at| order(&mut chance, prefix, at)).collect();
    let returns = returns(&orders);
    Book::new(orders, returns)
}

fn order(chance: &mut Chance, prefix: u32, at: usize) -> Order {
    let order_id = format!("FN{prefix:05}{at:06}");
    let lines = (1..=1 + chance.below(3)).map(|ordinal| line(chance, &order_id, ordinal)).collect();
    let place = i64::try_from(at).unwrap_or_default();
    let mut order = Order {
        order_date: FIRST_ORDER + place * SECONDS_BETWEEN_ORDERS + i64::from(chance.below(900)),
        status: AjioStatus::Pendency,
        payment_method: chance.pick(&["COD", "PREPAID"]),
        carrier: chance.pick(&CARRIERS),
        tracking_number: format!(
            "{:013}",
            1_490_000_000_000_u64 + u64::from(prefix) * 1_000_000 + chance.next() % 999_983
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

fn line(chance: &mut Chance, order_id: &str, ordinal: u32) -> Line {
    let mrp = Decimal::from(500 + 10 * chance.below(400));
    let unit_price = amount(chance, 20_000, 180_000);
    // The seller's price is part of the customer's; some have the four decimals that an amount may have at most.
    let share = Decimal::new(i64::from(5_500 + chance.below(1_500)), 4);
    let b2b_base_price = (unit_price * share).round_dp(if chance.one_in(4) { 4 } else { 2 }).normalize();
    let color = chance.pick(&COLORS);
    let size = chance.pick(&SIZES);
    Line {
        order_item_id: format!("{order_id}-{ordinal}"),
        ordered: if chance.one_in(5) { 2 + chance.below(3) } else { 1 },
        customer_cancelled: 0,
        seller_cancelled: 0,
        mrp,
        unit_price,
        seller_discount: if chance.one_in(3) { amount(chance, 100, 9_900) } else { Decimal::ZERO },
        b2b_base_price,
        b2b_tax: (b2b_base_price * Decimal::new(5, 2)).round_dp(2),
        within_state: chance.one_in(2),
        blank_in_key: chance.one_in(2),
        item: Item {
            item_code: format!("46{:07}_{color}_{size}", chance.below(10_000_000)),
            ean: format!("890{:010}", chance.next() % 10_000_000_000),
            name: chance.pick(&NAMES),
            color,
            size,
        },
    }
}

/// Rupees and paise; whole rupees and tenths are common enough to be seen without trailing zeros.
fn amount(chance: &mut Chance, least_paise: u32, spread: u32) -> Decimal {
    Decimal::new(i64::from(least_paise + chance.below(spread)), 2).normalize()
}

/// Every second delivered order comes back from the customer, every third dispatched one to its origin.
fn returns(orders: &[Order]) -> Vec<Return> {
    const STATUSES: [&str; 5] =
        ["RETURN_INITIATED", "RETURN_CREATED", "RETURN_DELIVERED", "RETURN_PROCESSED", "RETURN_CANCELLED"];
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
