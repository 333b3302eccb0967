//! The fixture: two sellers that are alike in everything but their ids. Each has a member per role, an account per marketplace,
//! and a row in every tenant table.

use robnu_tenancy::{
    Access, AccountId, ClaimId, ExportId, ImportId, ListingId, OrderId, PayoutId, Permission, ReturnId,
    RunId, SellerId, SellerScope, Subject,
};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::database::TestDatabase;

const FIXTURE: &str = include_str!("fixture.sql");
/// `SCANNER` is a member without a role who may only scan returns.
const ROLES: [&str; 6] = ["OWNER", "ADMIN", "OPERATOR", "FINANCE", "VIEWER", "SCANNER"];

/// One seller of the fixture.
#[derive(Debug, Clone)]
pub struct Seller {
    /// Its id.
    pub id: SellerId,
    /// Its AJIO account; the marketplace knows it as `DV0001`.
    pub ajio: AccountId,
    /// Its Amazon account; the marketplace knows it as `A1SELLER`.
    pub amazon: AccountId,
    /// Its Flipkart account, connected by consent; the marketplace knows it as `F0001`.
    pub flipkart: AccountId,
    /// Its Meesho account; the marketplace knows it as `S0001`.
    pub meesho: AccountId,
    /// A finished run of the AJIO account.
    pub run: RunId,
    /// An order of the AJIO account, `FN1`, with two equal lines, a shipment (`AWB1`) and a customer.
    pub order: OrderId,
    /// A return of that order, `RN1` by `RAWB1`, with one line. It was not received, and counts as lost.
    pub return_id: ReturnId,
    /// A claim for that return, filed because it did not arrive.
    pub claim: ClaimId,
    /// A payout of the AJIO account, `PN1`, with two lines.
    pub payout: PayoutId,
    /// A listing of the AJIO account, `LN1`, with stock at one location.
    pub listing: ListingId,
    /// An export of its orders, which its owner asked for and which is running.
    pub export: ExportId,
    /// An import of the AJIO account, whose file changes an order.
    pub import: ImportId,
}

/// The fixture.
#[derive(Debug, Clone)]
pub struct TwoSellers {
    /// The seller that a test acts for.
    pub ours: Seller,
    /// The seller that must not be affected.
    pub theirs: Seller,
}

impl TwoSellers {
    /// Inserts both sellers into a database.
    pub async fn seed(database: &TestDatabase) -> Self {
        let superuser = database.superuser().await;
        Self { ours: Seller::seed(&superuser).await, theirs: Seller::seed(&superuser).await }
    }
}

impl Seller {
    async fn seed(superuser: &Client) -> Self {
        let seller = Self {
            id: SellerId::new(),
            ajio: AccountId::new(),
            amazon: AccountId::new(),
            flipkart: AccountId::new(),
            meesho: AccountId::new(),
            run: RunId::new(),
            order: OrderId::new(),
            return_id: ReturnId::new(),
            claim: ClaimId::new(),
            payout: PayoutId::new(),
            listing: ListingId::new(),
            export: ExportId::new(),
            import: ImportId::new(),
        };
        // The fixture is a script. The ids are ours, so they may be part of its text.
        let script = FIXTURE
            .replace(":seller", &quote(seller.id.as_uuid()))
            .replace(":ajio", &quote(seller.ajio.as_uuid()))
            .replace(":amazon", &quote(seller.amazon.as_uuid()))
            .replace(":flipkart", &quote(seller.flipkart.as_uuid()))
            .replace(":meesho", &quote(seller.meesho.as_uuid()))
            .replace(":run", &quote(seller.run.as_uuid()))
            .replace(":order", &quote(seller.order.as_uuid()))
            .replace(":return", &quote(seller.return_id.as_uuid()))
            .replace(":claim", &quote(seller.claim.as_uuid()))
            .replace(":payout", &quote(seller.payout.as_uuid()))
            .replace(":listing", &quote(seller.listing.as_uuid()))
            .replace(":export", &quote(seller.export.as_uuid()))
            .replace(":import", &quote(seller.import.as_uuid()));
        superuser.batch_execute(&script).await.unwrap_or_else(|error| panic!("the fixture fails: {error:?}"));
        seller
    }

    /// Returns the token subject of this seller's member with `role`.
    ///
    /// # Panics
    /// Panics when there is no such role.
    #[must_use]
    pub fn subject(&self, role: &str) -> Subject {
        assert!(ROLES.contains(&role), "no such role: {role}");
        Subject::from_verified_claim(&format!("{role}@{}", self.id)).expect("short enough")
    }

    /// Returns this seller's scope for its member with `role`, who enters it to write whatever the role allows.
    pub fn scope(&self, role: &str) -> SellerScope {
        self.scope_for(role, Permission::Membership, Access::Write)
    }

    /// Returns this seller's scope for its member with `role`, for a request that needs `permission`.
    pub fn scope_for(&self, role: &str, permission: Permission, access: Access) -> SellerScope {
        SellerScope::for_member(self.subject(role), self.id, permission, access)
    }

    /// Returns this seller's scope for a job of its AJIO account.
    pub fn job_scope(&self) -> SellerScope {
        SellerScope::for_job(self.id, self.ajio)
    }
}

fn quote(id: &Uuid) -> String {
    format!("'{id}'::uuid")
}
