//! Flipkart's settled transactions.

use super::kit::{amount, by_payout, by_type, entries, parts, sample, unbalanced, written};

const HEADER: &str = "NEFT ID,Neft Type, Payment Date,Bank Settlement Value (Rs.),Order ID,Order item ID,Sale Amount (Rs.),Marketplace Fee (Rs.),Commission (Rs.),Taxes (Rs.),TCS (Rs.),TDS (Rs.),Protection Fund (Rs.),Seller SKU,Quantity,Loyalty Levy (Rs.),Buyer Name,PIN Code";

#[test]
fn rows_of_three_decimals_add_up_and_an_item_over_three_transfers_stays_in_each() {
    let (parts, reasons) = parts(&sample("flipkart_settled.csv"));
    assert_eq!(reasons, [""; 0]);
    assert_eq!((parts.len(), entries(&parts).count()), (7, 7));
    assert_eq!(unbalanced(&parts), []);
    let expected = [("NEFT/OURS/AB", "2996.093"), ("NEFT/OURS/AC", "-1526.896"), ("NEFT/OURS/AD", "640")];
    let sums: Vec<_> = by_payout(&parts).into_iter().collect();
    assert_eq!(sums, expected.map(|(id, sum)| (id, amount(sum))));
    let types = by_type(&parts);
    assert_eq!((types["TDS"], types["TCS"]), (amount("-1.946"), amount("-9.733")));
    assert_eq!((types["PENALTY"], types["PROTECTION_FUND"]), (amount("-20"), amount("640")));
    assert!(parts.iter().all(|part| part.notes.is_empty()), "every subtotal is that of its components");
    let skus: Vec<_> = entries(&parts).filter_map(|entry| entry.sku.as_deref()).collect();
    assert!(skus.contains(&"SHOE \"RED\", 7") && skus.contains(&"00123"), "{skus:?}");
    assert!(entries(&parts).all(|entry| entry.other.is_empty()), "every column of the report is known");
}

#[test]
fn a_row_off_by_a_thousandth_is_flagged_and_what_nobody_knows_is_kept() {
    let rows = [
        "N1 ,Prepaid,2026-07-10,89.001,OD1,'11,100,-10,-10,-1,-0.9,-0.1,0,SKU:A,1,",
        "N1,Prepaid,2026-07-10,84,OD2,12,100,-10,-10,-1,-0.9,-0.1,0,A,1,-5,Asha,302001",
        "N1,Prepaid,2026-07-10,89,OD3,13,100,-11,-10,-1,-0.9,-0.1,0,A,1,",
    ];
    let (parts, reasons) = parts(written(&format!("{HEADER}\n{}\n", rows.join("\n"))).path());
    assert_eq!(reasons, [""; 0]);
    let differences = [("row 2".to_owned(), amount("0.001")), ("row 3".to_owned(), amount("-5"))];
    assert_eq!(unbalanced(&parts), differences);
    let other: Vec<_> = entries(&parts).flat_map(|entry| &entry.other).collect();
    assert_eq!(other, [(&"Loyalty Levy (Rs.)".to_owned(), &"-5".to_owned())], "but nothing of a customer");
    let notes: Vec<_> = parts.iter().flat_map(|part| &part.notes).collect();
    assert_eq!(notes, ["row 4, column Marketplace Fee (Rs.) is not the sum of its components, which count"]);
    let first = entries(&parts).next().unwrap();
    assert_eq!((first.external_item_id.as_deref(), first.sku.as_deref()), (Some("11"), Some("A")));
    assert_eq!(parts[0].payout.as_ref().unwrap().external_payout_id, "N1", "the blank at its end is gone");
}

#[test]
fn two_equal_rows_are_two_entries_and_a_row_that_cannot_be_read_is_set_aside_alone() {
    let row = "N1,Prepaid,2026-07-10,89,OD1,11,100,-10,-10,-1,-0.9,-0.1,0,A,1,";
    let rows = [
        row,
        row,
        "N1,Prepaid,2026-07-10,\"12,50\",OD2,12,100,-10,-10,-1,-0.9,-0.1,0,A,1,",
        "N1,Prepaid,2026-07-10,89,OD3,4.38462E+17,100,-10,-10,-1,-0.9,-0.1,0,A,1,",
        ",Prepaid,2026-07-10,89,OD4,14,100,-10,-10,-1,-0.9,-0.1,0,A,1,",
    ];
    let (parts, mut reasons) = parts(written(&format!("{HEADER}\n{}\n", rows.join("\n"))).path());
    reasons.sort();
    assert_eq!((parts.len(), entries(&parts).count()), (1, 2));
    assert_eq!(by_payout(&parts)["N1"], amount("178"));
    assert_eq!(reasons.len(), 3, "{reasons:?}");
    assert!(reasons[0].starts_with("row 4, column Bank Settlement Value (Rs.) "), "{reasons:?}");
    assert!(reasons[1].starts_with("row 5, column Order item ID "), "{reasons:?}");
    assert_eq!(reasons[2], "row 6, column NEFT ID is blank");
}
