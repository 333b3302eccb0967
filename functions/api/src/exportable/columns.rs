//! The columns of each list's file, in the order of the list's own fields. A test compares them with the document.

#![allow(non_upper_case_globals, reason = "named as the lists are")]

/// Columns of orders.
pub const orders: &[&str] = &[
    "order_id",
    "account_id",
    "marketplace",
    "external_order_id",
    "status",
    "marketplace_status",
    "placed_at",
    "marketplace_updated_at",
    "dispatch_by",
    "dispatch_after",
    "on_hold",
    "is_replacement",
    "fulfilled_by",
    "payment_method",
    "currency",
    "total_amount",
    "ship_city",
    "ship_state",
    "ship_postal_prefix",
];

/// Columns of shipments.
pub const shipments: &[&str] = &[
    "shipment_id",
    "order_id",
    "account_id",
    "marketplace",
    "external_order_id",
    "external_shipment_id",
    "status",
    "marketplace_status",
    "carrier",
    "tracking_number",
    "shipment_type",
    "dispatch_after",
    "dispatch_by",
    "on_hold",
    "package_count",
    "updated_at",
];

/// Columns of returns.
pub const returns: &[&str] = &[
    "return_id",
    "account_id",
    "marketplace",
    "external_return_id",
    "order_id",
    "external_order_id",
    "external_shipment_id",
    "return_type",
    "status",
    "marketplace_status",
    "internal_status",
    "reason",
    "carrier",
    "tracking_number",
    "initiated_at",
    "expected_at",
    "delivered_at",
    "missing_at",
    "file_by",
    "warned_at",
    "received_at",
    "received_by",
    "condition",
    "condition_reason",
    "condition_quantity",
];

/// Columns of claims.
pub const claims: &[&str] = &[
    "claim_id",
    "return_id",
    "account_id",
    "marketplace",
    "status",
    "reason",
    "file_by",
    "note",
    "marketplace_reference",
    "currency",
    "claimed_amount",
    "recovered_amount",
    "status_reason",
    "filed_at",
    "acknowledged_at",
    "resolved_at",
    "version",
    "created_at",
    "updated_at",
];

/// Columns of payouts.
pub const payouts: &[&str] = &[
    "payout_id",
    "account_id",
    "marketplace",
    "external_payout_id",
    "status",
    "marketplace_status",
    "period_start",
    "period_end",
    "settled_at",
    "paid_at",
    "bank_reference",
    "currency",
    "stated_amount",
    "net_amount",
    "difference",
    "entries",
    "unbalanced_entries",
    "source",
    "revision",
];

/// Columns of listings.
pub const listings: &[&str] = &[
    "listing_id",
    "account_id",
    "marketplace",
    "external_listing_id",
    "external_product_id",
    "sku",
    "title",
    "size",
    "status",
    "marketplace_status",
    "hsn",
    "currency",
    "mrp",
    "selling_price",
    "updated_at",
];

/// Columns of inventory.
pub const inventory: &[&str] = &[
    "stock_id",
    "account_id",
    "marketplace",
    "listing_id",
    "sku",
    "location",
    "available",
    "reserved",
    "reported_at",
];

/// Columns of runs. The counts of streams are JSON in one cell.
pub const runs: &[&str] = &[
    "run_id",
    "account_id",
    "kind",
    "trigger",
    "window_from",
    "window_until",
    "state",
    "step",
    "attempt",
    "outcome",
    "pages",
    "quarantined",
    "counts",
    "error.code",
    "error.message",
    "next_attempt_at",
    "queued_at",
    "started_at",
    "finished_at",
];

/// Columns of records that were set aside.
pub const quarantine: &[&str] = &[
    "record_id",
    "account_id",
    "marketplace",
    "run_id",
    "external_id",
    "reason",
    "seen",
    "first_seen_at",
    "last_seen_at",
    "retry_requested_at",
];

/// Columns of the audit trail. The new values are JSON in one cell.
pub const audit: &[&str] = &[
    "event_id",
    "occurred_at",
    "actor.kind",
    "actor.id",
    "actor.email",
    "impersonation_session_id",
    "action",
    "object_id",
    "changed",
    "shown",
];

/// Columns of accounts.
pub const accounts: &[&str] = &[
    "account_id",
    "marketplace",
    "external_account_id",
    "external_account_id_source",
    "display_name",
    "status",
    "needs_reconnect",
    "lane_state",
    "verified_at",
    "last_validation",
    "last_validated_at",
    "is_stale",
    "quarantined",
    "kinds",
    "version",
    "created_at",
];

/// Columns of members.
pub const members: &[&str] =
    &["member_id", "person_id", "email", "role", "scan_returns", "is_you", "version", "since"];

/// Columns of documents.
pub const documents: &[&str] = &[
    "document_id",
    "account_id",
    "marketplace",
    "document_type",
    "order_id",
    "shipment_id",
    "return_id",
    "claim_id",
    "file_name",
    "content_type",
    "size",
    "sha256",
    "state",
    "holds_customer",
    "created_by",
    "created_at",
    "stored_at",
];

/// Columns of imports.
pub const imports: &[&str] = &[
    "import_id",
    "account_id",
    "marketplace",
    "file_name",
    "content_type",
    "size_bytes",
    "sha256",
    "state",
    "recognised_as",
    "run_id",
    "corrects",
    "difference.added",
    "difference.changed",
    "difference.missing",
    "quarantined",
    "counts",
    "error.code",
    "error.message",
    "created_at",
    "finished_at",
];
