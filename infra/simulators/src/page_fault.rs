//! Faults that a marketplace must apply itself, because they change what is on a page.

use serde::{Deserialize, Serialize};

/// How one record of a page is malformed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "malformation", rename_all = "snake_case")]
pub enum Malformation {
    /// A field of the order is missing: the given one, otherwise the creation time.
    MissingField {
        /// Name of the field on the wire.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        field: Option<String>,
    },
    /// The amounts of the order and its first line are not numbers.
    BadAmount,
    /// The amounts of the order and its first line have five decimals.
    FiveDecimals,
    /// Fields of Amazon's customer are null, a list and an object. The other marketplaces serve no customers.
    OddCustomer,
    /// Amazon withholds the customer, which is no fault of the record.
    WithheldCustomer,
}

/// What a marketplace must do differently while it builds a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PageFault {
    None,
    Empty,
    Short,
    Repeat,
    Malformed(Malformation, usize),
    DenyConsent,
    FatalReport,
}

impl PageFault {
    /// Applies the fault to a page's records; `malform` spoils one of them. What else an empty or a repeated page means, such as the
    /// link to what it withholds, is the marketplace's own.
    pub(crate) fn apply<T>(&self, records: &mut Vec<T>, malform: impl FnOnce(&mut T, &Malformation)) {
        match self {
            Self::None | Self::Repeat | Self::DenyConsent | Self::FatalReport => {}
            Self::Empty => records.clear(),
            Self::Short => records.truncate(records.len() / 2),
            Self::Malformed(malformation, record) => {
                let at = (*record).min(records.len().saturating_sub(1));
                if let Some(record) = records.get_mut(at) {
                    malform(record, malformation);
                }
            }
        }
    }
}
