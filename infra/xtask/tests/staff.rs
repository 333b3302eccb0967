//! Staff on the deployed stack: they suspend and resume a seller, and act for a seller in an impersonation session that its
//! owner can see.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod stack;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use stack::{Owner, Stack, unique};

/// A staff member with a user in the pool and without a seller.
struct StaffMember<'a> {
    stack: &'a Stack,
    token: String,
}

impl<'a> StaffMember<'a> {
    /// Makes a person of the pool a staff member, as the migrate function does for the subjects in `StaffSubjects`. The test does
    /// not deploy with another `StaffSubjects`, because that would remove the staff members of the other test.
    async fn new(stack: &'a Stack) -> Self {
        let admin = Self { stack, token: stack.new_person("staff").await };
        admin.call(Method::GET, "/v1/admin/sellers", None).await.expect_problem(404, "route_not_found");
        let claims = URL_SAFE_NO_PAD.decode(admin.token.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        let mut database = stack.database().await;
        let transaction = database.transaction().await.unwrap();
        transaction.batch_execute("set local role robnu_owner").await.unwrap();
        let insert = "insert into robnu.staff (subject) values ($1)";
        transaction.execute(insert, &[&claims["sub"].as_str().unwrap()]).await.unwrap();
        transaction.commit().await.unwrap();
        admin
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        self.stack.call(Some(&self.token), method, path, body).await.into()
    }

    /// Makes a call within an impersonation session.
    async fn within(&self, session: &str, method: Method, path: &str, body: Option<&Value>) -> Answer {
        call_within(self.stack, &self.token, session, method, path, body).await
    }

    /// Opens a session with the rights of an ADMIN.
    async fn open(&self, seller: &str, reason: &str) -> String {
        let body = json!({"seller_id": seller, "reason": reason, "role": "ADMIN", "minutes": 5});
        let session = self.call(Method::POST, "/v1/admin/impersonations", Some(&body)).await.expect(201);
        assert_eq!(
            (&session["seller_id"], &session["is_yours"]),
            (&json!(seller), &json!(true)),
            "{session}"
        );
        session["impersonation_id"].as_str().unwrap().to_owned()
    }
}

async fn call_within(
    stack: &Stack,
    token: &str,
    session: &str,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Answer {
    let request = stack.http.request(method, format!("{}{path}", stack.fact("api_url"))).bearer_auth(token);
    let request = request.header("impersonation-session", session);
    let request = body.into_iter().fold(request, reqwest::RequestBuilder::json);
    let answer = request.send().await.unwrap();
    (answer.status(), answer.json().await.unwrap_or(Value::Null)).into()
}

/// A response of the API.
struct Answer(StatusCode, Value);

impl From<(StatusCode, Value)> for Answer {
    fn from((status, body): (StatusCode, Value)) -> Self {
        Self(status, body)
    }
}

impl Answer {
    #[track_caller]
    fn expect(self, status: u16) -> Value {
        assert_eq!(self.0.as_u16(), status, "{}", self.1);
        self.1
    }

    #[track_caller]
    fn expect_problem(self, status: u16, code: &str) {
        assert_eq!((self.0.as_u16(), self.1["code"].as_str()), (status, Some(code)), "{}", self.1);
    }
}

fn path_of(owner: &Owner, rest: &str) -> String {
    format!("/v1/sellers/{}{rest}", owner.seller)
}

async fn read(stack: &Stack, owner: &Owner, rest: &str) -> Value {
    Answer::from(stack.call(Some(&owner.token), Method::GET, &path_of(owner, rest), None).await).expect(200)
}

/// Makes a change that every owner may make.
async fn rename(stack: &Stack, owner: &Owner, name: &str) -> Answer {
    let body = json!({"name": name});
    stack.call(Some(&owner.token), Method::PATCH, &path_of(owner, ""), Some(&body)).await.into()
}

#[tokio::test]
async fn a_suspended_seller_can_be_read_but_not_changed_until_it_is_resumed() {
    let stack = Stack::get();
    let staff = StaffMember::new(&stack).await;
    let names = [unique("unpaid"), unique("paid")];
    let (ours, theirs) = (stack.new_owner(&names[0]).await, stack.new_owner(&names[1]).await);
    let me = staff.call(Method::GET, "/v1/me", None).await.expect(200);
    assert_eq!((&me["is_staff"], &me["sellers"]), (&json!(true), &json!([])), "{me}");
    for (name, owner) in names.iter().zip([&ours, &theirs]) {
        let list = format!("/v1/admin/sellers?name={name}&suspended=false");
        let listed = staff.call(Method::GET, &list, None).await.expect(200);
        let ids: Vec<&Value> =
            listed["sellers"].as_array().unwrap().iter().map(|one| &one["seller_id"]).collect();
        assert_eq!(ids, [&json!(owner.seller)], "{listed}");
    }

    let admin = format!("/v1/admin/sellers/{}", ours.seller);
    let reason = json!({"reason": "three invoices are open"});
    let mine = Answer::from(
        stack.call(Some(&ours.token), Method::POST, &format!("{admin}/suspend"), Some(&reason)).await,
    );
    mine.expect_problem(404, "route_not_found");
    let suspended = staff.call(Method::POST, &format!("{admin}/suspend"), Some(&reason)).await.expect(200);
    assert_eq!(suspended["suspension_reason"], reason["reason"], "{suspended}");
    rename(&stack, &ours, "renamed").await.expect_problem(403, "seller_suspended");
    let account = json!({"marketplace": "AJIO", "external_account_id": unique("DV"), "display_name": "AJIO",
        "details": {"username": "a", "password": "correct horse"}});
    let connect =
        stack.call(Some(&ours.token), Method::POST, &path_of(&ours, "/accounts"), Some(&account)).await;
    Answer::from(connect).expect_problem(403, "seller_suspended");
    let shown = read(&stack, &ours, "").await;
    assert_eq!(
        (&shown["name"], &shown["suspended"]["reason"]),
        (&json!(names[0]), &reason["reason"]),
        "{shown}"
    );
    assert_eq!(read(&stack, &ours, "/orders").await["orders"], json!([]));
    rename(&stack, &theirs, "renamed").await.expect(200);

    let resumed = staff.call(Method::POST, &format!("{admin}/resume"), None).await.expect(200);
    assert_eq!(resumed["suspended_at"], Value::Null, "{resumed}");
    assert_eq!(rename(&stack, &ours, "renamed").await.expect(200)["name"], "renamed");
    let trail = read(&stack, &ours, "/audit?action=seller.changed").await;
    let kinds =
        trail["events"].as_array().unwrap().iter().map(|event| event["actor"]["kind"].as_str().unwrap());
    assert_eq!(kinds.collect::<Vec<_>>(), ["MEMBER", "STAFF", "STAFF"], "{trail}");
}

#[tokio::test]
async fn an_impersonation_opens_one_seller_until_it_ends_and_its_owner_sees_it() {
    let stack = Stack::get();
    let staff = StaffMember::new(&stack).await;
    let (ours, theirs) = (stack.new_owner("helped").await, stack.new_owner("uninvolved").await);
    let orders = path_of(&ours, "/orders");
    staff.call(Method::GET, &orders, None).await.expect_problem(404, "seller_not_found");
    let session = staff.open(&ours.seller, "the owner asked for help by telephone").await;
    // Only the session gives access; being staff does not.
    staff.call(Method::GET, &orders, None).await.expect_problem(404, "seller_not_found");
    staff.within(&session, Method::GET, &orders, None).await.expect(200);
    let renamed = json!({"name": "renamed by staff"});
    let seller = path_of(&ours, "");
    let shown = staff.within(&session, Method::PATCH, &seller, Some(&renamed)).await.expect(200);
    assert_eq!((&shown["name"], &shown["role"]), (&renamed["name"], &json!("ADMIN")), "{shown}");

    // The session works neither for another seller nor for another person.
    let elsewhere = staff.within(&session, Method::GET, &path_of(&theirs, "/orders"), None).await;
    elsewhere.expect_problem(403, "impersonation_over");
    let elsewhere = staff.within(&session, Method::PATCH, &path_of(&theirs, ""), Some(&renamed)).await;
    elsewhere.expect_problem(403, "impersonation_over");
    let borrowed = call_within(&stack, &theirs.token, &session, Method::GET, &orders, None).await;
    borrowed.expect_problem(403, "impersonation_over");
    assert_eq!(read(&stack, &theirs, "").await["name"], "uninvolved");
    assert!(!read(&stack, &theirs, "/audit").await.to_string().contains(&session));

    let trail = read(&stack, &ours, "/audit").await;
    let events = trail["events"].as_array().unwrap();
    let done: Vec<[&Value; 3]> = events
        .iter()
        .filter(|event| event["impersonation_session_id"] == *session)
        .map(|event| [&event["action"], &event["actor"]["kind"], &event["changed"]])
        .collect();
    assert_eq!(done, [[&json!("seller.changed"), &json!("STAFF"), &json!(["name"])]], "{trail}");
    let opened = events.iter().find(|event| event["action"] == "impersonation.created").unwrap();
    assert_eq!(
        (&opened["object_id"], &opened["shown"]["reason"]),
        (&json!(session), &json!("the owner asked for help by telephone"))
    );

    let end = format!("/v1/admin/impersonations/{session}");
    staff.call(Method::DELETE, &end, None).await.expect(204);
    staff.within(&session, Method::GET, &orders, None).await.expect_problem(403, "impersonation_over");
    let late = staff.within(&session, Method::PATCH, &seller, Some(&json!({"name": "too late"}))).await;
    late.expect_problem(403, "impersonation_over");
    assert_eq!(read(&stack, &ours, "").await["name"], "renamed by staff");
}
