//! One successful call per operation. The tests over all operations are generated from these: without a token, from the
//! wrong tenant, in every role, and counted in round trips.
//!
//! A new operation needs a line in [`CASES`], named by its operation id; otherwise the tests fail and say so. The line is
//! the call that succeeds for the OWNER of a fixture seller (or for staff, where the document says so):
//! - ids in the path are the fixture's, found by [`PATH_IDS`]; a new kind of id needs a line there;
//! - `.body(…)` is the JSON body; `NEW` in it becomes a text that no call before had, for what must be unique, `ORDER_ID` the id
//!   of the seller's order, and `CODE` a code that the consent page of Amazon's stand-in gave;
//! - `.other(…)`, which every POST with a body needs, is another body that the document allows, for the same key again;
//! - `.arrange(…)` is SQL that is run first, past all policies; `SELLER` in it becomes the seller's id;
//! - `.query(…)` adds a query string, `.header(…)` a header, `.status(…)` what it succeeds with (200 otherwise).
//!
//! Then run the tests once with `UPDATE_GOLDEN=1` and review the new lines in `golden/`.

use robnu_testkit::Seller;
use uuid::Uuid;

use crate::document::{Operation, operations};
use crate::support::{Api, Call, REDIRECT_URI, approve};

/// An operation's successful call.
#[derive(Clone, Copy)]
pub struct Case {
    pub operation: &'static str,
    body: Option<&'static str>,
    other: Option<&'static str>,
    query: &'static str,
    header: Option<(&'static str, &'static str)>,
    arrange: &'static str,
    pub status: u16,
}

const ACTIVE: &str = "update robnu.marketplace_accounts set status = 'ACTIVE' where seller_id = 'SELLER'";
/// A working account without a live run, which would be returned instead of a new one.
const IDLE: &str = "update robnu.marketplace_accounts set status = 'ACTIVE' where seller_id = 'SELLER';
    update robnu.sync_runs set state = 'SUCCEEDED' where seller_id = 'SELLER' and state in ('QUEUED', 'RUNNING', 'WAITING')";

/// A working account that takes files and has not had this one before.
const NO_SUCH_FILE: &str = "update robnu.marketplace_accounts set status = 'ACTIVE' where seller_id = 'SELLER';
    delete from robnu.imports i using robnu.storage_objects o where i.seller_id = 'SELLER' and o.id = i.id and o.checksum not in (sha256('csv'), sha256('earlier'));
    delete from robnu.storage_objects where seller_id = 'SELLER' and kind = 'IMPORT' and checksum not in (sha256('csv'), sha256('earlier'))";

const VIEWER: &str = "insert into robnu.members (seller_id, person_id, role)
    select 'SELLER', id, 'VIEWER' from robnu.people where subject = 'VIEWER@SELLER' on conflict do nothing";
const OPEN_INVITATION: &str =
    "update robnu.invitations set accepted_at = null, revoked_at = null, sent_at = null, token_made_at = '2026-01-01'
    where seller_id = 'SELLER' and email = 'invited@example.invalid'";
/// A seller that an earlier call suspended would refuse all changes.
const RESUMED: &str =
    "update robnu.sellers set suspended_at = null, suspension_reason = null where suspended_at is not null;";

/// A seller whose closing nobody asked for today.
const OPEN: &str = "delete from robnu.mail_counts;
    update robnu.sellers set name = 'to be closed', closing_asked_at = null, closing_reason = null, closes_at = null
    where seller_id = 'SELLER'";
const ASKED: &str = "update robnu.sellers set closing_asked_at = now(), closes_at = now() + interval '1 day' where seller_id = 'SELLER'";

const CASES: &[Case] = &[
    case("get_me"),
    case("sign_up")
        .body(r#"{"name": "a new seller"}"#)
        .other(r#"{"name": "another new seller"}"#)
        .status(201),
    case("get_seller"),
    case("update_seller").body(r#"{"name": "renamed"}"#),
    case("ask_closing").arrange(OPEN).body(r#"{"name": "to be closed", "reason": "moving on"}"#),
    case("take_closing_back").arrange(ASKED).status(204),
    case("list_members"),
    case("get_member").arrange(VIEWER),
    case("update_member").arrange(VIEWER).body(r#"{"scan_returns": true}"#),
    case("remove_member").arrange(VIEWER).status(204),
    case("list_invitations"),
    case("invite")
        .body(r#"{"email": "NEW@example.invalid", "role": "VIEWER"}"#)
        .other(r#"{"email": "NEW@example.invalid", "role": "VIEWER", "scan_returns": true}"#)
        .status(201),
    case("resend_invitation").arrange(OPEN_INVITATION),
    case("revoke_invitation").arrange(OPEN_INVITATION).status(204),
    case("accept_invitation")
        .arrange(
            "update robnu.invitations set revoked_at = now()
             where email = 'member@example.invalid' and accepted_at is null and revoked_at is null;
             insert into robnu.invitations (seller_id, email, role, token_hash, invited_by)
             select 'SELLER', 'member@example.invalid', 'VIEWER', sha256(decode(repeat('00', 32), 'hex')), id
             from robnu.people where subject = 'OWNER@SELLER'",
        )
        .body(r#"{"token": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#)
        .other(r#"{"token": "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA"}"#),
    case("list_audit_events").query("action=member&limit=1"),
    case("get_usage").query("from=2026-01-01&to=2026-01-02"),
    case("list_all_sellers").query("name=a&suspended=false&limit=1"),
    case("suspend_seller").body(r#"{"reason": "unpaid"}"#).other(r#"{"reason": "unpaid again"}"#),
    case("resume_seller"),
    case("list_impersonations").query("limit=1"),
    case("open_impersonation")
        .body(r#"{"seller_id": "SELLER", "reason": "a call", "role": "VIEWER", "minutes": 60}"#)
        .other(r#"{"seller_id": "SELLER", "reason": "a call", "role": "ADMIN", "minutes": 60}"#)
        .status(201),
    case("end_impersonation").status(204),
    case("list_marketplaces"),
    case("connect_account")
        .body(
            r#"{"marketplace": "AJIO", "external_account_id": "NEW", "display_name": "AJIO Bengaluru",
            "details": {"username": "DV0001", "password": "correct horse"}}"#,
        )
        .other(
            r#"{"marketplace": "AJIO", "external_account_id": "NEW", "display_name": "AJIO Bengaluru",
            "details": {"username": "DV0001", "password": "another horse"}}"#,
        )
        .status(201),
    case("authorize_account")
        .body(r#"{"marketplace": "AMAZON_IN", "display_name": "Amazon"}"#)
        .other(r#"{"marketplace": "AMAZON_IN", "display_name": "Amazon Chennai"}"#)
        .status(201),
    case("complete_authorization")
        .arrange(AUTHORIZED)
        .body(
            r#"{"parameters": {"state": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "spapi_oauth_code": "CODE",
            "selling_partner_id": "NEW"}}"#,
        )
        .other(
            r#"{"parameters": {"state": "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA", "spapi_oauth_code": "CODE",
            "selling_partner_id": "NEW"}}"#,
        )
        .status(201),
    case("list_accounts").query("limit=1"),
    case("get_account"),
    case("update_account").body(r#"{"display_name": "AJIO Chennai"}"#),
    case("pause_account").arrange(ACTIVE),
    case("resume_account")
        .arrange("update robnu.marketplace_accounts set status = 'PAUSED' where seller_id = 'SELLER'"),
    case("disconnect_account").arrange(ACTIVE),
    case("list_credential_events").query("limit=1"),
    case("list_schedules"),
    case("set_schedule").body(r#"{"every_minutes": 30, "enabled": true}"#),
    case("remove_schedule")
        .arrange(
            "insert into robnu.schedules (seller_id, account_id, kind, every_minutes)
             select seller_id, id, 'ORDERS', 60 from robnu.marketplace_accounts
             where seller_id = 'SELLER' and external_account_id = 'DV0001' on conflict do nothing",
        )
        .status(204),
    case("replace_credentials").body(r#"{"details": {"username": "DV0001", "password": "correct horse"}}"#),
    case("request_sync")
        .arrange(IDLE)
        .body(r#"{"kind": "ORDERS"}"#)
        .other(r#"{"kind": "ORDERS", "full": true}"#)
        .status(202),
    case("test_account").arrange(IDLE).status(202),
    case("list_quarantine").query("limit=1"),
    case("get_quarantined_record"),
    case("retry_quarantine")
        .arrange(IDLE)
        .body(r#"{"kind": "ORDERS"}"#)
        .other(r#"{"kind": "ORDERS", "record_id": "00000000-0000-0000-0000-000000000001"}"#)
        .status(202),
    case("ask_import")
        .arrange(NO_SUCH_FILE)
        .body(
            r#"{"file_name": "orders.csv", "content_type": "text/csv", "size_bytes": 3,
            "sha256": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}"#,
        )
        .other(
            r#"{"file_name": "orders.csv", "content_type": "text/csv", "size_bytes": 3,
            "sha256": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}"#,
        )
        .status(201),
    case("list_imports").query("limit=1"),
    case("get_import"),
    case("list_import_changes").query("limit=1"),
    case("list_runs").query("limit=1"),
    case("get_run"),
    case("cancel_run").arrange(
        "update robnu.sync_runs set state = 'SUCCEEDED' where seller_id = 'SELLER';
         update robnu.sync_runs set state = 'QUEUED' where seller_id = 'SELLER'
           and id = (select id from robnu.sync_runs where seller_id = 'SELLER' order by id limit 1)",
    ),
    case("list_orders").query("status=PENDING&limit=1"),
    case("get_order"),
    case("get_customer"),
    case("list_dispatch").query("until=2030-01-01T00:00:00Z&limit=1"),
    case("search").query("q=AWB1"),
    case("list_shipments").query("tracking_number=AWB1&limit=1"),
    case("get_shipment"),
    case("list_documents").query("limit=1"),
    case("get_document").arrange(AWAITED),
    case("start_document")
        .body(
            r#"{"parent": "ORDER", "parent_id": "ORDER_ID", "document_type": "PACKING_SLIP", "file_name": "slip.pdf",
            "content_type": "application/pdf", "size": 3,
            "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}"#,
        )
        .other(
            r#"{"parent": "ORDER", "parent_id": "ORDER_ID", "document_type": "LABEL", "file_name": "label.pdf",
            "content_type": "application/pdf", "size": 3,
            "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}"#,
        )
        .status(201),
    case("complete_document").arrange(STORED),
    case("download_document").arrange(STORED),
    case("delete_document").arrange(AWAITED).status(204),
    case("list_payouts").query("sort=largest&limit=1"),
    case("get_payout"),
    case("list_payout_entries").query("line_type=COMMISSION&limit=1"),
    case("get_money").query("month=2026-02"),
    case("list_announced_entries").query("limit=1"),
    case("list_payout_changes").query("limit=1"),
    case("list_listings").query("sku=SKU-1&limit=1"),
    case("get_listing"),
    case("list_inventory").query("sort=lowest&limit=1"),
    case("list_returns").query("status=IN_TRANSIT&sort=file_by&limit=1"),
    case("get_return"),
    case("preview_return_scan").query("code=RAWB1"),
    case("scan_return").body(r#"{"code": "RAWB1"}"#).other(r#"{"code": "RN1"}"#),
    case("list_waiting_scans").query("limit=1"),
    case("discard_waiting_scan").arrange(WAITING_SCAN).status(204),
    case("list_claim_terms"),
    case("set_claim_terms").body(r#"{"file_by_days": 10}"#),
    case("list_claims").query("status=FILED&limit=1"),
    case("get_claim"),
    case("file_claim")
        .arrange(WITHOUT_CLAIM)
        .body(r#"{"reason": "NOT_RECEIVED", "claimed_amount": "10.5"}"#)
        .other(r#"{"reason": "DAMAGED", "claimed_amount": "10.5"}"#)
        .status(201),
    case("acknowledge_claim")
        .arrange(FILED)
        .body(r#"{"marketplace_reference": "T-1"}"#)
        .other(r#"{"marketplace_reference": "T-2"}"#),
    case("win_claim")
        .arrange(ACKNOWLEDGED)
        .body(r#"{"recovered_amount": "10.0001"}"#)
        .other(r#"{"recovered_amount": "10.0002"}"#),
    case("lose_claim")
        .arrange(ACKNOWLEDGED)
        .body(r#"{"reason": "no proof of dispatch"}"#)
        .other(r#"{"reason": "too late"}"#),
    case("cancel_claim")
        .arrange(FILED)
        .body(r#"{"reason": "filed by mistake"}"#)
        .other(r#"{"reason": "another mistake"}"#),
    case("reopen_claim")
        .arrange(CANCELLED)
        .body(r#"{"reason": "cancelled by mistake"}"#)
        .other(r#"{"reason": "another mistake"}"#),
    case("create_export")
        .arrange(NO_OTHER_EXPORTS)
        .body(r#"{"list": "orders", "filters": {"status": "PENDING"}}"#)
        .other(r#"{"list": "returns"}"#)
        .status(202),
    case("list_exports").query("limit=1"),
    case("get_export"),
    case("download_export").arrange(EXPORTED),
    case("cancel_export").arrange(
        "set session_replication_role = replica; update robnu.exports set state = 'RUNNING', finished_at = null, object_id = null,
           expires_at = null where seller_id = 'SELLER'",
    ),
];

/// Only the fixture's export, so that there is room for another.
const NO_OTHER_EXPORTS: &str = "delete from robnu.exports where seller_id = 'SELLER'
    and id <> (select id from robnu.exports where seller_id = 'SELLER' order by id limit 1)";
/// The fixture's export with its file.
const EXPORTED: &str = "set session_replication_role = replica;
    insert into robnu.storage_objects (seller_id, id, kind, time_folder, bucket, content_type, size, checksum, kms_key, state)
      select seller_id, id, 'EXPORT', '2026-01-01', 'bucket', 'text/csv', 1, sha256('x'), 'key', 'STORED'
      from robnu.exports where seller_id = 'SELLER' on conflict do nothing;
    update robnu.exports set state = 'SUCCEEDED', object_id = id, finished_at = now(), expires_at = now() + interval '1 day'
      where seller_id = 'SELLER'";

/// A state that was given to everybody who may connect accounts.
const AUTHORIZED: &str =
    "delete from robnu.account_authorizations where seller_id = 'SELLER' and account_id is null;
    insert into robnu.account_authorizations (seller_id, actor_id, state_hash, marketplace_code, display_name)
    select 'SELLER', id, sha256(decode(repeat('00', 32), 'hex')), 'AMAZON_IN', 'Amazon' from (
      select id from robnu.people where subject in ('OWNER@SELLER', 'ADMIN@SELLER')
      union all select id from robnu.staff where subject = 'STAFF'
    ) as who";

/// A scan that waits for its return, also when an earlier call discarded the fixture's.
const WAITING_SCAN: &str = "insert into robnu.unmatched_scans (seller_id, code) values ('SELLER', 'UNKNOWN1') on conflict do nothing";

/// The fixture's document, an invoice, before and after its upload, whatever an earlier call made of it.
const AWAITED: &str = "set session_replication_role = replica;
    update robnu.storage_objects set state = 'AWAITED', stored_at = null, deleted_at = null where seller_id = 'SELLER'";
const STORED: &str = "set session_replication_role = replica;
    update robnu.storage_objects set state = 'STORED', stored_at = now(), deleted_at = null where seller_id = 'SELLER'";

/// The fixture's return without its claim, or its claim in a later status; bypasses the triggers that would prevent it.
const WITHOUT_CLAIM: &str = "set session_replication_role = replica; delete from robnu.claim_events where seller_id = 'SELLER';
    delete from robnu.claims where seller_id = 'SELLER';
    update robnu.returns set received_at = null, received_by = null, internal_status = 'EXPECTED' where seller_id = 'SELLER'";
const FILED: &str = "set session_replication_role = replica;
    update robnu.claims set status = 'FILED', acknowledged_at = null, recovered_amount = null where seller_id = 'SELLER'";
const ACKNOWLEDGED: &str = "set session_replication_role = replica;
    update robnu.claims set status = 'ACKNOWLEDGED', acknowledged_at = now(), recovered_amount = null where seller_id = 'SELLER'";
const CANCELLED: &str = "set session_replication_role = replica;
    update robnu.claims set status = 'CANCELLED', status_reason = 'a mistake', recovered_amount = null where seller_id = 'SELLER'";

/// The statements that find a fixture seller's ids; `$1` is the seller.
const PATH_IDS: &[(&str, &str)] = &[
    ("sellerId", "select seller_id from robnu.sellers where seller_id = $1"),
    (
        "accountId",
        "select id from robnu.marketplace_accounts where seller_id = $1 and external_account_id = 'DV0001'",
    ),
    ("kind", "select 'ORDERS' from robnu.sellers where seller_id = $1"),
    ("recordId", "select id from robnu.quarantined_records where seller_id = $1 order by id limit 1"),
    ("runId", "select id from robnu.sync_runs where seller_id = $1 order by id limit 1"),
    (
        "memberId",
        "select m.id from robnu.members m join robnu.people p on p.id = m.person_id
         where m.seller_id = $1 and p.subject = 'VIEWER@' || m.seller_id",
    ),
    (
        "invitationId",
        "select id from robnu.invitations where seller_id = $1 and email = 'invited@example.invalid'",
    ),
    (
        "impersonationId",
        "select id from robnu.impersonation_sessions where seller_id = $1 order by id limit 1",
    ),
    ("orderId", "select id from robnu.orders where seller_id = $1 order by id limit 1"),
    ("shipmentId", "select id from robnu.shipments where seller_id = $1 order by id limit 1"),
    ("payoutId", "select id from robnu.payouts where seller_id = $1 order by id limit 1"),
    ("listingId", "select id from robnu.listings where seller_id = $1 order by id limit 1"),
    ("returnId", "select id from robnu.returns where seller_id = $1 order by id limit 1"),
    ("scanId", "select id from robnu.unmatched_scans where seller_id = $1 order by id limit 1"),
    ("marketplace", "select 'AMAZON_IN' from robnu.sellers where seller_id = $1"),
    ("reason", "select 'NOT_RECEIVED' from robnu.sellers where seller_id = $1"),
    (
        "documentId",
        "select id from robnu.storage_objects where seller_id = $1 and document_type = 'INVOICE' order by id limit 1",
    ),
    ("importId", "select id from robnu.imports where seller_id = $1 order by id limit 1"),
    ("exportId", "select id from robnu.exports where seller_id = $1 order by id limit 1"),
    ("claimId", "select id from robnu.claims where seller_id = $1 order by id limit 1"),
];

const fn case(operation: &'static str) -> Case {
    Case { operation, body: None, other: None, query: "", header: None, arrange: "", status: 200 }
}

#[allow(dead_code, reason = "the present operations do not need every part")]
impl Case {
    const fn body(self, body: &'static str) -> Self {
        Self { body: Some(body), ..self }
    }

    const fn other(self, body: &'static str) -> Self {
        Self { other: Some(body), ..self }
    }

    const fn query(self, query: &'static str) -> Self {
        Self { query, ..self }
    }

    const fn header(self, name: &'static str, value: &'static str) -> Self {
        Self { header: Some((name, value)), ..self }
    }

    const fn arrange(self, sql: &'static str) -> Self {
        Self { arrange: sql, ..self }
    }

    const fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }
}

/// Every operation of the document with its case.
///
/// # Panics
/// When an operation has no case, or a case has no operation.
pub fn cases() -> Vec<(Operation, Case)> {
    let operations = operations();
    let known = |case: &&Case| operations.iter().any(|operation| operation.id == case.operation);
    let unknown: Vec<_> = CASES.iter().filter(|case| !known(case)).map(|case| case.operation).collect();
    assert!(unknown.is_empty(), "cases of operations that are not in the document: {unknown:?}");
    let with_case = |operation: Operation| {
        let mut found = CASES.iter().filter(|case| case.operation == operation.id);
        let case = found.next().unwrap_or_else(|| panic!("{} needs a line in cases.rs", operation.id));
        assert!(found.next().is_none(), "{} has two lines in cases.rs", operation.id);
        (operation, *case)
    };
    operations.clone().into_iter().map(with_case).collect()
}

impl Case {
    /// Runs the case's SQL for a seller.
    pub async fn prepare(&self, api: &Api, seller: &Seller) {
        let sql = format!("{RESUMED}{}", self.arrange.replace("SELLER", &seller.id.to_string()));
        api.arrange(&sql).await;
    }

    /// The call without a caller: the path's seller is `seller`, the ids inside it belong to `inside`.
    pub async fn call(&self, api: &Api, operation: &Operation, seller: &Seller, inside: &Seller) -> Call {
        let mut path = operation.path.clone();
        for name in &operation.path_ids {
            let owner = if name == "sellerId" { seller } else { inside };
            path = path.replace(&format!("{{{name}}}"), &id(api, name, owner).await);
        }
        if !self.query.is_empty() {
            path = format!("{path}?{}", self.query);
        }
        let call = Call::new(&operation.method, &path);
        let call = match self.header {
            Some((name, value)) => call.header(name, value),
            None => call,
        };
        match self.body {
            Some(body) => call.text(&filled(api, body, seller).await),
            None => call,
        }
    }

    /// Another body that the operation accepts.
    pub async fn other_body(&self, api: &Api, seller: &Seller) -> Option<String> {
        match self.other {
            Some(body) => Some(filled(api, body, seller).await),
            None => None,
        }
    }

    /// The call by a caller who succeeds with it.
    pub async fn success(&self, api: &Api, operation: &Operation, seller: &Seller) -> Call {
        let call = self.call(api, operation, seller, seller).await;
        if operation.is_staff() { call.by_staff() } else { call.by(seller, "OWNER") }
    }
}

/// A body with the values of this call.
async fn filled(api: &Api, body: &str, seller: &Seller) -> String {
    let body = with_code(api, body).await;
    body.replace("NEW", &Uuid::now_v7().simple().to_string())
        .replace("ORDER_ID", &seller.order.to_string())
        .replace("SELLER", &seller.id.to_string())
}

/// `CODE` in a body becomes a code that Amazon gave to a seller who consented.
async fn with_code(api: &Api, body: &str) -> String {
    if !body.contains("CODE") {
        return body.to_owned();
    }
    let page = format!(
        "{}/apps/authorize/consent?application_id=simulated-app&state=s&redirect_uri={REDIRECT_URI}",
        api.simulator.amazon_base_url()
    );
    body.replace("CODE", &approve(&page, "A1CONSENTED").await["spapi_oauth_code"])
}

async fn id(api: &Api, name: &str, seller: &Seller) -> String {
    let (_, sql) = PATH_IDS
        .iter()
        .find(|(known, _)| *known == name)
        .unwrap_or_else(|| panic!("{{{name}}} needs a line in PATH_IDS"));
    let sql = format!("select id::text from ({sql}) as found (id)");
    let rows = api.test.superuser().await.query(&sql, &[&seller.id]).await.unwrap();
    rows.first().unwrap_or_else(|| panic!("the fixture has no {name}")).get(0)
}
