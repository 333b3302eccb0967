//! Flipkart's returns: what customers send back, and what couriers bring back because nobody took it (RTO).
//!
//! Flipkart lists each source by itself and item by item, each item with the time of its own last change, while a return is stored as a
//! whole. So the returns of a page are asked for again with all their items, as orders are.

mod assemble;
mod mapping;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::record::ReturnRecord;
use crate::records::MappedRecords;

use super::assemble::map_whole;
use super::page::ListPage;
use super::paging::Passes;

pub use assemble::return_ids;
pub use mapping::returned;

/// Who brings the goods back: the pass of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The customer sends them back.
    CustomerReturn,
    /// The courier brings back what never reached the customer.
    CourierReturn,
}

impl Source {
    /// Flipkart's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CustomerReturn => "customer_return",
            Self::CourierReturn => "courier_return",
        }
    }
}

impl Passes for Source {
    const FIRST: Self = Self::CustomerReturn;

    fn next(self) -> Option<Self> {
        match self {
            Self::CustomerReturn => Some(Self::CourierReturn),
            Self::CourierReturn => None,
        }
    }

    /// Long spans are known to fail for shipments. Returns are fewer.
    fn window(self) -> Option<TimeDelta> {
        Some(TimeDelta::days(7))
    }
}

/// The returns of a page, each with all its items.
pub fn of_page(source: Source, page: &ListPage, whole: &[ListPage]) -> MappedRecords<ReturnRecord> {
    map_whole(assemble::returns(source, page, whole), assemble::return_id, returned)
}
