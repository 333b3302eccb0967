//! Invitations, from the mail to the membership.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::logs::Captured;
use crate::support::{APP_URL, Answer, Api, Call};

const GUEST: &str = "a-guest";
const GUEST_EMAIL: &str = "guest@example.invalid";

fn seller_path(api: &Api, rest: &str) -> String {
    format!("/v1/sellers/{}{rest}", api.sellers.ours.id)
}

async fn invite(api: &Api, by: &str, body: &Value) -> Answer {
    api.post(by, &seller_path(api, "/invitations"), body).await
}

/// Invites the guest as an OPERATOR.
async fn invite_guest(api: &Api) -> Value {
    invite(api, "OWNER", &json!({"email": GUEST_EMAIL, "role": "OPERATOR"})).await.expect(201)
}

fn inside(api: &Api, invitation: &Value, rest: &str) -> String {
    seller_path(api, &format!("/invitations/{}{rest}", invitation["invitation_id"].as_str().unwrap()))
}

async fn resend(api: &Api, by: &str, invitation: &Value) -> Answer {
    api.send(Call::new("POST", &inside(api, invitation, "/resend")).by(&api.sellers.ours, by)).await
}

async fn revoke(api: &Api, by: &str, invitation: &Value) -> Answer {
    api.send(Call::new("DELETE", &inside(api, invitation, "")).by(&api.sellers.ours, by)).await
}

/// Lets a minute pass since the last mail.
async fn a_minute_later(api: &Api) {
    api.arrange(
        "update robnu.invitations
         set sent_at = sent_at - interval '1 minute', token_made_at = token_made_at - interval '1 minute'",
    )
    .await;
}

/// The token in the latest mail to an address.
async fn token_for(api: &Api, address: &str) -> String {
    let mails = api.cloud.mails().await;
    let mail = mails.iter().rfind(|mail| mail["To"] == json!([address])).expect("a mail has come");
    let text = mail["BodyText"].as_str().unwrap();
    let (_, after) = text.split_once(&format!("{APP_URL}/invitations/accept#token=")).expect("a link");
    after.split_whitespace().next().unwrap().to_owned()
}

/// The call that accepts a token, by a person with a verified address.
fn accept(token: &str, subject: &str, email: &str) -> Call {
    let call = Call::post("/v1/invitations/accept", &json!({"token": token})).by_subject(subject);
    call.claim("email", email).claim("email_verified", "true")
}

/// The only refusal there is.
async fn refused(api: &Api, token: &str, subject: &str, email: &str) -> Value {
    api.send(accept(token, subject, email)).await.expect_problem(404, "invitation_not_found")
}

#[tokio::test]
async fn an_invited_person_becomes_a_member_with_the_token_in_the_mail() {
    let api = Api::new().await;
    let invited = invite_guest(&api).await;
    assert_eq!(
        (&invited["sent"], &invited["state"], &invited["role"]),
        (&json!(true), &json!("OPEN"), &json!("OPERATOR"))
    );
    let mails = api.cloud.mails().await;
    assert_eq!((mails.len(), &mails[0]["To"]), (1, &json!([GUEST_EMAIL])));
    assert_eq!(mails[0]["Subject"], "You are invited to Robnu");
    assert!(mails[0]["BodyText"].as_str().unwrap().contains("to join \"a seller\" on Robnu"));
    let token = token_for(&api, GUEST_EMAIL).await;
    // Capitals do not make another address.
    let joined = api.send(accept(&token, GUEST, "Guest@Example.invalid")).await.expect(200);
    let ours = api.sellers.ours.id.to_string();
    let expected = json!({"seller_id": ours, "name": "a seller", "role": "OPERATOR", "scan_returns": false});
    assert_eq!(joined, expected);
    let orders = Call::get(&seller_path(&api, "/orders")).by_subject(GUEST);
    api.send(orders).await.expect(200);
    let theirs = Call::get(&format!("/v1/sellers/{}/orders", api.sellers.theirs.id)).by_subject(GUEST);
    api.send(theirs).await.expect_problem(404, "seller_not_found");
    let list = api.get("OWNER", &seller_path(&api, "/invitations")).await.expect(200);
    assert_eq!(
        (&list["invitations"][0]["state"], &list["invitations"][0]["email"]),
        (&json!("ACCEPTED"), &json!(GUEST_EMAIL))
    );
}

#[tokio::test]
async fn an_invitation_can_give_only_the_right_to_scan_returns() {
    let api = Api::new().await;
    invite(&api, "ADMIN", &json!({"email": GUEST_EMAIL, "scan_returns": true})).await.expect(201);
    let token = token_for(&api, GUEST_EMAIL).await;
    let joined = api.send(accept(&token, GUEST, GUEST_EMAIL)).await.expect(200);
    assert_eq!((&joined["role"], &joined["scan_returns"]), (&Value::Null, &json!(true)));
    let orders = Call::get(&seller_path(&api, "/orders")).by_subject(GUEST);
    api.send(orders).await.expect_problem(403, "forbidden");
    for body in [
        json!({"email": "b@example.invalid"}),
        json!({"email": "b@example.invalid", "role": null, "scan_returns": false}),
    ] {
        invite(&api, "OWNER", &body).await.expect_problem(422, "invalid_body");
    }
}

#[tokio::test]
async fn every_invalid_token_gets_the_same_response() {
    let api = Api::new().await;
    let invited = invite_guest(&api).await;
    let token = token_for(&api, GUEST_EMAIL).await;
    let before = api.contents().await;
    let mut answers = vec![
        refused(&api, "", GUEST, GUEST_EMAIL).await,
        refused(&api, "no token", GUEST, GUEST_EMAIL).await,
        refused(&api, &"A".repeat(43), GUEST, GUEST_EMAIL).await,
        refused(&api, &token, "another guest", "another@example.invalid").await,
    ];
    assert_eq!(api.contents().await, before);
    api.arrange("update robnu.invitations set expires_at = now() - interval '1 second'").await;
    answers.push(refused(&api, &token, GUEST, GUEST_EMAIL).await);
    api.arrange("update robnu.invitations set expires_at = now() + interval '1 day'").await;
    let suspend = "update robnu.sellers set suspended_at = now(), suspension_reason = 'unpaid'";
    api.arrange(suspend).await;
    answers.push(refused(&api, &token, GUEST, GUEST_EMAIL).await);
    api.arrange("update robnu.sellers set suspended_at = null, suspension_reason = null").await;
    assert_eq!(revoke(&api, "OWNER", &invited).await.status, 204);
    answers.push(refused(&api, &token, GUEST, GUEST_EMAIL).await);

    invite_guest(&api).await;
    let token = token_for(&api, GUEST_EMAIL).await;
    api.send(accept(&token, GUEST, GUEST_EMAIL)).await.expect(200);
    answers.push(refused(&api, &token, GUEST, GUEST_EMAIL).await);
    answers.push(refused(&api, &token, "another guest", GUEST_EMAIL).await);
    let texts: BTreeSet<String> = answers.iter().map(Value::to_string).collect();
    assert_eq!(texts.len(), 1, "{texts:?}");
}

#[tokio::test]
async fn only_a_verified_email_accepts() {
    let api = Api::new().await;
    invite_guest(&api).await;
    let token = token_for(&api, GUEST_EMAIL).await;
    let unverified = accept(&token, GUEST, GUEST_EMAIL).claim("email_verified", "false");
    api.send(unverified).await.expect_problem(403, "email_not_verified");
    let access_token = Call::post("/v1/invitations/accept", &json!({"token": token})).by_subject(GUEST);
    api.send(access_token).await.expect_problem(400, "id_token_required");
    api.send(accept(&token, GUEST, GUEST_EMAIL)).await.expect(200);
}

#[tokio::test]
async fn a_token_that_two_people_use_at_once_makes_one_member() {
    let api = Api::with_pool(4).await;
    invite_guest(&api).await;
    let token = token_for(&api, GUEST_EMAIL).await;
    let calls = (0..4).map(|n| api.send(accept(&token, &format!("guest-{n}"), GUEST_EMAIL)));
    let answers = futures_util::future::join_all(calls).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    let members = "select count(*) from robnu.members m join robnu.people p on p.id = m.person_id where p.subject ~ '^guest-'";
    assert_eq!(api.count(members).await, 1);
}

#[tokio::test]
async fn a_mail_that_is_sent_again_has_a_new_token_and_voids_the_old_one() {
    let api = Api::new().await;
    let invited = invite_guest(&api).await;
    let old = token_for(&api, GUEST_EMAIL).await;
    resend(&api, "OWNER", &invited).await.expect_problem(409, "invitation_just_sent");
    a_minute_later(&api).await;
    api.arrange("update robnu.invitations set expires_at = now() - interval '1 second'").await;
    let again = resend(&api, "OWNER", &invited).await.expect(200);
    assert_eq!(
        (&again["sent"], &again["state"], &again["invitation_id"]),
        (&json!(true), &json!("OPEN"), &invited["invitation_id"])
    );
    let new = token_for(&api, GUEST_EMAIL).await;
    assert_ne!(old, new);
    refused(&api, &old, GUEST, GUEST_EMAIL).await;
    api.send(accept(&new, GUEST, GUEST_EMAIL)).await.expect(200);
    resend(&api, "OWNER", &invited).await.expect_problem(409, "invitation_closed");
    revoke(&api, "OWNER", &invited).await.expect_problem(409, "invitation_closed");
}

#[tokio::test]
async fn an_invitation_whose_mail_is_refused_stays_and_is_sent_again() {
    let api = Api::new().await;
    api.cloud.refuse_mails().await;
    let invited = invite_guest(&api).await;
    assert_eq!(
        (&invited["sent"], &invited["sent_at"], &invited["state"]),
        (&json!(false), &Value::Null, &json!("OPEN"))
    );
    // The mail might still be on its way.
    resend(&api, "OWNER", &invited).await.expect_problem(409, "invitation_just_sent");
    a_minute_later(&api).await;
    assert_eq!(resend(&api, "OWNER", &invited).await.expect(200)["sent"], false);
    api.cloud.take_mails().await;
    a_minute_later(&api).await;
    assert_eq!(resend(&api, "OWNER", &invited).await.expect(200)["sent"], true);
    assert_eq!(api.cloud.mails().await.len(), 1);
    let token = token_for(&api, GUEST_EMAIL).await;
    api.send(accept(&token, GUEST, GUEST_EMAIL)).await.expect(200);
}

#[tokio::test]
async fn a_mail_is_sent_again_a_minute_after_the_last_or_five_seconds_after_an_unfinished_one() {
    let api = Api::new().await;
    let invited = invite_guest(&api).await;
    for (sent, seconds, goes) in [(true, 55, false), (true, 65, true), (false, 2, false), (false, 6, true)] {
        let sent_at = if sent { "token_made_at" } else { "null" };
        api.arrange(&format!(
            "update robnu.invitations set token_made_at = now() - interval '{seconds} seconds';
             update robnu.invitations set sent_at = {sent_at}"
        ))
        .await;
        let before = api.contents().await;
        let answer = resend(&api, "OWNER", &invited).await;
        if goes {
            assert_eq!(answer.expect(200)["sent"], true, "{sent} {seconds}");
        } else {
            answer.expect_problem(409, "invitation_just_sent");
            assert_eq!(api.contents().await, before, "{sent} {seconds}: the token in that mail stays valid");
        }
    }
    assert_eq!(api.cloud.mails().await.len(), 3);
}

#[tokio::test]
async fn only_the_letters_of_ascii_are_the_same_in_capitals() {
    let api = Api::new().await;
    let email = "kim.ilse@example.invalid";
    invite(&api, "OWNER", &json!({"email": email, "role": "VIEWER"})).await.expect(201);
    let token = token_for(&api, email).await;
    // The Kelvin sign, the capital I with a dot, the small i without one, and the long s: other foldings map each to an
    // ASCII letter.
    for other in ["\u{212A}im.ilse", "kim.\u{130}lse", "kim.\u{131}lse", "kim.il\u{17F}e"] {
        refused(&api, &token, GUEST, &format!("{other}@example.invalid")).await;
    }
    api.send(accept(&token, GUEST, "KIM.Ilse@EXAMPLE.invalid")).await.expect(200);
}

#[tokio::test]
async fn an_address_of_the_same_mailbox_is_another_address() {
    let api = Api::new().await;
    let email = "kim.ilse+shop@gmail.com";
    invite(&api, "OWNER", &json!({"email": email, "role": "VIEWER"})).await.expect(201);
    let token = token_for(&api, email).await;
    for other in ["kim.ilse@gmail.com", "kimilse+shop@gmail.com", "kim.ilse+shop@googlemail.com"] {
        refused(&api, &token, GUEST, other).await;
    }
    api.send(accept(&token, GUEST, email)).await.expect(200);
}

#[tokio::test]
async fn neither_the_sellers_name_nor_the_inviters_address_is_a_link_in_the_mail() {
    let api = Api::new().await;
    api.arrange(
        "update robnu.sellers set name = 'Prize! https://evil.example/win www.evil\u{2024}example a@evil.example 98765 43210';
         update robnu.people set email = 'www.evil.example/login-x@evil.example'",
    )
    .await;
    invite_guest(&api).await;
    let mails = api.cloud.mails().await;
    assert_eq!(mails[0]["Subject"], "You are invited to Robnu");
    for body in ["BodyText", "BodyHtml"] {
        let text = mails[0][body].as_str().unwrap();
        assert!(
            text.contains("Prize!") && text.contains("www. evil. example login-x at evil. example"),
            "{text}"
        );
        assert!(
            !text.contains("evil.example") && !text.contains(['\u{2024}', '@']) && !text.contains("43210"),
            "{text}"
        );
        let links: Vec<_> = text.match_indices("://").map(|(at, _)| &text[at - 5..]).collect();
        assert!(links.iter().all(|link| link.starts_with(APP_URL)) && links.len() == 1, "{links:?}");
    }
}

#[tokio::test]
async fn a_repeated_request_mails_once_and_gets_the_same_response() {
    let api = Api::new().await;
    let body = json!({"email": GUEST_EMAIL, "role": "VIEWER"});
    let call =
        Call::post(&seller_path(&api, "/invitations"), &body).by(&api.sellers.ours, "OWNER").key("key-1");
    let first = api.send(call.clone()).await.expect(201);
    let second = api.send(call).await.expect(201);
    assert_eq!((&first, &first["sent"]), (&second, &json!(true)));
    assert_eq!(api.cloud.mails().await.len(), 1);
}

#[tokio::test]
async fn an_address_is_invited_once_at_a_time() {
    let api = Api::new().await;
    let invited = invite_guest(&api).await;
    let again = json!({"email": "GUEST@example.invalid", "role": "VIEWER"});
    invite(&api, "OWNER", &again).await.expect_problem(409, "invitation_exists");
    // Another seller may invite them too.
    let theirs = format!("/v1/sellers/{}/invitations", api.sellers.theirs.id);
    api.send(Call::post(&theirs, &again).by(&api.sellers.theirs, "OWNER")).await.expect(201);
    assert_eq!(revoke(&api, "OWNER", &invited).await.status, 204);
    assert_eq!(revoke(&api, "OWNER", &invited).await.status, 204, "it stays revoked");
    resend(&api, "OWNER", &invited).await.expect_problem(409, "invitation_closed");
    invite(&api, "OWNER", &again).await.expect(201);
}

#[tokio::test]
async fn the_response_does_not_reveal_who_has_an_account() {
    let api = Api::new().await;
    let mut answers = Vec::new();
    // A member of another seller, and a person without an account.
    api.arrange("insert into robnu.people (subject, email) values ('known', 'known@example.invalid')").await;
    for email in ["known@example.invalid", "nobody@example.invalid"] {
        let mut answer = invite(&api, "OWNER", &json!({"email": email, "role": "VIEWER"})).await.expect(201);
        for field in ["invitation_id", "email", "created_at", "expires_at", "sent_at"] {
            answer[field].take();
        }
        answers.push(answer);
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn an_admin_cannot_invite_owners_or_admins_or_touch_their_invitations() {
    let api = Api::new().await;
    let before = api.contents().await;
    for role in ["OWNER", "ADMIN"] {
        let body = json!({"email": GUEST_EMAIL, "role": role});
        invite(&api, "ADMIN", &body).await.expect_problem(403, "forbidden");
    }
    assert_eq!(api.contents().await, before);
    let owner = invite(&api, "OWNER", &json!({"email": GUEST_EMAIL, "role": "OWNER"})).await.expect(201);
    a_minute_later(&api).await;
    resend(&api, "ADMIN", &owner).await.expect_problem(403, "forbidden");
    revoke(&api, "ADMIN", &owner).await.expect_problem(403, "forbidden");
    invite(&api, "ADMIN", &json!({"email": "b@example.invalid", "role": "FINANCE"})).await.expect(201);
    for role in ["OPERATOR", "FINANCE", "VIEWER", "SCANNER"] {
        let path = seller_path(&api, "/invitations");
        api.get(role, &path).await.expect_problem(403, "forbidden");
    }
}

#[tokio::test]
async fn a_seller_has_a_hundred_open_invitations_at_most_even_at_the_same_time() {
    let api = Api::with_pool(4).await;
    // The fixture has one.
    let many = "insert into robnu.invitations (seller_id, email, role, token_hash)
        select seller_id, 'a' || n || '@example.invalid', 'VIEWER', sha256(n::text::bytea)
        from robnu.sellers, generate_series(1, 97) n";
    api.arrange(many).await;
    let bodies: Vec<Value> =
        (0..4).map(|n| json!({"email": format!("b{n}@example.invalid"), "role": "VIEWER"})).collect();
    let answers = futures_util::future::join_all(bodies.iter().map(|body| invite(&api, "OWNER", body))).await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((made.len(), refused.len()), (2, 2));
    for answer in refused {
        answer.expect_problem(409, "too_many_invitations");
    }
    assert_eq!(api.cloud.mails().await.len(), 2);
}

#[tokio::test]
async fn a_name_that_tries_to_be_a_header_reaches_no_header() {
    let api = Api::new().await;
    let hostile = "x\r\nBcc: everybody@example.invalid\r\n\r\n<a href=https://evil.invalid>";
    let rename =
        format!("update robnu.sellers set name = e'{}'", hostile.replace('\r', "\\r").replace('\n', "\\n"));
    api.arrange(&rename).await;
    invite_guest(&api).await;
    let mails = api.cloud.mails().await;
    let mail = &mails[0];
    assert_eq!((&mail["To"], &mail["CC"], &mail["BCC"]), (&json!([GUEST_EMAIL]), &json!([]), &json!([])));
    assert!(!mail["Subject"].as_str().unwrap().contains(['\r', '\n']));
    assert!(!mail["BodyHtml"].as_str().unwrap().contains("<a href=https://evil"));
    for email in ["a@b.co\r\nBcc: c@d.co", "a@b.co,c@d.co", "Ravi <a@b.co>"] {
        let body = json!({"email": email, "role": "VIEWER"});
        let problem = invite(&api, "OWNER", &body).await.expect_problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["field"], "email");
    }
    assert_eq!(api.cloud.mails().await.len(), 1);
}

#[tokio::test]
async fn the_token_is_in_the_mail_and_in_no_response_log_line_or_table() {
    let api = Api::new().await;
    let captured = Captured::default();
    let guard = captured.listen();
    let body = json!({"email": GUEST_EMAIL, "role": "VIEWER"});
    let call =
        Call::post(&seller_path(&api, "/invitations"), &body).by(&api.sellers.ours, "OWNER").key("key-1");
    let mut texts = vec![api.send(call).await.text];
    let token = token_for(&api, GUEST_EMAIL).await;
    texts.push(api.get("OWNER", &seller_path(&api, "/invitations")).await.text);
    texts.push(api.send(accept(&token, "another guest", "another@example.invalid")).await.text);
    texts.push(api.send(accept(&token, GUEST, GUEST_EMAIL).key("key-2")).await.text);
    texts.push(api.get("OWNER", &seller_path(&api, "/audit")).await.text);
    drop(guard);
    texts.push(captured.text());
    texts.extend(api.contents().await.into_values());

    let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
    assert_eq!(bytes.len(), 32);
    let digits = bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    for form in [token, digits, STANDARD.encode(&bytes)] {
        assert!(!texts.iter().any(|text| text.contains(&form)), "the token is somewhere as {form}");
    }
    assert!(captured.text().contains("request"), "something was logged");
}
