//! AJIO's lists. A run for orders reads two, one after the other; a run for returns reads one.

use serde::{Deserialize, Serialize};

/// One of AJIO's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Orders not yet acknowledged.
    Pendency,
    /// All other orders.
    Orders,
    /// Returns of both types.
    Returns,
}

impl Phase {
    /// The list's path below the base URL.
    pub fn path(self) -> &'static [&'static str] {
        match self {
            Self::Pendency => &["orders", "pendency"],
            Self::Orders => &["orders"],
            Self::Returns => &["returns"],
        }
    }

    /// The list that the same run reads after this one.
    pub fn next(self) -> Option<Self> {
        match self {
            Self::Pendency => Some(Self::Orders),
            Self::Orders | Self::Returns => None,
        }
    }

    /// How errors name a page of the list.
    pub fn page(self) -> &'static str {
        match self {
            Self::Pendency | Self::Orders => "page of orders",
            Self::Returns => "page of returns",
        }
    }

    /// How errors name the call for a page.
    pub fn call(self) -> &'static str {
        match self {
            Self::Pendency | Self::Orders => "read orders",
            Self::Returns => "read returns",
        }
    }
}
