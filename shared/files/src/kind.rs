//! The kinds of reports that are known, one file per marketplace. A kind is its columns; whoever adds one adds a row here.

mod ajio;
mod amazon;
mod flipkart;
mod meesho;

use std::fmt;

/// The marketplace that a report is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Marketplace {
    /// AJIO.
    Ajio,
    /// Amazon India.
    AmazonIn,
    /// Flipkart.
    Flipkart,
    /// Meesho.
    Meesho,
}

impl Marketplace {
    /// The platform's code of the marketplace.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Ajio => "AJIO",
            Self::AmazonIn => "AMAZON_IN",
            Self::Flipkart => "FLIPKART",
            Self::Meesho => "MEESHO",
        }
    }
}

/// A kind of report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// AJIO's order report.
    AjioOrders,
    /// AJIO's RTV report: returns to the vendor.
    AjioReturns,
    /// AJIO's payment report.
    AjioPayments,
    /// Amazon's flat file of all orders.
    AmazonOrders,
    /// Amazon's returns of orders that the seller fulfils, by return date.
    AmazonReturns,
    /// Amazon's settlement report V2.
    AmazonSettlement,
    /// Amazon's unified payments of Seller Central.
    AmazonPayments,
    /// Amazon's tax report (MTR) of sales to customers.
    AmazonMtrB2c,
    /// Amazon's tax report (MTR) of sales to businesses.
    AmazonMtrB2b,
    /// Amazon's ledger of its warehouses' stock.
    AmazonFbaLedger,
    /// Flipkart's orders.
    FlipkartOrders,
    /// Flipkart's returns.
    FlipkartReturns,
    /// Flipkart's sales for GST.
    FlipkartSales,
    /// Flipkart's settled transactions.
    FlipkartSettled,
    /// Flipkart's settled transactions in a form that it no longer hands out.
    FlipkartSettledOld,
    /// Flipkart's ledger of its warehouses' stock.
    FlipkartFbfLedger,
    /// Meesho's orders.
    MeeshoOrders,
    /// Meesho's returns.
    MeeshoReturns,
    /// Meesho's payments of orders.
    MeeshoPayments,
    /// The costs of advertising in Meesho's payments.
    MeeshoAds,
    /// The rewards for referrals in Meesho's payments.
    MeeshoReferrals,
    /// The compensations and recoveries in Meesho's payments.
    MeeshoCompensations,
    /// Meesho's file for updating stock.
    MeeshoInventory,
    /// Meesho's sales for GST.
    MeeshoTcsSales,
    /// Meesho's returned sales for GST.
    MeeshoTcsReturns,
    /// Meesho's list of tax invoices.
    MeeshoTaxInvoices,
}

impl Kind {
    /// What is known about the kind.
    #[must_use]
    pub fn spec(self) -> &'static KindSpec {
        // A test below checks that every kind has its row.
        all().find(|spec| spec.kind == self).unwrap_or(&ajio::KINDS[0])
    }

    /// The kind's name, which is stored and logged.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.spec().code
    }

    /// The kind that has this name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        all().find(|spec| spec.code == code).map(|spec| spec.kind)
    }

    /// The marketplace that hands it out.
    #[must_use]
    pub fn marketplace(self) -> Marketplace {
        self.spec().marketplace
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.spec().title)
    }
}

/// What is known about a kind of report. Names of columns are compared as `header.rs` folds them.
#[derive(Debug)]
pub struct KindSpec {
    /// The kind.
    pub kind: Kind,
    /// Its name, which is stored and logged.
    pub code: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// The marketplace that hands it out.
    pub marketplace: Marketplace,
    /// Columns without which a table is not of this kind, as the marketplace writes them. A name that occurs twice in the header
    /// stands here once for each; the second is read with [`crate::Row::nth`].
    pub required: &'static [&'static str],
    /// Columns that are read when they are there.
    pub optional: &'static [&'static str],
    /// Other names of columns above: the other name and the name above.
    pub aliases: &'static [(&'static str, &'static str)],
    /// Columns of dates, from which the order of day and month is decided.
    pub dates: &'static [&'static str],
    /// Rows after the header that may hold formulas or names of a second level. They are skipped when their first required
    /// column is blank.
    pub subheadings: u64,
    /// Generations of the layout, the newest first: name, and the columns by which it is known. The first that has all its
    /// columns counts.
    pub generations: &'static [(&'static str, &'static [&'static str])],
}

/// A kind with nothing beyond its required columns, for the tables of kinds.
const PLAIN: KindSpec = KindSpec {
    kind: Kind::AjioOrders,
    code: "",
    title: "",
    marketplace: Marketplace::Ajio,
    required: &[],
    optional: &[],
    aliases: &[],
    dates: &[],
    subheadings: 0,
    generations: &[("only", &[])],
};

/// All kinds.
pub fn all() -> impl Iterator<Item = &'static KindSpec> {
    [ajio::KINDS, amazon::KINDS, flipkart::KINDS, meesho::KINDS].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::header::folded;

    #[test]
    fn every_kind_has_one_row_whose_columns_are_told_apart() {
        let (mut codes, mut kinds) = (HashSet::new(), HashSet::new());
        for spec in all() {
            assert!(codes.insert(spec.code) && kinds.insert(spec.kind), "{} is there twice", spec.code);
            assert_eq!(Kind::from_code(spec.code), Some(spec.kind));
            assert!(std::ptr::eq(spec.kind.spec(), spec));
            let columns: Vec<&str> = spec.required.iter().chain(spec.optional).copied().collect();
            assert!(spec.required.len() >= 3, "{}: too few columns to be sure", spec.code);
            for name in spec.dates.iter().chain(spec.aliases.iter().map(|(_, name)| name)) {
                assert!(columns.contains(name), "{}: {name} is not one of its columns", spec.code);
            }
            let optional: HashSet<String> = spec.optional.iter().map(|name| folded(name)).collect();
            assert_eq!(
                optional.len(),
                spec.optional.len(),
                "{}: an optional column is there twice",
                spec.code
            );
            assert!(spec.required.iter().all(|name| !optional.contains(&folded(name))), "{}", spec.code);
            assert!(spec.generations.last().is_some_and(|(_, markers)| markers.is_empty()), "{}", spec.code);
        }
    }
}
