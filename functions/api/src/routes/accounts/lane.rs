//! The request to the lanes function.

use robnu_dispatch::LaneRequest;
use robnu_tenancy::{AccountId, SellerScope};

use super::Account;
use crate::context::Context;
use crate::known_text::{AccountStatus, LaneState};

/// Asks for the account's lane only if it differs from what the account's status asks for, so that nobody keeps the lanes
/// function busy with finished work.
pub async fn ask_if_it_differs(context: &Context, scope: &SellerScope, account: &Account) {
    let is_as_wanted = match account.status {
        AccountStatus::PAUSED => account.lane_state != LaneState::ACTIVE,
        AccountStatus::DISCONNECTED => account.lane_state == LaneState::RETIRED,
        _ => account.lane_state == LaneState::ACTIVE,
    };
    if !is_as_wanted {
        ask_for_lane(context, scope, account.account_id).await;
    }
}

/// Asks for the account's lane. The row already asks for it; the request only makes it quick.
pub async fn ask_for_lane(context: &Context, scope: &SellerScope, account: AccountId) {
    let request = LaneRequest { seller_id: scope.seller_id(), account_id: account };
    let sent = context
        .sqs
        .send_message()
        .queue_url(&context.lane_requests_queue_url)
        .message_body(request.to_body())
        .send()
        .await;
    if let Err(error) = sent {
        tracing::warn!(
            seller.id = %request.seller_id,
            account.id = %account,
            error = robnu_observe::chain(&error.into_service_error()),
            "the lane request was not sent; the reconciliation will find the account"
        );
    }
}
