//! The bounds on the mails that sellers and persons can send.

use futures_util::future::join_all;
use serde_json::{Value, json};

use robnu_testkit::Seller;

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

/// Lets this much time pass since the sent mails.
async fn later(api: &Api, time: &str) {
    api.arrange(&format!(
        "update robnu.invitations set sent_at = sent_at - interval '{time}', token_made_at = token_made_at - interval '{time}',
           created_at = created_at - interval '{time}',
           mailed_at = (select array_agg(mail - interval '{time}' order by mail) from unnest(mailed_at) mail);
         update robnu.mail_counts set latest_at = latest_at - interval '{time}',
           mailed_at = (select array_agg(mail - interval '{time}' order by mail) from unnest(mailed_at) mail)"
    ))
    .await;
}

/// Makes closed invitations of our seller, each mailed once just now.
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
async fn an_invitation_is_mailed_five_times_and_no_more_however_much_time_passes() {
    let api = Api::new().await;
    let invited = id(&invite(&api, "guest@example.invalid").await.expect(201));
    for _ in 0..4 {
        later(&api, "2 days").await;
        assert_eq!(resend(&api, &invited).await.expect(200)["sent"], true);
    }
    later(&api, "2 days").await;
    let before = api.contents().await;
    resend(&api, &invited).await.expect_problem(409, "invitation_mailed_often");
    assert_eq!(api.contents().await, before, "the last link stays valid");
    assert_eq!(api.cloud.mails().await.len(), 5);
    // A new invitation can be made instead.
    revoke(&api, &invited).await;
    invite(&api, "guest@example.invalid").await.expect(201);
}

#[tokio::test]
async fn a_sellers_team_mails_an_address_five_times_a_day() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    for role in ["OWNER", "ADMIN", "OWNER", "ADMIN", "OWNER"] {
        mail_once(&api, ours, (ours, role), "guest@example.invalid").await.expect(201);
    }
    for role in ["OWNER", "ADMIN"] {
        let again = mail_once(&api, ours, (ours, role), "Guest@Example.invalid").await;
        again.expect_problem(409, "invitation_mailed_often");
    }
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
    // Another seller's mails are counted separately.
    let theirs = format!("/v1/sellers/{}/invitations", api.sellers.theirs.id);
    let call = Call::post(&theirs, &json!({"email": "guest@example.invalid", "role": "VIEWER"}));
    api.send(call.by(&api.sellers.theirs, "OWNER")).await.expect(201);
    later(&api, "1 day").await;
    resend(&api, &invited).await.expect(200);
}

/// A member invites into the named seller; the invitation is revoked at once.
async fn mail_once(api: &Api, seller: &Seller, by: (&Seller, &str), email: &str) -> Answer {
    let path = format!("/v1/sellers/{}/invitations", seller.id);
    let call = Call::post(&path, &json!({"email": email, "role": "VIEWER"})).by(by.0, by.1);
    let answer = api.send(call).await;
    if answer.status == 201 {
        api.arrange(&format!(
            "update robnu.invitations set revoked_at = now() where id = '{}'",
            id(&answer.body)
        ))
        .await;
    }
    answer
}

/// Makes the owner of our seller an owner of the other seller too.
async fn one_owner_of_both(api: &Api) {
    let (ours, theirs) = (api.sellers.ours.id, api.sellers.theirs.id);
    api.arrange(&format!(
        "insert into robnu.members (seller_id, person_id, role)
         select '{theirs}', id, 'OWNER' from robnu.people where subject = 'OWNER@{ours}'"
    ))
    .await;
}

/// Sets the number of mails counted today under a key.
async fn counted(api: &Api, kind: &str, key: &str, mails: usize) {
    api.arrange(&format!(
        "insert into robnu.mail_counts (kind, key_hash, mailed_at)
         values ('{kind}', sha256('{key}'), array_fill(now(), array[{mails}]))
         on conflict (kind, key_hash) do update set mailed_at = excluded.mailed_at"
    ))
    .await;
}

/// The number of 201 responses, and the problems of the others.
fn refused(answers: Vec<Answer>) -> (usize, Vec<Value>) {
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    let problem = |answer: Answer| {
        assert_eq!(answer.status, 409, "{}", answer.text);
        answer.body
    };
    (made.len(), refused.into_iter().map(problem).collect())
}

#[tokio::test]
async fn a_person_mails_a_mailbox_five_times_a_day_over_all_their_sellers_however_it_is_spelled() {
    let api = Api::new().await;
    one_owner_of_both(&api).await;
    let (ours, theirs) = (&api.sellers.ours, &api.sellers.theirs);
    let owner = (ours, "OWNER");
    let spellings = ["guest@gmail.com", "g.u.est@gmail.com", "Guest+1@googlemail.com", "guest+2+3@GMAIL.com"];
    for (seller, email) in [ours, theirs].into_iter().cycle().zip(spellings.iter().cycle()).take(5) {
        mail_once(&api, seller, owner, email).await.expect(201);
    }
    // Not even after the invitations are deleted.
    api.arrange("delete from robnu.invitations").await;
    let before = api.contents().await;
    for (seller, email) in [(ours, "guest+4@gmail.com"), (theirs, "guest@gmail.com")] {
        mail_once(&api, seller, owner, email).await.expect_problem(409, "invitation_mailed_often");
    }
    assert_eq!(api.contents().await, before, "a refused mail is not counted");
    assert_eq!(api.cloud.mails().await.len(), 5);
    // One person's mails do not keep others from inviting the same address.
    mail_once(&api, theirs, (theirs, "OWNER"), "guest@gmail.com").await.expect(201);
    mail_once(&api, ours, owner, "another@gmail.com").await.expect(201);
    later(&api, "1 day").await;
    mail_once(&api, theirs, owner, "guest@gmail.com").await.expect(201);
}

#[tokio::test]
async fn a_persons_mails_of_a_day_are_counted_over_all_their_sellers_even_at_the_same_time() {
    let api = Api::with_pool(4).await;
    one_owner_of_both(&api).await;
    let (ours, theirs) = (&api.sellers.ours, &api.sellers.theirs);
    let owner = (ours, "OWNER");
    counted(&api, "PERSON", &format!("OWNER@{}", ours.id), 98).await;
    let emails = ["a@example.invalid", "b@example.invalid", "c@example.invalid", "d@example.invalid"];
    let calls = emails.iter().zip([ours, theirs, ours, theirs]);
    let (made, problems) =
        refused(join_all(calls.map(|(email, seller)| mail_once(&api, seller, owner, email))).await);
    assert_eq!((made, problems.len()), (2, 2));
    assert!(problems.iter().all(|problem| problem["code"] == "too_many_mails_today"), "{problems:?}");
    // Other members of both sellers can still send mails.
    mail_once(&api, ours, (ours, "ADMIN"), "e@example.invalid").await.expect(201);
    mail_once(&api, theirs, (theirs, "OWNER"), "e@example.invalid").await.expect(201);
    later(&api, "1 day").await;
    mail_once(&api, theirs, owner, "f@example.invalid").await.expect(201);
}

#[tokio::test]
async fn mails_to_a_mailbox_are_counted_over_all_persons_and_sellers_even_at_the_same_time() {
    let api = Api::with_pool(4).await;
    let (ours, theirs) = (&api.sellers.ours, &api.sellers.theirs);
    let persons = [(ours, "OWNER"), (theirs, "OWNER"), (ours, "ADMIN"), (theirs, "ADMIN")];
    counted(&api, "MAILBOX", "guest@example.invalid", 18).await;
    let calls = persons.iter().enumerate();
    let answers = join_all(calls.map(async |(n, person)| {
        mail_once(&api, person.0, *person, &format!("guest+{n}@example.invalid")).await
    }));
    let (made, problems) = refused(answers.await);
    assert_eq!((made, problems.len()), (2, 2));
    assert!(problems.iter().all(|problem| problem["code"] == "invitation_mailed_often"), "{problems:?}");
}

#[tokio::test]
async fn a_person_who_mailed_a_mailbox_today_leaves_its_remaining_mails_to_others() {
    let api = Api::new().await;
    let (ours, theirs) = (&api.sellers.ours, &api.sellers.theirs);
    let guest = "guest@example.invalid";
    mail_once(&api, ours, (ours, "OWNER"), guest).await.expect(201);
    counted(&api, "MAILBOX", guest, 9).await;
    mail_once(&api, ours, (ours, "OWNER"), guest).await.expect(201);
    let again = mail_once(&api, ours, (ours, "OWNER"), guest).await;
    let by_all = again.expect_problem(409, "invitation_mailed_often");
    mail_once(&api, theirs, (theirs, "OWNER"), guest).await.expect(201);
    // The response is the same as for their own mails: it does not reveal that others mailed.
    counted(&api, "MAILBOX", "other@example.invalid", 1).await;
    for _ in 0..5 {
        mail_once(&api, ours, (ours, "OWNER"), "other@example.invalid").await.expect(201);
    }
    let own = mail_once(&api, ours, (ours, "OWNER"), "other@example.invalid").await;
    assert_eq!(own.expect_problem(409, "invitation_mailed_often"), by_all);
}

#[tokio::test]
async fn a_persons_mail_bounds_do_not_reveal_invitations_by_others() {
    let api = Api::new().await;
    let (ours, theirs) = (&api.sellers.ours, &api.sellers.theirs);
    let mut outcomes = Vec::new();
    for (email, by_others) in [("known@example.invalid", 5), ("unknown@example.invalid", 0)] {
        for _ in 0..by_others {
            mail_once(&api, theirs, (theirs, "OWNER"), email).await.expect(201);
        }
        let mut statuses = Vec::new();
        for _ in 0..6 {
            statuses.push(mail_once(&api, ours, (ours, "OWNER"), email).await.status.as_u16());
        }
        outcomes.push(statuses);
    }
    assert_eq!(outcomes[0], outcomes[1]);
    assert_eq!(outcomes[0], [201, 201, 201, 201, 201, 409]);
}
