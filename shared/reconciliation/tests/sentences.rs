//! What a person reads of each kind of finding.

mod book;

use book::accounts::right_book;
use book::plant::{KINDS, plant};
use book::{at, now, rules};
use robnu_reconciliation::facts::Payout;
use robnu_reconciliation::{reconcile_order, reconcile_payout};
use rust_decimal::Decimal;

const SENTENCES: &str = include_str!("sentences.txt");

#[test]
fn each_kind_is_said_in_one_sentence_with_its_numbers() {
    let mut said = Vec::new();
    for kind in KINDS {
        let mut book = right_book(120, 17);
        let place = (0..120).find(|place| plant(&mut book, *place, kind)).unwrap();
        for finding in reconcile_order(&book.orders[place], &rules(), now()).findings {
            said.push(format!("{}\n    {}\n", finding.key, finding.sentence()));
        }
    }
    let payout = Payout {
        external_payout_id: "NEFT-1".to_owned(),
        settled_at: at("2026-06-01T05:00:00Z"),
        stated: Some(Decimal::new(12_000_050, 2)),
        sum: Decimal::new(12_100_000, 2),
    };
    let finding = reconcile_payout(&payout, None, now()).unwrap();
    said.push(format!("{}\n    {}\n", finding.key, finding.sentence()));
    let said = said.concat();
    assert_eq!(said, SENTENCES, "\n{said}");
}
