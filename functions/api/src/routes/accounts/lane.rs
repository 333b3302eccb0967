//! The doorbell to the lanes function.

use robnu_tenancy::{AccountId, SellerId, SellerScope};
use serde::Serialize;

use crate::app::App;

#[derive(Serialize)]
struct LaneRequest {
    seller_id: SellerId,
    account_id: AccountId,
}

/// Asks for the account's lane. The row already says so; this only makes it quick.
pub async fn ask_for_lane(app: &App, scope: &SellerScope, account: AccountId) {
    let request = LaneRequest { seller_id: scope.seller_id(), account_id: account };
    let body = serde_json::to_string(&request).expect("ids always serialize");
    let sent = app.sqs.send_message().queue_url(&app.lane_requests_queue_url).message_body(body).send().await;
    if let Err(error) = sent {
        tracing::warn!(
            seller.id = %request.seller_id,
            account.id = %account,
            error = robnu_observe::chain(&error.into_service_error()),
            "the lane was not asked for; the reconciliation will find the account"
        );
    }
}
