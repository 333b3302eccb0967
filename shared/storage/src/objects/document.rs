//! Documents: what they belong to, their types, and what each type accepts.

use robnu_tenancy::{ClaimId, OrderId, ReturnId, ShipmentId};
use uuid::Uuid;

use super::content::ContentType;

/// What a document belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentParent {
    /// An order.
    Order(OrderId),
    /// A shipment.
    Shipment(ShipmentId),
    /// A claim, as its evidence.
    Claim(ClaimId),
    /// A return.
    Return(ReturnId),
}

impl DocumentParent {
    /// The narrowest of what a document belongs to: its claim, else its return, its shipment or its order.
    #[must_use]
    pub fn narrowest(
        claim: Option<ClaimId>,
        of_return: Option<ReturnId>,
        shipment: Option<ShipmentId>,
        order: Option<OrderId>,
    ) -> Option<Self> {
        claim
            .map(Self::Claim)
            .or_else(|| of_return.map(Self::Return))
            .or_else(|| shipment.map(Self::Shipment))
            .or_else(|| order.map(Self::Order))
    }

    /// The id of what it belongs to.
    #[must_use]
    pub fn as_uuid(&self) -> &Uuid {
        match self {
            Self::Order(id) => id.as_uuid(),
            Self::Shipment(id) => id.as_uuid(),
            Self::Claim(id) => id.as_uuid(),
            Self::Return(id) => id.as_uuid(),
        }
    }

    pub(super) fn folder(&self) -> &'static str {
        match self {
            Self::Order(_) => "orders",
            Self::Shipment(_) => "shipments",
            Self::Claim(_) => "claims",
            Self::Return(_) => "returns",
        }
    }
}

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentType {
    /// An invoice; it names the customer.
    Invoice,
    /// A shipping label; it names the customer.
    Label,
    /// A packing slip.
    PackingSlip,
    /// A photo of a parcel or of an article.
    ProofPhoto,
    /// A film of a parcel being packed or opened.
    ProofVideo,
    /// The courier's receipt.
    CourierSlip,
    /// Something else.
    Other,
}

const MIB: u64 = 1024 * 1024;

impl DocumentType {
    /// Every type.
    pub const ALL: [Self; 7] = [
        Self::Invoice,
        Self::Label,
        Self::PackingSlip,
        Self::ProofPhoto,
        Self::ProofVideo,
        Self::CourierSlip,
        Self::Other,
    ];

    /// The text in the database and for clients.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invoice => "INVOICE",
            Self::Label => "LABEL",
            Self::PackingSlip => "PACKING_SLIP",
            Self::ProofPhoto => "PROOF_PHOTO",
            Self::ProofVideo => "PROOF_VIDEO",
            Self::CourierSlip => "COURIER_SLIP",
            Self::Other => "OTHER",
        }
    }

    /// The type that a text names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }

    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::Label => "label",
            Self::PackingSlip => "packing-slip",
            Self::ProofPhoto => "proof-photo",
            Self::ProofVideo => "proof-video",
            Self::CourierSlip => "courier-slip",
            Self::Other => "other",
        }
    }

    /// The content types that it may have. None of them is run or rendered with scripts by a browser.
    #[must_use]
    pub fn content_types(self) -> &'static [ContentType] {
        use ContentType::{Heic, Jpeg, Mp4, Pdf, Png, QuickTime, Webp};
        match self {
            Self::Invoice | Self::Label | Self::PackingSlip | Self::CourierSlip => &[Pdf, Jpeg, Png],
            Self::ProofPhoto => &[Jpeg, Png, Webp, Heic],
            Self::ProofVideo => &[Mp4, QuickTime],
            Self::Other => &[Pdf, Jpeg, Png, Webp, Heic],
        }
    }

    /// How many bytes it may have.
    #[must_use]
    pub fn max_size(self) -> u64 {
        match self {
            Self::Invoice | Self::Label | Self::PackingSlip | Self::CourierSlip | Self::Other => 10 * MIB,
            Self::ProofPhoto => 20 * MIB,
            Self::ProofVideo => 500 * MIB,
        }
    }

    /// Whether it holds a customer's data, so that it is downloaded only with `pii.read` and each download is recorded.
    #[must_use]
    pub fn holds_customer(self) -> bool {
        matches!(self, Self::Invoice | Self::Label)
    }
}
