//! Rights as types: the right that a seller's route needs, named in its handler's signature.
//!
//! [`Member<R>`](crate::identity::Member) is the only way to a seller's scope. The scope carries `R` to the database, which
//! rejects anyone who does not hold it. The document states the same `R`.

use robnu_tenancy::{Access, Permission};

/// A permission, and whether it is used to read or to change.
pub trait Right: Send + Sync + 'static {
    /// The permission that the member must hold.
    const PERMISSION: Permission;
    /// Whether the route changes anything; a suspended seller can only be read.
    const ACCESS: Access;
}

macro_rules! rights {
    ($($(#[$doc:meta])* $name:ident: $access:ident,)+) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl Right for $name {
            const PERMISSION: Permission = Permission::$name;
            const ACCESS: Access = Access::$access;
        }
    )+};
}

rights! {
    /// Be a member, with any role.
    Membership: Read,
    /// Read everything that has no permission of its own below.
    Read: Read,
    /// Change the seller itself.
    SellerUpdate: Write,
    /// Close the seller.
    SellerClose: Write,
    /// Invite, change and remove members.
    MembersManage: Write,
    /// Connect, pause and disconnect accounts, and replace their credentials.
    AccountsManage: Write,
    /// Read the audit trail.
    AuditRead: Read,
    /// Ask for runs, and set schedules.
    SyncRun: Write,
    /// Ask for runs that read payouts.
    SyncPayouts: Write,
    /// Read customers' data.
    PiiRead: Read,
    /// Upload and delete documents.
    DocumentsWrite: Write,
    /// Scan returns.
    ReturnsScan: Write,
    /// File claims.
    ClaimsFile: Write,
    /// Resolve claims.
    ClaimsResolve: Write,
    /// Make exports.
    ExportsCreate: Write,
    /// Read payouts.
    PayoutsRead: Read,
}

/// Reads with the permission `R` without changing anything, so the seller may be suspended.
#[derive(Debug)]
pub struct ToRead<R>(std::marker::PhantomData<R>);

impl<R: Right> Right for ToRead<R> {
    const PERMISSION: Permission = R::PERMISSION;
    const ACCESS: Access = Access::Read;
}

/// Changes something with a permission that otherwise only reads, so the seller must not be suspended.
#[derive(Debug)]
pub struct ToWrite<R>(std::marker::PhantomData<R>);

impl<R: Right> Right for ToWrite<R> {
    const PERMISSION: Permission = R::PERMISSION;
    const ACCESS: Access = Access::Write;
}
