//! Texts of which all values are known: as the database stores them, as clients see them and as the document lists them.

/// Declares such texts. A row that holds another value is refused, so that no answer breaks its schema.
macro_rules! known_texts {
    ($($(#[$doc:meta])* $name:ident { $($value:ident),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(&'static str);

        impl $name {
            $(
                #[doc = stringify!($value)]
                #[allow(dead_code, non_upper_case_globals, reason = "some are only passed on; named as they are written")]
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
    /// What a member may do.
    Role { OWNER, ADMIN, OPERATOR, FINANCE, VIEWER }
    /// How an invitation stands.
    InvitationState { OPEN, EXPIRED, ACCEPTED, REVOKED }
    /// With whose rights staff act for a seller.
    ImpersonationRole { ADMIN, VIEWER }
    /// Whether accounts can be connected to a marketplace.
    MarketplaceStatus { ACTIVE, PLANNED, SUSPENDED }
    /// How an account stands.
    AccountStatus { ACTIVE, NEEDS_RECONNECT, PAUSED, DISCONNECTED }
    /// Who says which account of the marketplace it is.
    AccountIdSource { MARKETPLACE, BROWSER, SELLER }
    /// How far an account's lane is.
    LaneState { REQUESTED, ACTIVE, PAUSED, RETIRED }
    /// What happened to an account's credentials.
    CredentialEventName { CONNECTED, VALIDATED, REFUSED, UNREACHABLE, ROTATED, FORGOTTEN }
    /// How the marketplace last answered to an account's credentials.
    Validation { OK, REFUSED, UNREACHABLE }
    /// Whether a kind of run works by itself, with files that the seller brings, not yet, or never because of the marketplace.
    SupportName { LIVE, BY_FILE, NOT_YET, UNSUPPORTED }
    /// Who asked for a run.
    RunTrigger { SCHEDULE, API }
    /// How far a run is.
    RunState { QUEUED, RUNNING, WAITING, SUCCEEDED, FAILED, CANCELLED }
    /// Who sends an order to the customer.
    FulfilledBy { SELLER, MARKETPLACE }
    /// Which price a line's amount is made of.
    AmountBasisName { CUSTOMER, PURCHASE }
    /// What a run that succeeded found: something new, something else than before, only what was set aside, or nothing.
    RunOutcome { new, changed, quarantined, unchanged }
    /// How far an order is, whatever its marketplace calls it.
    OrderStatusName {
        PENDING, CONFIRMED, PACKED, READY_TO_DISPATCH, PARTIALLY_SHIPPED, SHIPPED, DELIVERED, UNDELIVERED,
        CANCELLED,
    }
    /// In which order orders are listed.
    OrderSort { newest, oldest, dispatch_by }
    /// In which order a list goes that is sorted by its rows' times.
    TimeSort { newest, oldest }
    /// Who did something: a member, staff acting for the seller, a run, a person who is no member yet, or the platform.
    ActorKind { MEMBER, STAFF, JOB, PERSON, SYSTEM }
    /// Whether a customer sent a return back or it never reached them.
    ReturnType { CUSTOMER, RTO }
    /// How far a return is on its way.
    ReturnStatus { INITIATED, PICKED_UP, IN_TRANSIT, DELIVERED, CANCELLED }
    /// What the seller knows of a return: not here yet, scanned as received, or not here when its claim window ended.
    ReceiptStatus { EXPECTED, RECEIVED, CLAIM_PENDING }
    /// What can happen to a return.
    ReturnEventName { CREATED, STATUS_CHANGED, RECEIVED, SCANNED_AGAIN, CLAIM_PENDING }
    /// In which order returns are listed.
    ReturnSort { newest, oldest, claim_due }
    /// What a scan did.
    ScanOutcome { RECEIVED, SCANNED_AGAIN }
    /// What a scan would do.
    ScanPrediction { RECEIVES, SCANNED_BEFORE, CANCELLED, AMBIGUOUS }
    /// How far a claim is.
    ClaimStatus { PENDING, FILED, ACKNOWLEDGED, RESOLVED_WON, RESOLVED_LOST, CANCELLED, REOPENED_WITH_EVIDENCE }
    /// What a claim is for: a return that did not come, or what is wrong with one that did.
    ClaimReason { NOT_RECEIVED, WRONG_ITEM, DAMAGED, USED, MISSING_QUANTITY, OTHER }
    /// How far a payout is matched with what was sold.
    PayoutStatus { PENDING, RECONCILED, DISPUTED }
    /// What a payout's line is.
    PayoutLineType { SALE, REFUND, FEE, TAX, ADJUSTMENT, CLAIM, TRANSFER, OTHER }
    /// In which order payouts are listed.
    PayoutSort { newest, oldest, largest, smallest }
    /// Whether customers can buy an article.
    ListingStatus { ACTIVE, INACTIVE, BLOCKED }
    /// In which order stock is listed.
    InventorySort { newest, lowest }
    /// What a search finds.
    HitKind { ORDER, SHIPMENT, RETURN, QUARANTINED }
    /// In which number a search has found it.
    HitField { external_order_id, tracking_number, external_shipment_id, external_return_id, external_id }
}
