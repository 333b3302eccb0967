//! Marketplace codes: the registry's key, as it is stored in `marketplaces.code`.

use std::fmt;
use std::str::FromStr;

/// The marketplaces of the table `marketplaces`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MarketplaceCode {
    /// AJIO dropship.
    Ajio,
    /// Amazon.in.
    AmazonIn,
    /// Flipkart.
    Flipkart,
    /// Meesho.
    Meesho,
}

/// Every code, in the order in which they are shown.
pub const MARKETPLACE_CODES: &[MarketplaceCode] =
    &[MarketplaceCode::Ajio, MarketplaceCode::AmazonIn, MarketplaceCode::Flipkart, MarketplaceCode::Meesho];

impl MarketplaceCode {
    /// The text in the database and in messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ajio => "AJIO",
            Self::AmazonIn => "AMAZON_IN",
            Self::Flipkart => "FLIPKART",
            Self::Meesho => "MEESHO",
        }
    }
}

impl fmt::Display for MarketplaceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No adapter has this code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown marketplace code")]
pub struct UnknownMarketplace;

impl FromStr for MarketplaceCode {
    type Err = UnknownMarketplace;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        MARKETPLACE_CODES.iter().copied().find(|code| code.as_str() == text).ok_or(UnknownMarketplace)
    }
}
