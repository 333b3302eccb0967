//! AJIO's payment report.

use super::kit::{amount, by_payout, by_type, entries, parts, sample, unbalanced, written};

const HEADER: &str = "Journey Type,Clearing doc no,Clearing date,Expected settlement date,Internal Document no,Invoice Number,Order No,Value,Credit Note No";

#[test]
fn a_clearing_document_is_the_sum_of_its_documents_and_open_ones_are_announced() {
    let (parts, reasons) = parts(&sample("ajio_payments.csv"));
    assert_eq!(reasons, [""; 0]);
    assert_eq!((parts.len(), unbalanced(&parts).len()), (6, 0));
    let sums: Vec<_> = by_payout(&parts).into_iter().collect();
    let expected = [("", "1926.50"), ("1500000001", "1398"), ("1500000002", "499.99")];
    assert_eq!(sums, expected.map(|(id, sum)| (id, amount(sum))));
    let types = by_type(&parts);
    assert_eq!((types["SALE"], types["REFUND"], types.len()), (amount("5222.49"), amount("-1398"), 2));
    let open = parts.iter().find(|part| part.payout.is_none()).unwrap();
    assert_eq!(open.expected_at.unwrap().to_rfc3339(), "2026-09-13T18:30:00+00:00");
    let orders: Vec<_> = entries(&parts).filter_map(|entry| entry.external_order_id.as_deref()).collect();
    assert!(orders.contains(&"7000000009"), "an order's number that came as 7000000009.0: {orders:?}");
}

#[test]
fn a_document_keeps_its_name_when_it_is_cleared_and_one_without_a_number_has_one_too() {
    let open = "Forward,,,2026-09-14,510,INV-1,FN1,699.00,";
    let cleared = "Forward,150,2026-09-14,2026-09-14,510,INV-1,FN1,699.00,";
    let read = |rows: &str| parts(written(&format!("{HEADER}\n{rows}\n")).path()).0;
    let (before, after) = (read(open), read(cleared));
    assert_eq!(before[0].external_part_id, after[0].external_part_id);
    assert!(before[0].payout.is_none() && after[0].payout.is_some());
    let unnumbered = read(
        "Return,150,2026-09-14,,,INV-1,FN1,-349.50,CN-1\nReturn,150,2026-09-14,,,INV-1,FN1,-349.50,CN-2",
    );
    assert_eq!(
        by_payout(&unnumbered)["150"],
        amount("-699"),
        "two credit notes of one order, and a negative payout"
    );
}

#[test]
fn a_journey_that_nobody_knows_is_kept_summed_and_shown() {
    let rows = "Penalty,150,2026-09-14,,511,,FN1,-50.25,";
    let (parts, _) = parts(written(&format!("{HEADER}\n{rows}\n")).path());
    let entry = entries(&parts).next().unwrap();
    assert_eq!((entry.marketplace_type.as_str(), entry.lines[0].line_type.as_str()), ("Penalty", "OTHER"));
    assert_eq!(by_payout(&parts)["150"], amount("-50.25"));
}
