//! Meesho's payments.

use robnu_marketplace::record::PayoutSource;

use super::kit::{amount, by_payout, by_type, entries, parts, sample, unbalanced};

/// The figures are those of a real month; ids and articles are ours.
#[test]
fn a_month_settles_to_the_paisa() {
    let (parts, reasons) = parts(&sample("meesho_payments.csv"));
    assert_eq!(reasons, [""; 0]);
    assert_eq!((parts.len(), entries(&parts).count()), (41, 41));
    assert_eq!(unbalanced(&parts), []);
    let sums = by_payout(&parts);
    let expected = [
        ("BANKREF00000001", "2901.21"),
        ("BANKREF00000002", "1921.63"),
        ("BANKREF00000003", "1931.46"),
        ("BANKREF00000004", "5168.09"),
        ("BANKREF00000005", "1939.85"),
    ];
    assert_eq!(sums.into_iter().collect::<Vec<_>>(), expected.map(|(id, sum)| (id, amount(sum))));
    let types = by_type(&parts);
    assert_eq!((types["TCS"], types["TDS"]), (amount("-79.00"), amount("-15.76")));
    assert_eq!(types.values().sum::<rust_decimal::Decimal>(), amount("13862.24"));
    assert!(parts.iter().all(|part| part.source == PayoutSource::MeeshoPayments));
}
