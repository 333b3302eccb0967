//! The rights of every role over HTTP: every operation of the document in every role, as a golden file.

use std::path::Path;

use robnu_testkit::assert_golden;

use crate::access::session;
use crate::cases::{Case, cases};
use crate::document::Operation;
use crate::support::{Api, Call, ROLES};

/// All callers: members (one may only scan returns, one may scan in addition to their role), another seller's owner, staff
/// without a session, and staff who act for the seller in a session with the rights of a VIEWER or an ADMIN.
fn callers() -> Vec<&'static str> {
    let others = ["SCANNER", "VIEWER+SCAN", "STRANGER", "STAFF", "ACTING", "ACTING+ADMIN"];
    ROLES.into_iter().chain(others).collect()
}

async fn call(api: &Api, operation: &Operation, case: &Case, caller: &str) -> Call {
    let ours = &api.sellers.ours;
    case.prepare(api, ours).await;
    let (scans, session_role) =
        (caller == "VIEWER+SCAN", if caller == "ACTING+ADMIN" { "ADMIN" } else { "VIEWER" });
    api.arrange(&format!(
        "update robnu.members set scan_returns = {scans} where role = 'VIEWER' and seller_id = '{0}';
         update robnu.impersonation_sessions set role = '{session_role}' where seller_id = '{0}'",
        ours.id
    ))
    .await;
    let call = case.call(api, operation, ours, ours).await;
    match caller {
        "STRANGER" => call.by(&api.sellers.theirs, "OWNER"),
        "VIEWER+SCAN" => call.by(ours, "VIEWER"),
        "STAFF" => call.by_staff(),
        "ACTING" | "ACTING+ADMIN" => {
            call.by_staff().header("impersonation-session", &session(api).await.to_string())
        }
        role => call.by(ours, role),
    }
}

#[tokio::test]
async fn every_role_gets_from_every_operation_what_the_golden_file_says() {
    let mut lines = vec![format!("{:<28}{}", "", callers().map_columns())];
    let mut api = Api::new().await;
    for (operation, case) in cases() {
        let mut statuses = Vec::new();
        for caller in callers() {
            let answer = api.send(call(&api, &operation, &case, caller).await).await;
            statuses.push(answer.status.as_u16().to_string());
            // An operation that changes something may do so again only for a new seller.
            if answer.status.is_success() && operation.method != "GET" {
                api.renew().await;
            }
        }
        let needs = operation.permission.as_deref().unwrap_or("-");
        lines.push(format!("{:<28}{} {needs}", operation.id, statuses.map_columns()));
    }
    lines.sort();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/http/golden/role_by_route.txt");
    assert_golden(&golden, &lines);
}

trait Columns {
    fn map_columns(&self) -> String;
}

impl<T: std::fmt::Display> Columns for Vec<T> {
    fn map_columns(&self) -> String {
        self.iter().map(|text| format!("{text:<13}")).collect::<Vec<_>>().concat()
    }
}
