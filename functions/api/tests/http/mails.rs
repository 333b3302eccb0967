//! How many mails a seller can have sent to others.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Answer, Api, Call};

fn invitations(api: &Api) -> String {
    format!("/v1/sellers/{}/invitations", api.sellers.ours.id)
}

async fn invite(api: &Api, email: &str) -> Answer {
    api.post("OWNER", &invitations(api), &json!({"email": email, "role": "VIEWER"})).await
}

async fn resend(api: &Api, invitation: &str) -> Answer {
    let path = format!("{}/{invitation}/resend", invitations(api));
    api.send(Call::new("POST", &path).by(&api.sellers.ours, "OWNER")).await
}

async fn revoke(api: &Api, invitation: &str) {
    let path = format!("{}/{invitation}", invitations(api));
    assert_eq!(api.send(Call::new("DELETE", &path).by(&api.sellers.ours, "OWNER")).await.status, 204);
}

fn id(invitation: &Value) -> String {
    invitation["invitation_id"].as_str().unwrap().to_owned()
}

/// So much time goes by since the mails that were sent.
async fn later(api: &Api, time: &str) {
    api.arrange(&format!(
        "update robnu.invitations set sent_at = sent_at - interval '{time}', token_made_at = token_made_at - interval '{time}',
           created_at = created_at - interval '{time}',
           mailed_at = (select array_agg(mail - interval '{time}' order by mail) from unnest(mailed_at) mail)"
    ))
    .await;
}

/// Makes closed invitations of our seller, each mailed once, now.
async fn mailed(api: &Api, mails: i64) {
    api.arrange(&format!(
        "insert into robnu.invitations (seller_id, email, role, token_hash, revoked_at)
         select '{}', 'closed' || n || '@example.invalid', 'VIEWER', sha256(n::text::bytea), now()
         from generate_series(1, {mails}) n",
        api.sellers.ours.id
    ))
    .await;
}

#[tokio::test]
async fn an_invitation_is_mailed_five_times_and_no_more_however_much_time_goes_by() {
    let api = Api::new().await;
    let invited = id(&invite(&api, "guest@example.invalid").await.expect(201));
    for _ in 0..4 {
        later(&api, "2 days").await;
        assert_eq!(resend(&api, &invited).await.expect(200)["sent"], true);
    }
    later(&api, "2 days").await;
    let before = api.contents().await;
    resend(&api, &invited).await.expect_problem(409, "invitation_mailed_often");
    assert_eq!(api.contents().await, before, "the last link stays as good as it was");
    assert_eq!(api.cloud.mails().await.len(), 5);
    // What is wanted still is made anew.
    revoke(&api, &invited).await;
    invite(&api, "guest@example.invalid").await.expect(201);
}

#[tokio::test]
async fn five_mails_a_day_go_to_an_address_in_however_many_invitations() {
    let api = Api::new().await;
    for _ in 0..5 {
        let invited = id(&invite(&api, "guest@example.invalid").await.expect(201));
        revoke(&api, &invited).await;
    }
    invite(&api, "Guest@Example.invalid").await.expect_problem(409, "invitation_mailed_often");
    invite(&api, "another@example.invalid").await.expect(201);
    assert_eq!(api.cloud.mails().await.len(), 6);
    later(&api, "1 day").await;
    invite(&api, "guest@example.invalid").await.expect(201);
}

#[tokio::test]
async fn a_sellers_mails_of_a_day_are_counted_together_even_at_the_same_time() {
    let api = Api::with_pool(4).await;
    // With the fixture's invitation and this one, two mails of the day's 200 are left.
    let invited = id(&invite(&api, "guest@example.invalid").await.expect(201));
    later(&api, "2 minutes").await;
    mailed(&api, 196).await;
    let emails = ["a@example.invalid", "b@example.invalid", "c@example.invalid"];
    let invite = async |email: &'static str| invite(&api, email).await;
    let (again, answers) = tokio::join!(resend(&api, &invited), join_all(emails.map(invite)));
    let (made, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().chain([again]).partition(|answer| answer.status.is_success());
    assert_eq!((made.len(), refused.len()), (2, 2));
    for answer in refused {
        answer.expect_problem(409, "too_many_mails_today");
    }
    assert_eq!(api.cloud.mails().await.len(), 3);
    later(&api, "2 minutes").await;
    let before = api.contents().await;
    resend(&api, &invited).await.expect_problem(409, "too_many_mails_today");
    assert_eq!(api.contents().await, before);
    // Another seller's mails are its own.
    let theirs = format!("/v1/sellers/{}/invitations", api.sellers.theirs.id);
    let call = Call::post(&theirs, &json!({"email": "guest@example.invalid", "role": "VIEWER"}));
    api.send(call.by(&api.sellers.theirs, "OWNER")).await.expect(201);
    later(&api, "1 day").await;
    resend(&api, &invited).await.expect(200);
}
