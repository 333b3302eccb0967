//! Reads a file of payments and sums it up.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use robnu_marketplace::files::ImportFile;
use robnu_marketplace::record::{PayoutEntry, PayoutPart, Records};
use rust_decimal::Decimal;
use tempfile::NamedTempFile;

/// A file of the test data.
pub fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../files/tests/data").join(name)
}

/// A file with this text.
pub fn written(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

/// All parts of a file, and why others were set aside.
pub fn parts(path: &Path) -> (Vec<PayoutPart>, Vec<String>) {
    let file = ImportFile::open(path, None).unwrap();
    let (mut parts, mut reasons, mut at) = (Vec::new(), Vec::new(), Some(0));
    while let Some(start) = at {
        let page = file.page(start).unwrap();
        at = page.next;
        reasons.extend(page.quarantined.into_iter().map(|record| record.reason));
        let Records::Payouts(more) = page.records else { panic!("a page of something else") };
        parts.extend(more);
    }
    (parts, reasons)
}

/// An amount, written as it is read.
pub fn amount(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// The entries of all parts.
pub fn entries(parts: &[PayoutPart]) -> impl Iterator<Item = &PayoutEntry> {
    parts.iter().flat_map(|part| &part.entries)
}

/// The sum of each payout's lines, by its id; what is not paid yet has none.
pub fn by_payout(parts: &[PayoutPart]) -> BTreeMap<&str, Decimal> {
    let mut sums = BTreeMap::new();
    for part in parts {
        let id = part.payout.as_ref().map_or("", |payout| payout.external_payout_id.as_str());
        *sums.entry(id).or_insert(Decimal::ZERO) +=
            part.entries.iter().map(PayoutEntry::amount).sum::<Decimal>();
    }
    sums
}

/// The sum of each type of line.
pub fn by_type(parts: &[PayoutPart]) -> BTreeMap<&'static str, Decimal> {
    let mut sums = BTreeMap::new();
    for line in entries(parts).flat_map(|entry| &entry.lines) {
        *sums.entry(line.line_type.as_str()).or_insert(Decimal::ZERO) += line.amount;
    }
    sums
}

/// Entries whose lines do not add up to what the source states, with the difference.
pub fn unbalanced(parts: &[PayoutPart]) -> Vec<(String, Decimal)> {
    let differs = |entry: &PayoutEntry| {
        let difference = entry.stated_amount? - entry.amount();
        (!difference.is_zero()).then(|| (entry.place.clone().unwrap_or_default(), difference))
    };
    entries(parts).filter_map(differs).collect()
}
