//! Whole books, and what is right in them although it looks odd.

use chrono::Duration;
use robnu_reconciliation::LineType::{
    Ads, Claim as ClaimLine, FeeTax, Penalty, Reserve, ServiceFee, ShippingFee, Tcs, Transfer,
};
use robnu_reconciliation::facts::{Claim, ClaimState, Progress};

use super::rates::gst;
use super::{Book, Dice, Fate, MARKETPLACES, at, now, paise};

/// A book with so many orders, spread over the marketplaces, all of it right.
pub fn right_book(orders: usize, seed: u64) -> Book {
    let mut dice = Dice::new(seed);
    let mut book = Book::default();
    for _ in 0..orders {
        let marketplace = *dice.pick(&["AMAZON_IN", "AMAZON_IN", "FLIPKART", "FLIPKART", "MEESHO", "AJIO"]);
        let fate = match dice.below(100) {
            0..70 => Fate::Kept,
            70..84 => Fate::Returned(1),
            84..92 => Fate::Rto,
            _ => Fate::Cancelled,
        };
        let place = book.add_order(&mut dice, marketplace, fate);
        if dice.in_hundred(6) {
            make_odd(&mut book, &mut dice, place, fate);
        }
    }
    add_account_entries(&mut book);
    book.close_payouts();
    book
}

/// Something that looks like a mistake and is none.
fn make_odd(book: &mut Book, dice: &mut Dice, place: usize, fate: Fate) {
    let marketplace = book.orders[place].marketplace.clone();
    let item = format!("{}-item", book.orders[place].external_order_id);
    let posted_at = at("2026-05-20T05:00:00Z");
    match (dice.below(5), fate) {
        (0, Fate::Kept) => {
            // Late by its own fault.
            let entry =
                book.entry(&marketplace, Some(&item), posted_at, vec![(Penalty, "SLA breach", -5_000)]);
            let order = book.orders[place].order.as_mut().unwrap();
            order.dispatched_at = order.dispatch_by.map(|by| by + Duration::hours(3));
            book.orders[place].entries.push(entry);
        }
        (1, Fate::Returned(_)) => {
            // A claim that was approved and credited.
            let external_return_id = book.orders[place].returns[0].external_return_id.clone();
            let entry = book.entry(&marketplace, Some(&item), posted_at, vec![(ClaimLine, "Claims", 12_000)]);
            book.orders[place].entries.push(entry);
            book.orders[place].claims.push(Claim {
                external_return_id,
                state: ClaimState::Won,
                resolved_at: Some(at("2026-05-01T05:00:00Z")),
                recovered: Some(paise(12_000)),
            });
        }
        (2, Fate::Kept) if marketplace != "AJIO" && marketplace != "MEESHO" => {
            // A fee charged again and taken back.
            for sign in [-1, 1] {
                let lines = vec![(ShippingFee, "Shipping", sign * 4_500), (FeeTax, "GST", sign * gst(4_500))];
                let entry = book.entry(&marketplace, Some(&item), posted_at, lines);
                book.orders[place].entries.push(entry);
            }
        }
        (3, Fate::Kept) => {
            // Delivered a moment ago, not paid yet.
            book.orders[place].entries.clear();
            let order = book.orders[place].order.as_mut().unwrap();
            order.delivered_at = Some(now() - Duration::days(3));
        }
        (4, Fate::Kept) => {
            // Announced for next week, or on its way without any word of money.
            if dice.in_hundred(50) {
                for entry in &mut book.orders[place].entries {
                    entry.payout = None;
                    entry.expected_at = Some(now() + Duration::days(5));
                }
            } else {
                book.orders[place].entries.clear();
                let order = book.orders[place].order.as_mut().unwrap();
                order.progress = Progress::Open;
                order.delivered_at = None;
            }
        }
        _ => {}
    }
}

/// Advertising, subscriptions, reserves and the transfers themselves.
fn add_account_entries(book: &mut Book) {
    for marketplace in MARKETPLACES {
        for week in 0..18 {
            let posted_at = at("2026-01-14T05:00:00Z") + Duration::weeks(week);
            let entries = [
                vec![(Ads, "Cost of Advertising", -41_300), (FeeTax, "GST", -gst(41_300))],
                vec![(ServiceFee, "Subscription", -9_900)],
                vec![(Reserve, "Current Reserve Amount", -100_000)],
                vec![(Reserve, "Previous Reserve Amount Balance", 100_000)],
                vec![(Transfer, "Transfer", -1_234_500)],
                vec![(Tcs, "TCS of last month, corrected", -5)],
            ];
            for lines in entries {
                let entry = book.entry(marketplace, None, posted_at, lines);
                book.others.push((marketplace.to_owned(), entry));
            }
        }
    }
}
