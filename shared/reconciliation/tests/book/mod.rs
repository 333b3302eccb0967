//! A seller's months at four marketplaces, made up: orders, what became of them, and payouts that are right to the paisa. The amounts come
//! from integer arithmetic of its own (`rates.rs`), written from the example card and not from the crate's code.
#![allow(dead_code, reason = "each test uses its part")]
#![allow(clippy::unwrap_used, reason = "a wrong book fails its test")]

pub mod accounts;
pub mod plant;
pub mod rates;
pub mod settle;

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use robnu_reconciliation::facts::{
    Claim, Entry, EntryId, Item, Line, Order, OrderFacts, Payout, Progress, Return, ReturnKind, ReturnedItem,
};
use robnu_reconciliation::statutory::{StatutoryRate, Tax};
use robnu_reconciliation::{
    Finding, FindingKind, LineType, LineVerdict, OrderResult, RateCard, Rules, SettlementStart, Sums, Terms,
    Verdict, reconcile_account_entry, reconcile_order, reconcile_payout,
};
use rust_decimal::Decimal;

pub const CARD: &str = include_str!("../../cards/example_rate_card.csv");
pub const MARKETPLACES: [&str; 4] = ["AMAZON_IN", "FLIPKART", "MEESHO", "AJIO"];

/// The time of the run: everything of the book that should be paid is.
pub fn now() -> DateTime<Utc> {
    at("2026-06-15T06:00:00Z")
}

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub fn paise(amount: i64) -> Decimal {
    Decimal::new(amount, 2)
}

/// The rules that the book was made with.
pub fn rules() -> Rules {
    rules_with(RateCard::from_csv(CARD).unwrap())
}

pub fn rules_with(card: RateCard) -> Rules {
    let day = |text: &str| text.parse().unwrap();
    let rate = |tax, percent: i64| StatutoryRate {
        marketplace: None,
        tax,
        percent: Decimal::new(percent, 1),
        given_back: true,
        valid_from: day("2024-10-01"),
        valid_to: None,
    };
    let terms = |marketplace: &str, days| Terms {
        marketplace: marketplace.to_owned(),
        settles_from: SettlementStart::Delivery,
        settles_after_days: days,
        credits_claims_after_days: 15,
        disputes_within_days: Some(90),
        sale_includes_shipping: marketplace == "MEESHO",
        tolerance: paise(1),
    };
    Rules {
        card,
        statutory: vec![rate(Tax::Tcs, 5), rate(Tax::Tds, 1)],
        terms: vec![terms("AMAZON_IN", 14), terms("FLIPKART", 10), terms("MEESHO", 8), terms("AJIO", 30)],
    }
}

/// Numbers that are the same in every run.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }

    /// A place below `end`.
    pub fn place(&mut self, end: usize) -> usize {
        usize::try_from(self.below(end as u64)).unwrap()
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.place(from.len())]
    }

    /// So many times of a hundred.
    pub fn in_hundred(&mut self, times: u64) -> bool {
        self.below(100) < times
    }
}

/// What becomes of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Kept,
    Returned(u32),
    Rto,
    Cancelled,
}

/// An order of its own, with what its marketplace pays for it.
pub fn facts(marketplace: &str, fate: Fate) -> OrderFacts {
    let mut book = Book::default();
    let place = book.add_order(&mut Dice::new(9), marketplace, fate);
    book.orders.remove(place)
}

/// The only finding.
pub fn only(result: &OrderResult) -> &Finding {
    let [finding] = result.findings.as_slice() else { panic!("{:?}", result.findings) };
    finding
}

/// The verdicts on lines of one type.
pub fn verdicts_of(result: &OrderResult, line_type: LineType) -> Vec<&Verdict> {
    result.verdicts.iter().filter(|one| one.line_type == line_type).map(|one| &one.verdict).collect()
}

/// What is said of an order today.
pub fn judged(facts: &OrderFacts) -> OrderResult {
    reconcile_order(facts, &rules(), now())
}

/// A seller's months.
#[derive(Default)]
pub struct Book {
    pub orders: Vec<OrderFacts>,
    pub others: Vec<(String, Entry)>,
    pub payouts: Vec<(String, Payout)>,
    next_entry: u128,
    next_order: u32,
}

impl Book {
    pub fn entry_id(&mut self) -> EntryId {
        self.next_entry += 1;
        EntryId(self.next_entry)
    }

    /// An entry of the payout of the week in which it is booked.
    pub fn entry(
        &mut self,
        marketplace: &str,
        item: Option<&str>,
        posted_at: DateTime<Utc>,
        lines: Vec<(LineType, &str, i64)>,
    ) -> Entry {
        let lines = lines.into_iter().filter(|(_, _, amount)| *amount != 0).zip(1..);
        let lines = lines.map(|((line_type, word, amount), number)| Line {
            number,
            line_type,
            marketplace_type: word.to_owned(),
            amount: paise(amount),
        });
        Entry {
            id: self.entry_id(),
            payout: Some(format!("{marketplace}-{}", posted_at.format("%G-W%V"))),
            external_item_id: item.map(str::to_owned),
            sku: None,
            posted_at: Some(posted_at),
            expected_at: None,
            charged_weight_grams: None,
            lines: lines.collect(),
        }
    }

    /// Adds an order with what its marketplace pays for it, and returns its place.
    pub fn add_order(&mut self, dice: &mut Dice, marketplace: &str, fate: Fate) -> usize {
        self.next_order += 1;
        let n = self.next_order;
        let id = match marketplace {
            "AMAZON_IN" => format!("40{}-{:07}-{:07}", n % 9, n, 7_000_000 - n),
            "FLIPKART" => format!("OD3{n:09}"),
            "MEESHO" => format!("9{n:08}_1"),
            _ => format!("FN{n:010}"),
        };
        let order = order(dice, marketplace, &id, fate);
        let returns = returns(&id, &order, fate);
        let entries = settle::entries(self, marketplace, &order, fate);
        self.orders.push(OrderFacts {
            marketplace: marketplace.to_owned(),
            external_order_id: id,
            order: Some(order),
            returns,
            claims: Vec::<Claim>::new(),
            entries,
        });
        self.orders.len() - 1
    }

    /// The orders of one marketplace.
    pub fn of_marketplace(&self, marketplace: &str) -> Self {
        let own = self.orders.iter().filter(|facts| facts.marketplace == marketplace);
        Self { orders: own.cloned().collect(), ..Self::default() }
    }

    pub fn lines(&self) -> usize {
        let of_orders = self.orders.iter().flat_map(|facts| &facts.entries);
        of_orders.chain(self.others.iter().map(|(_, entry)| entry)).map(|entry| entry.lines.len()).sum()
    }

    /// Makes the payouts of all entries, each stated as what it comes to.
    pub fn close_payouts(&mut self) {
        let of_orders = self
            .orders
            .iter()
            .flat_map(|facts| facts.entries.iter().map(|entry| (facts.marketplace.as_str(), entry)));
        let others = self.others.iter().map(|(marketplace, entry)| (marketplace.as_str(), entry));
        let mut sums: BTreeMap<(String, String), (Decimal, DateTime<Utc>)> = BTreeMap::new();
        for (marketplace, entry) in of_orders.chain(others) {
            let (Some(payout), Some(posted_at)) = (&entry.payout, entry.posted_at) else { continue };
            let key = (marketplace.to_owned(), payout.clone());
            let sum = sums.entry(key).or_insert((Decimal::ZERO, posted_at));
            sum.0 += entry.amount();
            sum.1 = sum.1.max(posted_at);
        }
        let payout = |((marketplace, id), (sum, settled_at))| {
            (marketplace, Payout { external_payout_id: id, settled_at, stated: Some(sum), sum })
        };
        self.payouts = sums.into_iter().map(payout).collect();
    }

    /// Judges everything.
    pub fn reconcile(&self, rules: &Rules) -> Judged {
        let mut judged = Judged::default();
        for facts in &self.orders {
            let result = reconcile_order(facts, rules, now());
            judged.take(result.verdicts, result.findings);
            judged.no_card += result.no_card.len();
            for (payout, sums) in result.sums {
                *judged.by_payout.entry(payout).or_default() += sums.total();
            }
        }
        for (marketplace, entry) in &self.others {
            let result = reconcile_account_entry(entry, rules.terms_of(marketplace), now());
            if let Some(payout) = &entry.payout {
                *judged.by_payout.entry(payout.clone()).or_default() += Sums::of(&result.verdicts).total();
            }
            judged.take(result.verdicts, result.findings);
        }
        for (marketplace, payout) in &self.payouts {
            let finding = reconcile_payout(payout, rules.terms_of(marketplace), now());
            judged.take(Vec::new(), finding.into_iter().collect());
        }
        judged.findings.sort_by(|one, other| one.key.cmp(&other.key));
        judged
    }
}

/// What is said of a book.
#[derive(Default)]
pub struct Judged {
    pub verdicts: Vec<LineVerdict>,
    pub findings: Vec<Finding>,
    pub by_payout: BTreeMap<String, Decimal>,
    pub no_card: usize,
}

impl Judged {
    fn take(&mut self, verdicts: Vec<LineVerdict>, findings: Vec<Finding>) {
        self.verdicts.extend(verdicts);
        self.findings.extend(findings);
    }

    /// Kinds and what they are about: the order or the payout.
    pub fn found(&self) -> Vec<(FindingKind, String)> {
        let about = |finding: &Finding| {
            let subject = &finding.key.subject;
            let id = subject.order.clone().or_else(|| subject.payout.clone()).unwrap_or_default();
            (finding.key.kind, id)
        };
        let mut found: Vec<_> = self.findings.iter().map(about).collect();
        found.sort();
        found
    }
}

fn order(dice: &mut Dice, marketplace: &str, id: &str, fate: Fate) -> Order {
    let placed_at =
        at("2026-01-02T04:00:00Z") + Duration::minutes(i64::try_from(dice.below(172_000)).unwrap());
    let dispatch_by = placed_at + Duration::hours(48);
    let dispatched_at = placed_at + Duration::hours(20);
    let is_single = marketplace == "MEESHO" || fate == Fate::Cancelled;
    let quantity = match fate {
        Fate::Returned(units) => {
            units.max(if is_single { 1 } else { 1 + u32::try_from(dice.below(3)).unwrap() })
        }
        _ if is_single => 1,
        _ => *dice.pick(&[1, 1, 1, 2, 3]),
    };
    let progress = match fate {
        Fate::Kept | Fate::Returned(_) => Progress::Delivered,
        Fate::Rto => Progress::Undelivered,
        Fate::Cancelled => Progress::Cancelled,
    };
    Order {
        progress,
        placed_at,
        dispatch_by: Some(dispatch_by),
        dispatched_at: (fate != Fate::Cancelled).then_some(dispatched_at),
        delivered_at: (progress == Progress::Delivered).then_some(dispatched_at + Duration::days(4)),
        cancelled_by_seller: None,
        is_replacement: false,
        fulfilment: Some("SELLER".to_owned()),
        items: vec![item(dice, id, quantity)],
    }
}

fn item(dice: &mut Dice, id: &str, quantity: u32) -> Item {
    let ranges = [(4_000, 9_000), (20_000, 45_000), (50_000, 95_000), (100_000, 260_000), (300_000, 380_000)];
    let (low, high) = *dice.pick(&ranges);
    let unit = low + i64::try_from(dice.below(u64::try_from(high - low).unwrap())).unwrap();
    let price = unit * i64::from(quantity);
    let gst = *dice.pick(&[5, 18]);
    let tax = price - rates::half_up(price * 100, 100 + gst);
    Item {
        external_item_id: format!("{id}-item"),
        sku: Some(format!("SKU-{}", dice.below(400))),
        category: Some((*dice.pick(&["apparel", "kitchen"])).to_owned()),
        quantity,
        cancelled: 0,
        price: paise(price),
        tax: Some(paise(tax)),
        weight_grams: Some(*dice.pick(&[180, 500, 640, 1_000, 1_450])),
        zone: Some((*dice.pick(&["LOCAL", "NATIONAL"])).to_owned()),
    }
}

fn returns(id: &str, order: &Order, fate: Fate) -> Vec<Return> {
    let (kind, quantity) = match fate {
        Fate::Returned(units) => (ReturnKind::Customer, units),
        Fate::Rto => (ReturnKind::Rto, order.items[0].quantity),
        Fate::Kept | Fate::Cancelled => return Vec::new(),
    };
    let external_item_id = Some(order.items[0].external_item_id.clone());
    let items = vec![ReturnedItem { external_item_id, sku: None, quantity, refund: None }];
    vec![Return { external_return_id: format!("{id}-return"), kind, is_cancelled: false, items }]
}
