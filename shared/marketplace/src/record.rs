//! Normalised records, one file per stream, and the records that could not be normalised.
//!
//! In a record, `None` means that this source does not say; the stored value then stays.

mod customer;
mod fields;
mod order;
mod payout;
mod returns;

use chrono::{DateTime, Utc};

use crate::records::RecordProblem;

pub use customer::{Customer, CustomerText};
pub use fields::Fields;
pub use order::{AmountBasis, NUMBERED_HERE, OrderItemRecord, OrderRecord, OrderStatus, ShipmentRecord};
pub(crate) use order::{UNKNOWN_STATUS, UNKNOWN_STATUS_NOTE};
pub use payout::{
    PAYOUT_LINE_TYPES, PAYOUT_SOURCES, PayoutEntry, PayoutHead, PayoutLine, PayoutLineType, PayoutPart,
    PayoutSource,
};
pub(crate) use returns::UNKNOWN_RETURN_STATUS_NOTE;
pub use returns::{
    ReturnDocument, ReturnDocumentKind, ReturnItemRecord, ReturnRecord, ReturnStatus, ReturnType,
};

/// The records of a page: those of one stream.
#[derive(Debug, Clone, PartialEq)]
pub enum Records {
    /// Orders with their lines and shipments.
    Orders(Vec<OrderRecord>),
    /// Returns with their lines.
    Returns(Vec<ReturnRecord>),
    /// Parts of payouts with their entries and lines.
    Payouts(Vec<PayoutPart>),
}

/// What the records of all streams have in common.
pub trait StreamRecord: Sized {
    /// The marketplace's id of the record, unique within the account and the stream.
    fn external_id(&self) -> &str;

    /// When the marketplace last changed it, if it says so.
    fn updated_at(&self) -> Option<DateTime<Utc>>;

    /// Its fields as texts, without its customer's data.
    fn fields(&self) -> Fields;

    /// Adds notes about values that do not agree with each other.
    ///
    /// # Errors
    /// Fails when the record as a whole cannot be stored.
    fn check(&mut self) -> Result<(), RecordProblem> {
        Ok(())
    }

    /// The records as a page's records.
    fn of_page(records: Vec<Self>) -> Records;
}

impl StreamRecord for OrderRecord {
    fn external_id(&self) -> &str {
        &self.external_order_id
    }

    fn updated_at(&self) -> Option<DateTime<Utc>> {
        self.marketplace_updated_at
    }

    fn fields(&self) -> Fields {
        fields::of_order(self)
    }

    fn check(&mut self) -> Result<(), RecordProblem> {
        self.note_unequal_total();
        Ok(())
    }

    fn of_page(records: Vec<Self>) -> Records {
        Records::Orders(records)
    }
}

impl StreamRecord for ReturnRecord {
    fn external_id(&self) -> &str {
        &self.external_return_id
    }

    fn updated_at(&self) -> Option<DateTime<Utc>> {
        self.marketplace_updated_at
    }

    fn fields(&self) -> Fields {
        fields::of_return(self)
    }

    fn of_page(records: Vec<Self>) -> Records {
        Records::Returns(records)
    }
}

impl StreamRecord for PayoutPart {
    fn external_id(&self) -> &str {
        &self.external_part_id
    }

    fn updated_at(&self) -> Option<DateTime<Utc>> {
        None
    }

    fn fields(&self) -> Fields {
        fields::of_payout_part(self)
    }

    fn check(&mut self) -> Result<(), RecordProblem> {
        self.check_names_and_sums()
    }

    fn of_page(records: Vec<Self>) -> Records {
        Records::Payouts(records)
    }
}

/// What became of records that had been set aside and were mapped again.
#[derive(Debug)]
pub struct MappedAgain {
    /// Those that can be mapped now.
    pub records: Records,
    /// For each that was given, in order: why it cannot be mapped still, or `None`.
    pub problems: Vec<Option<String>>,
}

impl MappedAgain {
    /// None of so many records can be mapped, all for one reason.
    #[must_use]
    pub fn none(records: usize, problem: &str) -> Self {
        Self { records: Records::Orders(Vec::new()), problems: vec![Some(problem.to_owned()); records] }
    }

    /// How many can be mapped now.
    #[must_use]
    pub fn stored(&self) -> usize {
        self.problems.iter().filter(|problem| problem.is_none()).count()
    }
}

/// A record that could not be mapped, kept whole (the engine encrypts it) so that nothing is lost.
#[derive(Clone)]
pub struct QuarantinedRecord {
    /// The marketplace's id of the record, if at least that could be read.
    pub external_id: Option<String>,
    /// Why it could not be mapped. It names the field and never holds the field's value.
    pub reason: String,
    /// The record as it came.
    pub raw: String,
}

impl std::fmt::Debug for QuarantinedRecord {
    /// The raw record may hold a customer's data, so it stays out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QuarantinedRecord")
            .field("external_id", &self.external_id)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}
