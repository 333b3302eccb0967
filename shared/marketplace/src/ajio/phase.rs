//! AJIO's two lists of orders, which a run reads one after the other.

use serde::{Deserialize, Serialize};

/// One of AJIO's two lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Orders not yet acknowledged.
    Pendency,
    /// All other orders.
    Orders,
}

impl Phase {
    /// The list's path below the base URL.
    pub fn path(self) -> &'static [&'static str] {
        match self {
            Self::Pendency => &["orders", "pendency"],
            Self::Orders => &["orders"],
        }
    }
}
