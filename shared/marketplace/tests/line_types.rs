//! The reconciliation names lines of payouts as payouts do.

use robnu_marketplace::record::PAYOUT_LINE_TYPES;
use robnu_reconciliation::line_type::LINE_TYPES;

#[test]
fn the_reconciliation_knows_every_type_of_line_and_no_other() {
    let ours: Vec<&str> = LINE_TYPES.iter().map(|one| one.as_str()).collect();
    let theirs: Vec<&str> = PAYOUT_LINE_TYPES.iter().map(|one| one.as_str()).collect();
    assert_eq!(ours, theirs);
}
