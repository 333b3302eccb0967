//! Everything that is compared with: rate cards, statutory rates and terms. All of it is data; no rate stands in the code.

use rust_decimal::Decimal;

use crate::card::RateCard;
use crate::statutory::StatutoryRate;

/// What an account is compared with.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// What the marketplaces charge.
    pub card: RateCard,
    /// What the law deducts.
    pub statutory: Vec<StatutoryRate>,
    /// When the marketplaces pay; at most one row per marketplace.
    pub terms: Vec<Terms>,
}

/// From when a marketplace counts the days until it pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettlementStart {
    /// Delivery.
    Delivery,
    /// Dispatch.
    Dispatch,
}

/// A marketplace's terms of payment.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The marketplace's code.
    pub marketplace: String,
    /// From when it counts.
    pub settles_from: SettlementStart,
    /// Days until an order is paid.
    pub settles_after_days: u32,
    /// Days after which an approved claim is credited.
    pub credits_claims_after_days: u32,
    /// Days within which a wrong amount can be objected to, from its booking; `None`: unknown.
    pub disputes_within_days: Option<u32>,
    /// Whether a sale in a payout includes what the customer paid for shipping, which the order's price does not. Then a sale above the
    /// price is taken as it is stated.
    pub sale_includes_shipping: bool,
    /// What a component may differ by, for each line of it, such as a paisa: marketplaces round at other places than a card says.
    pub tolerance: Decimal,
}

impl Rules {
    /// The terms of a marketplace.
    #[must_use]
    pub fn terms_of(&self, marketplace: &str) -> Option<&Terms> {
        self.terms.iter().find(|terms| terms.marketplace == marketplace)
    }

    /// What a component of a marketplace may differ by, for each line: nothing where there are no terms.
    #[must_use]
    pub fn tolerance(&self, marketplace: &str) -> Decimal {
        self.terms_of(marketplace).map_or(Decimal::ZERO, |terms| terms.tolerance)
    }
}
