//! What one person can make the platform spend: accounts, openings of lanes and sign-ups have bounds by account, seller,
//! person and address, which hold under concurrency too.

use futures_util::future::join_all;
use robnu_testkit::Seller;
use serde_json::{Value, json};
use simulators::AjioAccount;

use crate::support::{Answer, Api, Call, ajio};

fn account(api: &Api) -> String {
    format!("/v1/sellers/{}/accounts/{}", api.sellers.ours.id, api.sellers.ours.ajio)
}

fn details() -> Value {
    json!({"details": {"username": "DV0001", "password": "correct horse"}})
}

/// Makes our owner an owner of the other seller too.
async fn own_both(api: &Api) {
    let (ours, theirs) = (api.sellers.ours.id, api.sellers.theirs.id);
    api.arrange(&format!(
        "insert into robnu.members (seller_id, person_id, role)
         select '{theirs}', id, 'OWNER' from robnu.people where subject = 'OWNER@{ours}'"
    ))
    .await;
}

/// Sets the number of lanes that were opened again today, for accounts of the seller and by the owner of another.
async fn open_again(api: &Api, seller: &Seller, person: &Seller, how_many: usize) {
    api.arrange(&format!(
        "insert into robnu.lane_openings (seller_id, account_id, person_id, is_repeated)
         select '{}', '{}', p.id, true from robnu.people p, generate_series(1, {how_many}) where p.subject = 'OWNER@{}'",
        seller.id, seller.flipkart, person.id
    ))
    .await;
}

#[track_caller]
fn expect_wait(answer: Answer, status: u16, code: &str) {
    let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=86_400).contains(&wait), "{wait}");
    answer.expect_problem(status, code);
}

#[tokio::test]
async fn ten_honest_reconnections_in_a_day_work_and_a_loop_of_them_ends() {
    let api = Api::new().await;
    let path = account(&api);
    let again = |call: &str| format!("{path}/{call}");
    for _ in 0..10 {
        api.post("OWNER", &again("disconnect"), &json!({})).await.expect(200);
        api.put("OWNER", &again("credentials"), &details()).await.expect(200);
        api.post("OWNER", &again("pause"), &json!({})).await.expect(200);
        api.post("OWNER", &again("resume"), &json!({})).await.expect(200);
    }
    // New details for a connected account open no lane.
    for _ in 0..3 {
        api.put("OWNER", &again("credentials"), &details()).await.expect(200);
    }
    api.post("OWNER", &again("disconnect"), &json!({})).await.expect(200);
    let generation = "select sum(credentials_generation) from robnu.marketplace_accounts";
    let before = api.count(generation).await;
    for _ in 0..3 {
        let answer = api.put("OWNER", &again("credentials"), &details()).await;
        expect_wait(answer, 429, "reconnected_too_often");
        api.post("OWNER", &again("disconnect"), &json!({})).await.expect(200);
    }
    assert_eq!(api.count(generation).await, before, "nothing was replaced");
    // Another account, and another seller's account, are not affected.
    let other = path.replace(&api.sellers.ours.ajio.to_string(), &api.sellers.ours.amazon.to_string());
    for call in ["pause", "resume"] {
        api.post("OWNER", &format!("{other}/{call}"), &json!({})).await.expect(200);
    }
    let theirs = &api.sellers.theirs;
    for call in ["pause", "resume"] {
        let path = format!("/v1/sellers/{}/accounts/{}/{call}", theirs.id, theirs.ajio);
        api.send(Call::post(&path, &json!({})).by(theirs, "OWNER")).await.expect(200);
    }
    api.arrange("update robnu.lane_openings set opened_at = opened_at - interval '1 day'").await;
    api.put("OWNER", &again("credentials"), &details()).await.expect(200);
}

#[tokio::test]
async fn a_seller_and_a_person_open_few_lanes_a_third_time_and_any_number_twice() {
    let api = Api::with_pool(4).await;
    own_both(&api).await;
    let (ours, theirs) = (&api.sellers.ours, &api.sellers.theirs);
    // The person has opened 98 accounts more than twice, in both sellers together.
    open_again(&api, theirs, ours, 98).await;
    let accounts = [ours.ajio, ours.amazon, ours.flipkart, ours.meesho];
    let resume_all = async |seller: &Seller, accounts: &[robnu_tenancy::AccountId]| {
        let call = |account, verb: &str| {
            let path = format!("/v1/sellers/{}/accounts/{account}/{verb}", seller.id);
            api.send(Call::post(&path, &json!({})).by(ours, "OWNER"))
        };
        for answer in join_all(accounts.iter().map(|account| call(account, "pause"))).await {
            answer.expect(200);
        }
        let answers = join_all(accounts.iter().map(|account| call(account, "resume"))).await;
        let refused: Vec<Answer> = answers.into_iter().filter(|answer| answer.status != 200).collect();
        let count = refused.len();
        for answer in refused {
            expect_wait(answer, 429, "reconnected_too_often");
        }
        count
    };
    for _ in 0..2 {
        assert_eq!(resume_all(ours, &accounts).await, 0, "twice is not a loop");
    }
    assert_eq!(resume_all(ours, &accounts).await, 2, "concurrent openings count each other");
    assert_eq!(api.count("select count(*) from robnu.lane_openings where is_repeated").await, 100);
    // The other seller's own owner has a separate count, and that seller has 98.
    let path = format!("/v1/sellers/{}/accounts/{}", theirs.id, theirs.ajio);
    let mut refused = 0;
    for _ in 0..6 {
        for verb in ["pause", "resume"] {
            let answer =
                api.send(Call::post(&format!("{path}/{verb}"), &json!({})).by(theirs, "OWNER")).await;
            refused += usize::from(answer.status != 200);
        }
    }
    assert_eq!(refused, 2, "two of four more than twice, whose pauses find the account paused");
}

#[tokio::test]
async fn changes_by_jobs_do_not_count_as_lane_openings() {
    let api = Api::new().await;
    api.arrange("update robnu.marketplace_accounts set status = 'PAUSED'").await;
    api.arrange("update robnu.marketplace_accounts set status = 'ACTIVE'").await;
    assert_eq!(
        api.count("select count(*) from robnu.lane_openings where opened_at > now() - interval '1 day'")
            .await,
        0
    );
}

#[tokio::test]
async fn an_account_without_a_lane_gets_no_runs() {
    let api = Api::new().await;
    let path = account(&api);
    let untouched = "status = 'ACTIVE', verified_at = null";
    let refused = "status = 'NEEDS_RECONNECT', refused_since = now() - interval '7 days'";
    for (standing, why) in [(untouched, "account_not_verified"), (refused, "account_not_active")] {
        api.arrange(&format!("update robnu.marketplace_accounts set {standing}")).await;
        let tested = api.post("OWNER", &format!("{path}/test"), &json!({})).await;
        tested.expect_problem(409, "account_not_verified");
        let synced = api.post("OWNER", &format!("{path}/sync"), &json!({"kind": "ORDERS"})).await;
        synced.expect_problem(409, why);
        api.arrange("update robnu.marketplace_accounts set status = 'ACTIVE', verified_at = now()").await;
    }
    api.arrange("update robnu.marketplace_accounts set status = 'NEEDS_RECONNECT'").await;
    api.post("OWNER", &format!("{path}/test"), &json!({})).await.expect(202);
}

#[tokio::test]
async fn a_request_for_the_present_status_publishes_nothing() {
    let api = Api::new().await;
    let path = account(&api);
    api.arrange("update robnu.marketplace_accounts set status = 'PAUSED', lane_state = 'PAUSED'").await;
    for _ in 0..3 {
        api.post("OWNER", &format!("{path}/pause"), &json!({})).await.expect(200);
    }
    assert!(api.cloud.messages(&api.cloud.lane_requests).await.is_empty());
    api.post("OWNER", &format!("{path}/resume"), &json!({})).await.expect(200);
    assert_eq!(api.cloud.messages(&api.cloud.lane_requests).await.len(), 1);
}

#[tokio::test]
async fn a_person_connects_a_hundred_accounts_in_a_day_in_all_sellers_together() {
    let api = Api::with_pool(4).await;
    own_both(&api).await;
    let (ours, theirs) = (&api.sellers.ours, &api.sellers.theirs);
    // 49 in each seller by our owner, and some that staff connected.
    api.arrange(&format!(
        "insert into robnu.marketplace_accounts (seller_id, marketplace_code, external_account_id, display_name, connected_by)
         select s.seller_id, 'AJIO', 'MANY-' || n, 'many', case when n < 50 then p.id end
         from robnu.sellers s, generate_series(1, 60) n, robnu.people p where p.subject = 'OWNER@{}'",
        ours.id
    ))
    .await;
    let connect = |seller: &Seller, person: &Seller, id: &str| {
        let path = format!("/v1/sellers/{}/accounts", seller.id);
        api.send(Call::post(&path, &ajio(id)).by(person, "OWNER"))
    };
    let calls = [(ours, "DV1"), (theirs, "DV1"), (ours, "DV2"), (theirs, "DV2")];
    let answers = join_all(calls.map(|(seller, id)| connect(seller, ours, id))).await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((made.len(), refused.len()), (2, 2), "98, and two more");
    for answer in refused {
        answer.expect_problem(409, "too_many_accounts_today");
    }
    connect(theirs, theirs, "DV3").await.expect(201);
    let names =
        "select count(*) from robnu.marketplace_accounts a join robnu.people p on p.id = a.connected_by
        where a.external_account_id = 'DV3' and p.subject = 'OWNER@'";
    assert_eq!(api.count(&names.replace("OWNER@", &format!("OWNER@{}", theirs.id))).await, 1);
    api.arrange("update robnu.marketplace_accounts set created_at = created_at - interval '1 day'").await;
    connect(theirs, ours, "DV4").await.expect(201);
}

/// A sign-up by a person of this name, with this address, from there.
fn sign_up(name: &str, email: &str, source: &str) -> Call {
    let call = Call::post("/v1/sellers", &json!({"name": name})).by_subject(name).from(source);
    call.claim("email", email).claim("email_verified", "true")
}

/// Sends all at the same time and returns how many sellers there are then; the others were asked to wait.
async fn sign_up_all(api: &Api, calls: Vec<Call>) -> usize {
    let answers = join_all(calls.into_iter().map(|call| api.send(call))).await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    for answer in refused {
        expect_wait(answer, 429, "too_many_sign_ups");
    }
    made.len()
}

async fn bound_sign_ups(api: &Api, address: i32, source: i32) {
    let bounds = format!("sign_ups_per_address_a_day = {address}, sign_ups_per_source_a_day = {source}");
    api.arrange(&format!("update robnu.orgs set {bounds}")).await;
}

#[tokio::test]
async fn spellings_of_one_address_sign_few_sellers_up_even_at_the_same_time() {
    let api = Api::with_pool(4).await;
    bound_sign_ups(&api, 5, 1_000).await;
    let spellings = [
        "asha.rao@gmail.com",
        "ASHA.RAO@GMAIL.COM",
        "asharao@gmail.com",
        "a.s.h.a.rao+1@gmail.com",
        "asha.rao+shop@Gmail.com",
        "asharao+2@gmail.com",
        "AshaRao+3+4@gmail.com",
        "asha.r.a.o@gmail.com",
    ];
    let person = |n: usize, email: &str| sign_up(&format!("person {n}"), email, &format!("203.0.113.{n}"));
    let calls = spellings.iter().enumerate().map(|(n, email)| person(n, email)).collect();
    assert_eq!(sign_up_all(&api, calls).await, 5);
    // With other mail providers, an address with dots or tags counts separately.
    api.send(person(20, "asha.rao@example.invalid")).await.expect(201);
    let before = api.contents().await;
    expect_wait(api.send(person(21, "asharao@gmail.com")).await, 429, "too_many_sign_ups");
    assert_eq!(api.contents().await, before);
    api.arrange("update robnu.sign_up_counts set began_at = began_at - interval '1 day'").await;
    api.send(person(21, "asharao@gmail.com")).await.expect(201);
}

#[tokio::test]
async fn one_source_signs_few_sellers_up_however_many_persons_it_has() {
    let api = Api::with_pool(4).await;
    bound_sign_ups(&api, 5, 20).await;
    let person =
        |n: usize, source: &str| sign_up(&format!("person {n}"), &format!("p{n}@example.invalid"), source);
    let household = (0..24).map(|n| person(n, &format!("2001:db8:1:2::{n}"))).collect();
    assert_eq!(sign_up_all(&api, household).await, 20);
    api.send(person(30, "2001:db8:1:3::1")).await.expect(201);
    let shown = "select count(*) from robnu.sign_up_counts where encode(digest, 'escape') ~ '2001' or length(digest) <> 32";
    assert_eq!(api.count(shown).await, 0, "the counted addresses are not stored");
}

#[tokio::test]
async fn a_person_who_signed_up_too_often_is_refused_before_a_key_is_made() {
    let api = Api::new().await;
    bound_sign_ups(&api, 1, 1_000).await;
    let first = sign_up("asha", "asha@example.invalid", "203.0.113.1").key("the-first");
    let answer = api.send(first.clone()).await.expect(201);
    api.cloud.kms.disable_key().key_id(&api.cloud.key).send().await.expect("the key is this test's own");
    let again = sign_up("asha", "Asha+2@example.invalid", "203.0.113.2");
    expect_wait(api.send(again).await, 429, "too_many_sign_ups");
    assert_eq!(api.send(first).await.expect(201), answer, "the stored response is repeated");
    let other = sign_up("ravi", "ravi@example.invalid", "203.0.113.1");
    api.send(other).await.expect_problem(503, "unavailable");
}

#[tokio::test]
async fn one_login_is_behind_ten_accounts_whoever_connects_them() {
    let mut api = Api::with_pool(8).await;
    api.simulator.register_ajio(AjioAccount {
        username: "DV4242".to_owned(),
        password: None,
        orders: Some(1),
    });
    let connect = |seller: &Seller, n: usize| {
        let account = json!({
            "marketplace": "AJIO", "external_account_id": format!("of {n}"), "display_name": "AJIO",
            "details": {"username": "DV4242", "password": "correct horse"},
        });
        Call::post(&format!("/v1/sellers/{}/accounts", seller.id), &account).by(seller, "OWNER")
    };
    let (first, others) = (api.sellers.ours.clone(), api.sellers.theirs.clone());
    let mut connected = Vec::new();
    // More at once would count as guesses and be asked to wait.
    for four in [0, 4, 8] {
        let calls = (four..four + 4).map(|n| api.send(connect(if n % 2 == 0 { &first } else { &others }, n)));
        for answer in join_all(calls).await {
            if answer.status == 201 {
                connected.push(answer.body["account_id"].as_str().unwrap().to_owned());
            } else {
                answer.expect_problem(409, "login_in_many_accounts");
            }
        }
    }
    assert_eq!(connected.len(), 10);
    // New details for an existing account count too, and disconnecting an account makes room.
    api.renew().await;
    let (third, path) = (&api.sellers.ours, account(&api));
    let details = json!({"details": {"username": "DV4242", "password": "correct horse"}});
    api.put("OWNER", &format!("{path}/credentials"), &details)
        .await
        .expect_problem(409, "login_in_many_accounts");
    api.send(connect(third, 20)).await.expect_problem(409, "login_in_many_accounts");
    api.arrange(&format!(
        "update robnu.marketplace_accounts set status = 'DISCONNECTED' where id = '{}'",
        connected[0]
    ))
    .await;
    let own = api.send(connect(third, 20)).await.expect(201)["account_id"].as_str().unwrap().to_owned();
    api.send(connect(third, 21)).await.expect_problem(409, "login_in_many_accounts");
    // An account that already has the login may get it again.
    let path = path.replace(&third.ajio.to_string(), &own);
    api.put("OWNER", &format!("{path}/credentials"), &details).await.expect(200);
}

/// The largest response in bytes to a newcomer, whose accounts no marketplace has accepted. The cost of a free person is
/// computed from it.
const LARGEST_ANSWER: usize = 340_000;

#[tokio::test]
async fn no_response_to_a_newcomer_exceeds_the_cost_bound_of_a_free_person() {
    let api = Api::new().await;
    let ours = api.sellers.ours.id;
    // The longest values that the API accepts: names of 200 letters of four bytes each, ids of 100, addresses of 254.
    api.arrange(&format!(
        "insert into robnu.marketplace_accounts (seller_id, marketplace_code, external_account_id, display_name)
         select '{ours}', 'MEESHO', repeat('𝔸', 95) || n, repeat('𝔸', 200) from generate_series(10000, 10209) n;
         insert into robnu.audit_events (seller_id, actor_kind, actor_id, actor_email, action, object_id, changed, shown)
         select seller_id, 'MEMBER', id, repeat('m', 64) || '@' || repeat('x', 189), 'account.changed', id,
           '{{credentials_generation,display_name,external_account_id,marketplace_code,status}}',
           jsonb_build_object('display_name', display_name, 'external_account_id', external_account_id, 'status', 'DISCONNECTED',
             'marketplace_code', 'MEESHO', 'credentials_generation', 100)
         from robnu.marketplace_accounts where seller_id = '{ours}' and marketplace_code = 'MEESHO';
         insert into robnu.invitations (seller_id, email, role, token_hash, invited_by)
         select '{ours}', repeat('m', 64) || '@' || n || repeat('x', 184), 'OPERATOR', sha256(n::text::bytea), p.id
         from robnu.people p, generate_series(10000, 10209) n where p.subject = 'OWNER@{ours}';
         with person as (
           insert into robnu.people (subject, email)
           select repeat('s', 195) || n, repeat('m', 64) || '@' || n || repeat('x', 184) from generate_series(10000, 10209) n
           returning id)
         insert into robnu.members (seller_id, person_id, role) select '{ours}', id, 'OPERATOR' from person;
         with seller as (
           insert into robnu.sellers (org_id, name) select id, repeat('𝔸', 200) from robnu.orgs, generate_series(1, 50) returning seller_id)
         insert into robnu.members (seller_id, person_id, role)
         select s.seller_id, p.id, 'OWNER' from seller s, robnu.people p where p.subject = 'OWNER@{ours}'"
    ))
    .await;
    let (mut largest, lists) = (0, ["accounts", "audit", "invitations", "members"]);
    let paths = lists.map(|list| format!("/v1/sellers/{ours}/{list}?limit=200"));
    for path in paths.iter().map(String::as_str).chain(["/v1/me"]) {
        let answer = api.get("OWNER", path).await;
        let bytes = answer.text.len();
        answer.expect(200);
        assert!(bytes > 40_000, "{path}: {bytes} bytes are not a large response");
        largest = largest.max(bytes);
    }
    assert!(largest <= LARGEST_ANSWER, "{largest} bytes");
    assert!(largest > LARGEST_ANSWER * 3 / 4, "{largest} bytes");
}
