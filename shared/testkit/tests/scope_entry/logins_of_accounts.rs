//! How many accounts may have the same login at a marketplace.

use std::pin::pin;
use std::time::Duration;

use robnu_tenancy::{Error, Params};
use tokio::time::timeout;
use uuid::Uuid;

use super::TestBed;

#[tokio::test]
async fn when_two_accounts_get_a_login_at_the_same_time_the_eleventh_is_refused() {
    let bed = TestBed::new().await;
    let (ours, theirs) = (&bed.sellers.ours, &bed.sellers.theirs);
    bed
        .arrange(&format!(
            "insert into robnu.marketplace_accounts (seller_id, marketplace_code, external_account_id, display_name, verified_login_digest)
             select '{}', 'AJIO', 'of ' || n, 'AJIO', sha256('login') from generate_series(1, 9) n",
            ours.id
        ))
        .await;
    let begin = "select robnu.begin_credential_check($1, 'AJIO', sha256('login'), $2)";
    let end = "select robnu.end_credential_check($1, 'ACCEPTED')";
    let checks = [Uuid::now_v7(), Uuid::now_v7()];
    for (seller, check) in [ours, theirs].into_iter().zip(&checks) {
        let request: [(&str, Params<'_>); 1] = [(begin, &[check, &seller.ajio])];
        bed.database.session(&seller.scope("OWNER")).await.unwrap().commit_with(&request).await.unwrap();
    }
    let mut tenth = bed.database.session(&ours.scope("OWNER")).await.unwrap();
    tenth.query(end, &[&checks[0]]).await.unwrap();
    let other = bed.test.login("robnu_api").await;
    let eleventh = other.session(&theirs.scope("OWNER")).await.unwrap();
    let last: [(&str, Params<'_>); 1] = [(end, &[&checks[1]])];
    let mut eleventh = pin!(eleventh.commit_with(&last));
    let early = timeout(Duration::from_millis(300), eleventh.as_mut()).await;
    assert!(early.is_err(), "it does not wait for the tenth: {early:?}");
    tenth.commit().await.unwrap();
    let refused = eleventh.await;
    assert!(
        matches!(&refused, Err(Error::Violates { constraint }) if constraint == "marketplace_accounts_of_login"),
        "{refused:?}"
    );
}
