//! Documents: read from their rows, shown to clients, and found in the bucket.

use chrono::{DateTime, Utc};
use robnu_storage::objects::{ContentType, DocumentParent, DocumentType, FileName, ObjectKey, Sha256};
use robnu_tenancy::{AccountId, ClaimId, Error, ObjectId, OrderId, ReturnId, Row, ShipmentId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::known_text::{DocumentState, DocumentTypeName};

/// A document of an order, a shipment, a return or a claim.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Document {
    #[schema(value_type = Uuid)]
    pub document_id: ObjectId,
    #[schema(value_type = Uuid)]
    account_id: AccountId,
    marketplace: String,
    document_type: DocumentTypeName,
    /// The order that it belongs to, directly or through its shipment, return or claim.
    #[schema(value_type = Option<Uuid>)]
    order_id: Option<OrderId>,
    #[schema(value_type = Option<Uuid>)]
    shipment_id: Option<ShipmentId>,
    /// The return that it belongs to, directly or through its claim.
    #[schema(value_type = Option<Uuid>)]
    return_id: Option<ReturnId>,
    /// The claim whose evidence it is.
    #[schema(value_type = Option<Uuid>)]
    claim_id: Option<ClaimId>,
    file_name: String,
    content_type: String,
    /// In bytes.
    pub size: i64,
    /// Of its bytes, in hexadecimal digits.
    sha256: String,
    pub state: DocumentState,
    /// Whether it holds a customer's data. Then a download needs the permission `pii.read` and is written to the audit trail.
    holds_customer: bool,
    /// The member who uploaded it; null: staff or a run did.
    created_by: Option<Uuid>,
    pub created_at: DateTime<Utc>,
    stored_at: Option<DateTime<Utc>>,
}

impl TryFrom<&Row> for Document {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        let document_type = DocumentTypeName::read(row, "document_type")?;
        let digest: &[u8] = row.try_get("checksum")?;
        Ok(Self {
            document_id: row.try_get("id")?,
            account_id: row.try_get("account_id")?,
            marketplace: row.try_get("marketplace_code")?,
            document_type,
            order_id: row.try_get("order_id")?,
            shipment_id: row.try_get("shipment_id")?,
            return_id: row.try_get("return_id")?,
            claim_id: row.try_get("claim_id")?,
            file_name: row.try_get("file_name")?,
            content_type: row.try_get("content_type")?,
            size: row.try_get("size")?,
            sha256: Sha256::from_bytes(digest).map_err(|_| Error::RowShape)?.to_string(),
            state: DocumentState::read(row, "state")?,
            holds_customer: type_of(document_type)?.holds_customer(),
            created_by: row.try_get("created_by")?,
            created_at: row.try_get("created_at")?,
            stored_at: row.try_get("stored_at")?,
        })
    }
}

impl Document {
    /// Its key, which the narrowest of what it belongs to is part of.
    pub fn key(&self) -> Result<ObjectKey, Error> {
        let parent =
            DocumentParent::narrowest(self.claim_id, self.return_id, self.shipment_id, self.order_id)
                .ok_or(Error::RowShape)?;
        let (account, object) = (self.account_id, self.document_id);
        Ok(ObjectKey::Document { account, parent, document_type: type_of(self.document_type)?, object })
    }

    /// Its content type.
    pub fn content(&self) -> Result<ContentType, Error> {
        ContentType::parse(&self.content_type).ok_or(Error::RowShape)
    }

    /// Its digest.
    pub fn digest(&self) -> Result<Sha256, Error> {
        self.sha256.parse().map_err(|_| Error::RowShape)
    }

    /// Its file name, cleaned again.
    pub fn name(&self) -> Result<FileName, Error> {
        Ok(FileName::clean(&self.file_name, self.content()?))
    }
}

fn type_of(name: DocumentTypeName) -> Result<DocumentType, Error> {
    DocumentType::parse(name.as_str()).ok_or(Error::RowShape)
}
