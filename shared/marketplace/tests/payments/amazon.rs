//! Amazon's settlement report and payments file.

use robnu_marketplace::record::{PayoutPart, PayoutSource};
use rust_decimal::Decimal;

use super::kit::{amount, by_payout, by_type, entries, parts, sample, unbalanced, written};

#[test]
fn the_lines_of_a_settlement_are_its_total_and_equal_ones_both_count() {
    let (parts, reasons) = parts(&sample("amazon_settlement.txt"));
    assert_eq!(reasons, [""; 0]);
    let heads: Vec<&PayoutPart> = parts.iter().filter(|part| part.entries.is_empty()).collect();
    let [head] = heads.as_slice() else { panic!("{} heads", heads.len()) };
    let payout = head.payout.as_ref().unwrap();
    assert_eq!(payout.stated_amount, Some(amount("2887.35")));
    assert_eq!(payout.paid_at.unwrap().to_rfc3339(), "2026-07-29T18:30:00+00:00");
    assert_eq!(by_payout(&parts).into_iter().collect::<Vec<_>>(), [("77000000001", amount("2887.35"))]);
    let types = by_type(&parts);
    let told = ["SALE", "REFUND", "TCS", "TDS", "COMPENSATION", "ADS", "RESERVE", "PROMOTION"];
    let expected = ["3693.22", "-1000", "-13.46", "-3.69", "421", "-354", "250", "-50"];
    for (name, sum) in told.into_iter().zip(expected) {
        assert_eq!(types[name], amount(sum), "{name}");
    }
    assert!(!types.contains_key("OTHER"), "{types:?}");
    let inbound = entries(&parts).find(|entry| entry.other.contains_key("order-id")).unwrap();
    assert_eq!((inbound.other["order-id"].as_str(), &inbound.external_order_id), ("FBA15OURS001", &None));
    assert!(parts.iter().all(|part| part.source == PayoutSource::AmazonSettlement));
}

#[test]
fn payments_of_seller_central_add_up_row_by_row_and_deferred_ones_are_announced() {
    let (parts, reasons) = parts(&sample("amazon_payments.csv"));
    assert_eq!(reasons, [""; 0]);
    assert_eq!(entries(&parts).count(), 7, "two equal rows of a service are two");
    assert_eq!(unbalanced(&parts), []);
    let sums = by_payout(&parts);
    assert_eq!(sums[""], amount("1807.63"), "deferred");
    // 1,694.44 - 59 - 59 - 1,106 - 354; the transfer of it is no part of the sum.
    assert_eq!(sums["77000000001"], amount("116.44"));
    let types = by_type(&parts);
    let told = [types["TRANSFER"], types["ADS"], types["SHIPPING_FEE"]];
    assert_eq!(told, ["-1234.44", "-354", "-118"].map(amount));
    let same = |part: &&PayoutPart| part.subject.as_deref() == Some("405-1111101-0000077/SKU-B-02/1,807.63");
    assert!(parts.iter().find(same).is_some_and(|part| part.payout.is_none()));
    let total: Decimal = sums.values().sum();
    assert_eq!(total, amount("1924.07"));
}

/// A file may hold anything. What cannot be stored is set aside by its row, and the rest goes on.
#[test]
fn a_row_of_absurd_texts_or_amounts_is_set_aside_alone() {
    let header =
        "date/time,settlement id,type,order id,Sku,description,product sales,selling fees,total,Note";
    let long = "x".repeat(2_000);
    let rows = [
        format!("27/06/2026 10:00:00,770,Order,405-1111111-0000001,A,{long},10,-1,9,{long}"),
        "27/06/2026 10:00:00,770,Order,405-1111111-0000002,A,a\u{1}\u{7}b,10,-1,9,c\u{1}d".to_owned(),
        "27/06/2026 10:00:00,770,Order,405-1111111-0000003,A,x,9999999999,9999999999,9,".to_owned(),
    ];
    let (parts, mut reasons) = parts(written(&format!("{header}\n{}\n", rows.join("\n"))).path());
    reasons.sort();
    let stored: Vec<_> = entries(&parts).collect();
    for entry in &stored {
        assert!(
            entry.other.values().all(|text| text.chars().count() <= 300 && !text.contains('\u{1}')),
            "{entry:?}"
        );
    }
    assert!(
        parts
            .iter()
            .all(|part| part.external_part_id.chars().count() <= 500
                && !part.external_part_id.contains('\u{7}'))
    );
    assert_eq!((stored.len(), reasons.len()), (2, 1), "{reasons:?}");
    assert!(reasons[0].starts_with("row 4 makes too large a sum"), "{reasons:?}");
}

#[test]
fn an_odd_side_field_of_a_settlement_costs_the_field_and_an_odd_currency_its_row() {
    let header = "settlement-id\ttotal-amount\tcurrency\ttransaction-type\torder-id\tamount-type\tamount-description\tamount\tquantity-purchased\tsettlement-start-date\tsettlement-end-date";
    let long = "y".repeat(3_000);
    let rows = [
        "770\t10\tINR\t\t\t\t\t\t\t2026-07-27\t2026-07-20".to_owned(),
        "770\t\t\tOrder\t405-1111111-0000001\tItemPrice\tPrincipal\t10\t-1.5\t\t".to_owned(),
        format!("770\t\trupees\t{long}\t405-1111111-0000002\tItemPrice\tPrincipal\t10\t1\t\t"),
    ];
    let file = written(&format!("{header}\n{}\n", rows.join("\n")));
    let (read, reasons) = parts(file.path());
    let line = entries(&read).next().unwrap();
    assert_eq!(
        (line.amount(), line.quantity),
        (amount("10"), None),
        "the money counts, the quantity is noted"
    );
    assert!(read.iter().any(|part| part.notes.iter().any(|note| note.contains("quantity-purchased"))));
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(reasons[0].starts_with("row 4, column currency "), "{reasons:?}");
    let page = robnu_marketplace::files::ImportFile::open(file.path(), None).unwrap().page(0).unwrap();
    let id = page.quarantined[0].external_id.as_deref().unwrap();
    assert!(id.chars().count() <= 200 && id.starts_with("770/"), "an id that an index has room for");
}
