//! The routes: one module per noun, one list for all.

#![allow(clippy::struct_field_names, reason = "responses have the API's own field names")]

pub(crate) mod accounts;
mod admin;
pub(crate) mod audit;
mod claim_terms;
pub(crate) mod claims;
mod dispatch;
pub(crate) mod documents;
mod exports;
pub(crate) mod imports;
pub(crate) mod inventory;
mod invitations;
pub(crate) mod listings;
mod marketplaces;
mod me;
pub(crate) mod members;
mod money;
pub(crate) mod orders;
mod paging;
pub(crate) mod payouts;
pub(crate) mod quarantine;
pub(crate) mod returns;
pub(crate) mod runs;
mod schedules;
mod search;
mod sellers;
pub(crate) mod shipments;
mod sync;
mod usage;

use axum::handler::Handler;
use axum::routing::MethodRouter;
use utoipa::openapi::path::Paths;
use utoipa_axum::router::UtoipaMethodRouter;

use crate::context::SharedContext;
use crate::signature::{Notes, Schemas, Signature};

/// One route: its handler, and everything that the document says about it.
pub struct Route {
    /// Its one path with its one operation, as the handler's attribute describes it.
    pub paths: Paths,
    /// Notes that the handler's arguments add to the description.
    pub notes: Notes,
    /// Schemas that the attribute names.
    pub schemas: Schemas,
    /// The handler.
    pub handler: MethodRouter<SharedContext>,
}

impl Route {
    /// Makes a route. The handler is passed twice: once with its attribute's description, once for the types of its arguments.
    fn new<T: Signature, H: Handler<T, SharedContext>>(
        described: UtoipaMethodRouter<SharedContext>,
        _: H,
    ) -> Self {
        let (schemas, paths, handler) = described;
        let mut notes = Notes::default();
        T::describe(&mut notes);
        Self { paths, notes, schemas, handler }
    }

    /// The route's path, with names in braces for the variable parts.
    ///
    /// # Panics
    /// Never: a handler's attribute names one path.
    #[must_use]
    pub fn path(&self) -> &str {
        self.paths.paths.keys().next().expect("the attribute of a handler names one path")
    }
}

macro_rules! routes_of {
    ($($($part:ident)::+),+ $(,)?) => {
        vec![$(Route::new(utoipa_axum::routes!($($part)::+), $($part)::+)),+]
    };
}

/// All routes: the router, the document and the tests are made from this list.
#[must_use]
pub fn routes() -> Vec<Route> {
    routes_of![
        me::show,
        sellers::sign_up,
        sellers::show,
        sellers::update,
        sellers::closing::ask,
        sellers::closing::take_back,
        members::list,
        members::show,
        members::update,
        members::remove,
        invitations::list,
        invitations::invite::invite,
        invitations::resend::resend,
        invitations::revoke,
        invitations::accept::accept,
        audit::list,
        usage::show,
        admin::sellers::list,
        admin::sellers::suspend,
        admin::sellers::resume,
        admin::impersonations::open,
        admin::impersonations::list,
        admin::impersonations::end,
        marketplaces::list,
        accounts::connect::connect,
        accounts::authorize::start,
        accounts::complete::complete,
        accounts::list,
        accounts::show,
        accounts::status::update,
        accounts::status::pause,
        accounts::status::resume,
        accounts::status::disconnect,
        accounts::events::list,
        schedules::list,
        schedules::set,
        schedules::remove,
        accounts::rotate::rotate,
        sync::request,
        sync::test,
        quarantine::list,
        quarantine::show,
        quarantine::retry::retry,
        imports::ask::ask,
        imports::list,
        imports::show,
        imports::changes::list,
        runs::list,
        runs::show,
        runs::cancel,
        orders::list,
        orders::show,
        orders::customer::show,
        dispatch::list,
        search::search,
        shipments::list,
        shipments::show,
        returns::list,
        returns::show,
        returns::scan::preview,
        returns::scan::scan,
        returns::scans::list,
        returns::scans::discard,
        claim_terms::list,
        claim_terms::set,
        claims::list,
        claims::show,
        claims::file,
        claims::steps::acknowledge,
        claims::steps::win,
        claims::steps::lose,
        claims::steps::cancel,
        claims::steps::reopen,
        documents::list,
        documents::show,
        documents::upload::start,
        documents::upload::complete,
        documents::download::download,
        documents::download::remove,
        payouts::money::show,
        payouts::list,
        payouts::show,
        payouts::entries::list,
        payouts::entries::announced,
        payouts::changes::list,
        listings::list,
        listings::show,
        inventory::list,
        exports::create::create,
        exports::list,
        exports::show,
        exports::download::download,
        exports::cancel,
    ]
}
