//! Credentials that are there and do not open: no wait will mend them, so the run says so at once.
#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod support;

use robnu_marketplace::code::MarketplaceCode::Ajio;
use simulators::SimulatorConfig;
use support::{Stand, acknowledged};

#[tokio::test]
async fn a_secret_that_does_not_open_ends_the_run_at_once_and_frees_the_account() {
    let stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
    let function = stand.start(Ajio).await;
    let job = stand.queue_run(Ajio).await;
    let spoil = "update robnu.ajio_account_details set password_enc = set_byte(password_enc, 40, get_byte(password_enc, 40) # 1)
                 where account_id = $1";
    assert_eq!(stand.superuser.execute(spoil, &[&job.account_id]).await.unwrap(), 1);
    acknowledged(function.invoke(stand.event(&job)).await);
    let run = stand.run(job.run_id).await;
    assert_eq!(
        (run.state.as_str(), run.error_code.as_deref()),
        ("FAILED", Some("credentials_unreadable")),
        "{run:?}"
    );
}
