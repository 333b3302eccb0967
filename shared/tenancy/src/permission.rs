//! The permissions of members, by name. The table of which role holds which is `app_role_rights` in
//! `migrations/0002_scopes.sql`. The database checks permissions at scope entry and again in the policies of its tables.

/// A permission that a request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Permission {
    /// Being a member is enough, even one who may only scan returns.
    Membership,
    /// Read the seller, its team, accounts, orders, shipments, returns, claims, listings and inventory.
    Read,
    /// Change the seller's own data.
    SellerUpdate,
    /// Change the plan, close the seller.
    SellerClose,
    /// Invite, change and remove members; only an OWNER reaches OWNER and ADMIN members.
    MembersManage,
    /// Connect, pause, resume and disconnect accounts, replace their credentials.
    AccountsManage,
    /// Read the audit trail.
    AuditRead,
    /// Change schedules, ask for runs of every kind and cancel them.
    SyncRun,
    /// Ask for payout runs.
    SyncPayouts,
    /// Read customers' names, phones, emails and addresses, and documents that hold them.
    PiiRead,
    /// Upload and delete documents of orders, shipments, claims and returns.
    DocumentsWrite,
    /// Scan returns as received.
    ReturnsScan,
    /// File claims.
    ClaimsFile,
    /// Resolve claims.
    ClaimsResolve,
    /// Make exports.
    ExportsCreate,
    /// Read payouts and their lines.
    PayoutsRead,
}

impl Permission {
    /// Every permission there is.
    pub const ALL: [Self; 16] = [
        Self::Membership,
        Self::Read,
        Self::SellerUpdate,
        Self::SellerClose,
        Self::MembersManage,
        Self::AccountsManage,
        Self::AuditRead,
        Self::SyncRun,
        Self::SyncPayouts,
        Self::PiiRead,
        Self::DocumentsWrite,
        Self::ReturnsScan,
        Self::ClaimsFile,
        Self::ClaimsResolve,
        Self::ExportsCreate,
        Self::PayoutsRead,
    ];

    /// The permission's name in the database; empty for plain membership.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Membership => "",
            Self::Read => "read",
            Self::SellerUpdate => "seller.update",
            Self::SellerClose => "seller.close",
            Self::MembersManage => "members.manage",
            Self::AccountsManage => "accounts.manage",
            Self::AuditRead => "audit.read",
            Self::SyncRun => "sync.run",
            Self::SyncPayouts => "sync.payouts",
            Self::PiiRead => "pii.read",
            Self::DocumentsWrite => "documents.write",
            Self::ReturnsScan => "returns.scan",
            Self::ClaimsFile => "claims.file",
            Self::ClaimsResolve => "claims.resolve",
            Self::ExportsCreate => "exports.create",
            Self::PayoutsRead => "payouts.read",
        }
    }
}

/// Whether a request only reads. A suspended seller can still be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// Changes nothing.
    Read,
    /// May change something; refused while the seller is suspended.
    Write,
}
