//! Cards: what is read, what is refused and by which row and column, and where slabs and days end.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use chrono::NaiveDate;
use robnu_reconciliation::card::{Occasion, Question};
use robnu_reconciliation::{CardError, LineType, RateCard};
use rust_decimal::Decimal;

const EXAMPLE: &str = include_str!("../cards/example_rate_card.csv");
const HEADER: &str = "marketplace,line_type,occasion,category,price_from,price_below,weight_above_grams,weight_to_grams,zone,percent,fixed,minimum,maximum,gst_percent,given_back,valid_from,valid_to";

fn card(rows: &[&str]) -> Result<RateCard, CardError> {
    RateCard::from_csv(&format!("# EXAMPLE\n{HEADER}\n{}\n", rows.join("\n")))
}

fn problem(row: &str) -> String {
    card(&[row]).unwrap_err().to_string()
}

fn question(unit_price: i64, weight_grams: u32, day: &str) -> Question {
    Question {
        marketplace: "AMAZON_IN".to_owned(),
        line_type: LineType::ShippingFee,
        occasion: Occasion::Sale,
        category: Some("apparel".to_owned()),
        unit_price: Decimal::new(unit_price, 2),
        weight_grams: Some(weight_grams),
        zone: None,
        fulfilment: Some("SELLER".to_owned()),
        day: day.parse::<NaiveDate>().unwrap(),
    }
}

#[test]
fn the_example_says_that_it_is_one_and_is_read_whole() {
    assert!(EXAMPLE.lines().next().unwrap().starts_with("# EXAMPLE"));
    let example = RateCard::from_csv(EXAMPLE).unwrap();
    assert_eq!(example.rows().len(), EXAMPLE.lines().count() - 2);
    assert_eq!(example.rows()[0].row, 3, "rows are named by the line of the file");
}

#[test]
fn a_slab_of_weight_ends_with_its_last_gram_and_a_slab_of_price_before_its_end() {
    let example = RateCard::from_csv(EXAMPLE).unwrap();
    let backwards = RateCard::new(example.rows().iter().rev().cloned().collect()).unwrap();
    for card in [example, backwards] {
        let fixed = |question: &Question| card.find(question).map(|row| row.fixed);
        for (grams, fee) in [(1, 43), (500, 43), (501, 61), (1_000, 61), (1_001, 98)] {
            assert_eq!(fixed(&question(100, grams, "2026-02-01")), Some(Decimal::from(fee)), "{grams} g");
        }
        for (paise, fee) in [(0, 6), (49_999, 6), (50_000, 11), (99_999, 11), (100_000, 26)] {
            let closing = Question { line_type: LineType::FixedFee, ..question(paise, 1, "2026-02-01") };
            assert_eq!(fixed(&closing), Some(Decimal::from(fee)), "{paise} paise");
        }
    }
}

#[test]
fn a_row_holds_from_its_first_to_its_last_day() {
    let example = RateCard::from_csv(EXAMPLE).unwrap();
    let percent = |day| {
        let commission = Question { line_type: LineType::Commission, ..question(100, 1, day) };
        example.find(&commission).map(|row| row.percent)
    };
    assert_eq!(percent("2025-12-31"), None);
    assert_eq!(percent("2026-01-01"), Some(Decimal::new(135, 1)));
    assert_eq!(percent("2026-03-31"), Some(Decimal::new(135, 1)));
    assert_eq!(percent("2026-04-01"), Some(Decimal::from(14)));
}

#[test]
fn a_row_with_a_condition_on_something_unknown_does_not_apply() {
    let example = RateCard::from_csv(EXAMPLE).unwrap();
    let known = question(100, 400, "2026-02-01");
    assert!(example.find(&known).is_some());
    assert_eq!(example.find(&Question { weight_grams: None, ..known.clone() }), None);
    assert_eq!(example.find(&Question { fulfilment: None, ..known }), None);
}

#[test]
fn a_charge_is_rounded_and_kept_between_minimum_and_maximum() {
    let row = "AMAZON_IN,COMMISSION,SALE,,,,,,,9,2,5,50,18,,2026-01-01,";
    let card = card(&[row]).unwrap();
    let charge = |price: i64| {
        let charge = card.rows()[0].charge(Decimal::new(price, 2), Decimal::ZERO, 2);
        (charge.fee.normalize().to_string(), charge.gst.normalize().to_string())
    };
    assert_eq!(charge(10_050), ("13.05".to_owned(), "2.35".to_owned()), "9.045 and 2 × 2.00; 2.349");
    assert_eq!(charge(100), ("5".to_owned(), "0.9".to_owned()));
    assert_eq!(charge(1_000_000), ("50".to_owned(), "9".to_owned()));
}

#[test]
fn a_wrong_cell_is_named_by_row_and_column() {
    for (row, text) in [
        (",COMMISSION,SALE,,,,,,,9,,,,18,,2026-01-01,", "row 3, column marketplace of the card is empty"),
        (
            "AJIO,SALE,SALE,,,,,,,9,,,,18,,2026-01-01,",
            "row 3, column line_type of the card is not the type of a fee",
        ),
        (
            "AJIO,COMMISSION,SOLD,,,,,,,9,,,,18,,2026-01-01,",
            "row 3, column occasion of the card is neither SALE nor RETURN nor RTO",
        ),
        (
            "AJIO,COMMISSION,SALE,,,,,,,109,,,,18,,2026-01-01,",
            "row 3, column percent of the card is not a percentage between 0 and 100, such as 12.5",
        ),
        (
            "AJIO,COMMISSION,SALE,,,,,,,,,,,18,,2026-01-01,",
            "row 3, column percent of the card is empty, and so is fixed; a fee that is not charged is 0",
        ),
        (
            "AJIO,COMMISSION,SALE,,,,,,,,-1,,,18,,2026-01-01,",
            "row 3, column fixed of the card is not an amount with at most four decimals, such as 35.50",
        ),
        (
            "AJIO,COMMISSION,SALE,,,,,,,,1.00001,,,18,,2026-01-01,",
            "row 3, column fixed of the card is not an amount with at most four decimals, such as 35.50",
        ),
        (
            "AJIO,COMMISSION,SALE,,500,500,,,,9,,,,18,,2026-01-01,",
            "row 3, column price_below of the card is not above price_from",
        ),
        (
            "AJIO,COMMISSION,SALE,,,,5.5,,,9,,,,18,,2026-01-01,",
            "row 3, column weight_above_grams of the card is not a whole number of grams",
        ),
        (
            "AJIO,COMMISSION,SALE,,,,500,400,,9,,,,18,,2026-01-01,",
            "row 3, column weight_to_grams of the card is not above weight_above_grams",
        ),
        (
            "AJIO,COMMISSION,SALE,,,,,,,9,,7,6,18,,2026-01-01,",
            "row 3, column maximum of the card is below minimum",
        ),
        ("AJIO,COMMISSION,SALE,,,,,,,9,,,,,,2026-01-01,", "row 3, column gst_percent of the card is empty"),
        (
            "AJIO,COMMISSION,SALE,,,,,,,9,,,,18,true,2026-01-01,",
            "row 3, column given_back of the card is neither yes nor no",
        ),
        (
            "AJIO,RETURN_FEE,RETURN,,,,,,,9,,,,18,yes,2026-01-01,",
            "row 3, column given_back of the card has no meaning for a fee of goods that come back",
        ),
        (
            "AJIO,COMMISSION,SALE,,,,,,,9,,,,18,,01/04/2026,",
            "row 3, column valid_from of the card is not a day such as 2026-04-01",
        ),
        (
            "AJIO,COMMISSION,SALE,,,,,,,9,,,,18,,2026-01-02,2026-01-01",
            "row 3, column valid_to of the card is before valid_from",
        ),
    ] {
        assert_eq!(problem(row), text);
    }
}

#[test]
fn a_table_that_is_none_is_refused_by_row_or_column() {
    let text = |csv: &str| RateCard::from_csv(csv).unwrap_err().to_string();
    assert_eq!(text("marketplace,line_type,occasion,valid_from\n"), "the card has no column gst_percent");
    assert_eq!(text("marketplace,pricefrom\n"), "column pricefrom of the card is unknown or there twice");
    assert_eq!(text("zone,zone\n"), "column zone of the card is unknown or there twice");
    let short = card(&["AJIO,COMMISSION,SALE"]).unwrap_err();
    assert_eq!(short, CardError::Row { row: 3 });
}

#[test]
fn rows_that_could_both_apply_are_refused_by_their_numbers() {
    let overlap = |rows: &[&str]| match card(rows) {
        Err(CardError::Overlap { first, second }) => Some((first, second)),
        Ok(_) => None,
        Err(other) => panic!("{other}"),
    };
    let general = "AJIO,COMMISSION,SALE,,,,,,,9,,,,18,,2026-01-01,";
    let ended = "AJIO,COMMISSION,SALE,,,,,,,9,,,,18,,2025-01-01,2025-12-31";
    let ended_late = "AJIO,COMMISSION,SALE,,,,,,,9,,,,18,,2025-01-01,2026-01-01";
    let of_shoes = "AJIO,COMMISSION,SALE,shoes,,,,,,9,,,,18,,2026-01-01,";
    let of_bags = "AJIO,COMMISSION,SALE,bags,,,,,,9,,,,18,,2026-01-01,";
    let cheap = "AJIO,COMMISSION,SALE,,,500,,,,9,,,,18,,2026-01-01,";
    let dear = "AJIO,COMMISSION,SALE,,500,,,,,9,,,,18,,2026-01-01,";
    let dearer = "AJIO,COMMISSION,SALE,,499,,,,,9,,,,18,,2026-01-01,";
    let light = "AJIO,COMMISSION,SALE,,,,,500,,9,,,,18,,2026-01-01,";
    let heavy = "AJIO,COMMISSION,SALE,,,,500,,,9,,,,18,,2026-01-01,";
    let near = "AJIO,COMMISSION,SALE,,,,,,LOCAL,9,,,,18,,2026-01-01,";
    let far = "AJIO,COMMISSION,SALE,,,,,,FAR,9,,,,18,,2026-01-01,";
    let elsewhere = "MEESHO,COMMISSION,SALE,,,,,,,9,,,,18,,2026-01-01,";
    for apart in [
        [general, ended],
        [of_shoes, of_bags],
        [cheap, dear],
        [light, heavy],
        [near, far],
        [general, elsewhere],
    ] {
        assert_eq!(overlap(&apart), None, "{apart:?}");
    }
    for meeting in
        [[general, of_shoes], [general, ended_late], [cheap, dearer], [light, near], [general, general]]
    {
        assert_eq!(overlap(&meeting), Some((3, 4)), "{meeting:?}");
    }
    assert_eq!(overlap(&[of_shoes, of_bags, elsewhere, general]), Some((3, 6)));
}
