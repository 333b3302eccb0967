//! Texts with a fixed list of values: the same in the database, for clients and in the document.

/// Declares such texts. A row that holds another value is an error, so that no response breaks its schema.
macro_rules! known_texts {
    ($($(#[$doc:meta])* $name:ident { $($value:ident),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(&'static str);

        impl $name {
            $(
                #[doc = stringify!($value)]
                #[allow(dead_code, non_upper_case_globals, reason = "some are only passed on; named as they are spelled")]
                pub const $value: Self = Self(stringify!($value));
            )+
            /// All of them.
            pub const VALUES: &'static [&'static str] = &[$(stringify!($value)),+];

            /// The one that `text` is.
            #[allow(dead_code, reason = "some are only read, some only parsed")]
            pub fn parse(text: &str) -> Option<Self> {
                Self::VALUES.iter().copied().find(|value| *value == text).map(Self)
            }

            /// The one in a row's column.
            #[allow(dead_code, reason = "some are only read, some only parsed")]
            pub fn read(row: &robnu_tenancy::Row, column: &str) -> Result<Self, robnu_tenancy::Error> {
                Self::read_optional(row, column)?.ok_or(robnu_tenancy::Error::RowShape)
            }

            /// The one in a row's column, which may be null.
            #[allow(dead_code, reason = "some are only read, some only parsed")]
            pub fn read_optional(row: &robnu_tenancy::Row, column: &str) -> Result<Option<Self>, robnu_tenancy::Error> {
                let text: Option<&str> = row.try_get(column)?;
                text.map(|text| Self::parse(text).ok_or(robnu_tenancy::Error::RowShape)).transpose()
            }

            /// The text.
            #[allow(dead_code, reason = "some are only read, some only parsed")]
            pub fn as_str(self) -> &'static str {
                self.0
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                // The value itself is left out of the message: it may be anything.
                let expected = concat!("one of"$(, " ", stringify!($value))+);
                Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format_args!("unknown, expected {expected}")))
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                use utoipa::openapi::schema::{ObjectBuilder, Type};
                ObjectBuilder::new().schema_type(Type::String).enum_values(Some(Self::VALUES.iter().copied())).into()
            }
        }

        impl utoipa::ToSchema for $name {}
    )+};
}

known_texts! {
    /// The role of a member.
    Role { OWNER, ADMIN, OPERATOR, FINANCE, VIEWER }
    /// The status of an invitation.
    InvitationState { OPEN, EXPIRED, ACCEPTED, REVOKED }
    /// The role whose rights staff have when they act for a seller.
    ImpersonationRole { ADMIN, VIEWER }
    /// Whether accounts can be connected to a marketplace.
    MarketplaceStatus { ACTIVE, PLANNED, SUSPENDED }
    /// The status of an account.
    AccountStatus { ACTIVE, NEEDS_RECONNECT, PAUSED, DISCONNECTED }
    /// Who confirmed the account's id at the marketplace.
    AccountIdSource { MARKETPLACE, BROWSER, SELLER }
    /// The state of an account's lane.
    LaneState { REQUESTED, ACTIVE, PAUSED, RETIRED }
    /// The kind of an event of an account's credentials.
    CredentialEventName { CONNECTED, VALIDATED, REFUSED, UNREACHABLE, ROTATED, FORGOTTEN }
    /// The marketplace's last response to an account's credentials.
    Validation { OK, REFUSED, UNREACHABLE }
    /// Whether a kind of run works automatically, works with files that the seller uploads, is not supported yet, or is
    /// impossible because of the marketplace.
    SupportName { LIVE, BY_FILE, NOT_YET, UNSUPPORTED }
    /// What made a run: a schedule, a request, or a file that was uploaded.
    RunTrigger { SCHEDULE, API, FILE }
    /// The status of a run. `DEAD_LETTERED`: its message could not be handled; the platform's operators queue the run again.
    RunState { QUEUED, RUNNING, WAITING, SUCCEEDED, FAILED, CANCELLED, DEAD_LETTERED }
    /// Whether the file of an import is awaited, or the state of the run that reads it.
    ImportState { AWAITING_FILE, QUEUED, RUNNING, WAITING, SUCCEEDED, FAILED, CANCELLED, DEAD_LETTERED }
    /// Whether a file writes the day or the month of a date first.
    DateOrderName { DAY_FIRST, MONTH_FIRST }
    /// What the records of a file are.
    ImportedStream { ORDERS, RETURNS, PAYOUTS }
    /// What became of a record in a corrected file: only this file has it, both have it with other values, or only the earlier file.
    ChangeName { ADDED, CHANGED, MISSING }
    /// Who ships an order to the customer.
    FulfilledBy { SELLER, MARKETPLACE }
    /// The price from which a line's amount is computed.
    AmountBasisName { CUSTOMER, PURCHASE }
    /// The outcome of a run that succeeded: it found new rows, changed rows, only records that were set aside, or nothing.
    RunOutcome { new, changed, quarantined, unchanged }
    /// The status of an order, in the same words for every marketplace.
    OrderStatusName {
        PENDING, CONFIRMED, PACKED, READY_TO_DISPATCH, PARTIALLY_SHIPPED, SHIPPED, DELIVERED, UNDELIVERED,
        CANCELLED,
    }
    /// The sort order of orders.
    OrderSort { newest, oldest, dispatch_by }
    /// The sort order of a list that is sorted by time.
    TimeSort { newest, oldest }
    /// Who did something: a member, staff acting for the seller, a run, a person who is not a member yet, or the platform.
    ActorKind { MEMBER, STAFF, JOB, PERSON, SYSTEM }
    /// Whether a customer sent a return back or it never reached them.
    ReturnType { CUSTOMER, RTO }
    /// The kind of document by which a marketplace that buys from the seller settles a return. RSI: return sales invoice.
    ReturnDocumentKind { CREDIT_NOTE, RSI, DEBIT_NOTE }
    /// The status of a return on its way back.
    ReturnStatus { INITIATED, PICKED_UP, IN_TRANSIT, DELIVERED, CANCELLED }
    /// The seller's own status of a return: not here yet, scanned as received, or not here in time.
    ReceiptStatus { EXPECTED, RECEIVED, CLAIM_PENDING }
    /// The kind of a return's event.
    ReturnEventName {
        CREATED, STATUS_CHANGED, RECEIVED, SCANNED_AGAIN, CONDITION_CHANGED, CLAIM_PENDING, CLAIM_DUE_SOON,
    }
    /// The condition in which a parcel arrived. MISSING: something is missing in it.
    ParcelCondition { GOOD, BAD, MISSING }
    /// The sort order of returns.
    ReturnSort { newest, oldest, file_by }
    /// The result of a scan.
    ScanOutcome { RECEIVED, SCANNED_AGAIN, CONDITION_CHANGED, WAITING_FOR_RETURN }
    /// The result that a scan would have.
    ScanPrediction { RECEIVES, SCANNED_BEFORE, CANCELLED, AMBIGUOUS, WAITS_FOR_RETURN }
    /// The status of a claim.
    ClaimStatus { PENDING, FILED, ACKNOWLEDGED, RESOLVED_WON, RESOLVED_LOST, CANCELLED, REOPENED_WITH_EVIDENCE }
    /// The reason for a claim: a return that did not arrive, or a fault in a return that did.
    ClaimReason { NOT_RECEIVED, WRONG_ITEM, DAMAGED, USED, MISSING_QUANTITY, OTHER }
    /// What a document belongs to.
    DocumentParentName { ORDER, SHIPMENT, RETURN, CLAIM }
    /// What a document is. `PROOF_PHOTO` and `PROOF_VIDEO` show a parcel or an article.
    DocumentTypeName { INVOICE, LABEL, PACKING_SLIP, PROOF_PHOTO, PROOF_VIDEO, COURIER_SLIP, OTHER }
    /// Whether the bytes of a document are in the bucket.
    DocumentState { AWAITED, STORED }
    /// Who set a number of days: the seller, the marketplace, or this platform where the marketplace publishes none. UNKNOWN:
    /// nobody.
    TermsSource { SELLER, MARKETPLACE, PLATFORM, UNKNOWN }
    /// How far a payout is reconciled with the orders.
    PayoutStatus { PENDING, RECONCILED, DISPUTED }
    /// The type of a payout's line.
    PayoutLineType {
        SALE, SALE_TAX, REFUND, REFUND_TAX, SHIPPING_CREDIT, PROMOTION, COMMISSION, FIXED_FEE, COLLECTION_FEE, FULFILMENT_FEE,
        SHIPPING_FEE, REVERSE_SHIPPING_FEE, WEIGHT_ADJUSTMENT, STORAGE_FEE, RETURN_FEE, PENALTY, ADS, SERVICE_FEE, OTHER_FEE, FEE_REBATE,
        FEE_TAX, TCS, TDS, PROTECTION_FUND, CLAIM, COMPENSATION, RECOVERY, REFERRAL, RESERVE, TRANSFER, OTHER
    }
    /// What a payout's entries were read from. Where several sources state one payout, the one that says most counts.
    PayoutSourceName {
        AJIO_PAYMENTS, AMAZON_PAYMENTS, AMAZON_TRANSACTIONS, AMAZON_SETTLEMENT, FLIPKART_SETTLED, MEESHO_PAYMENTS
    }
    /// What a later run did to an entry of a payout.
    PayoutChangeName { ADDED, CHANGED, REMOVED }
    /// The sort order of payouts.
    PayoutSort { newest, oldest, largest, smallest }
    /// Whether customers can buy an article.
    ListingStatus { ACTIVE, INACTIVE, BLOCKED }
    /// The sort order of stock.
    InventorySort { newest, lowest }
    /// A list that can be exported.
    ExportListName {
        orders, shipments, returns, claims, payouts, listings, inventory, runs, quarantine, audit, accounts, members, documents, imports,
        everything
    }
    /// The state of an export.
    ExportState { QUEUED, RUNNING, SUCCEEDED, FAILED, CANCELLED }
    /// Why an export failed.
    ExportErrorCode { not_a_member, not_permitted, seller_suspended, list_changed, failing, too_large }
    /// The kind of a search result.
    HitKind { ORDER, SHIPMENT, RETURN, QUARANTINED }
    /// The kind of number by which a search found a result.
    HitField { external_order_id, tracking_number, external_shipment_id, external_return_id, external_id }
}
