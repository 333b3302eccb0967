//! Nobody can guess passwords through the platform: checks are counted over all sellers before the marketplace is asked.

use std::sync::LazyLock;

use futures_util::future::join_all;
use robnu_tenancy::AccountId;
use robnu_testkit::Seller;
use serde_json::{Value, json};
use simulators::{AjioAccount, Fault, FaultKind, Marketplace};

use crate::support::{Answer, Api, Call, digests};

/// Somebody's user name at AJIO, and its right password.
const VICTIM: &str = "DV7777";
const RIGHT: &str = "the right horse";

/// The number of refusals for one user name before the first wait.
const FREE: usize = 5;

static WRONG: LazyLock<Vec<String>> = LazyLock::new(|| (0..300).map(|n| format!("guess {n}")).collect());

fn with_victim(api: Api) -> Api {
    let password = Some(RIGHT.to_owned());
    api.simulator.register_ajio(AjioAccount { username: VICTIM.to_owned(), password, orders: Some(1) });
    api
}

fn connection(username: &str, password: &str) -> Value {
    json!({
        "marketplace": "AJIO", "external_account_id": format!("{username} {password}"), "display_name": "AJIO",
        "details": {"username": username, "password": password},
    })
}

fn connect(seller: &Seller, username: &str, password: &str) -> Call {
    Call::post(&format!("/v1/sellers/{}/accounts", seller.id), &connection(username, password))
}

fn rotate(seller: &Seller, account: AccountId, username: &str, password: &str) -> Call {
    let path = format!("/v1/sellers/{}/accounts/{account}/credentials", seller.id);
    let details = json!({"details": {"username": username, "password": password}});
    Call::new("PUT", &path).text(&details.to_string())
}

/// How often the marketplace was asked for a token with this user name.
fn asked(api: &Api, username: &str) -> usize {
    let ledger = api.simulator.ledger();
    let of_name = ledger.lines.iter().filter(|line| line.account == username && line.path == "/authToken");
    of_name.map(|line| usize::try_from(line.requests).unwrap()).sum()
}

#[track_caller]
fn expect_wait(answer: Answer) -> u64 {
    let wait = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    answer.expect_problem(429, "too_many_refused_checks");
    wait
}

/// Lets time pass for all counts.
async fn later(api: &Api, time: &str) {
    let sql = format!("update robnu.credential_checks set created_at = created_at - interval '{time}'");
    api.arrange(&sql).await;
}

#[tokio::test]
async fn guesses_at_somebody_elses_password_end_before_the_sixth_and_store_nothing() {
    let api = with_victim(Api::new().await);
    let (ours, account) = (&api.sellers.ours, api.sellers.ours.ajio);
    let before = api.contents().await;
    for (n, guess) in WRONG.iter().take(9).enumerate() {
        // With new details for an existing account, and with new accounts.
        let call =
            if n % 2 == 0 { rotate(ours, account, VICTIM, guess) } else { connect(ours, VICTIM, guess) };
        let answer = api.send(call.by(ours, "OWNER")).await;
        if n < FREE {
            answer.expect_problem(409, "credentials_refused");
        } else {
            expect_wait(answer);
        }
    }
    assert_eq!(asked(&api, VICTIM), FREE);
    // The right password is refused like any other.
    expect_wait(api.send(connect(ours, VICTIM, RIGHT).by(ours, "OWNER")).await);
    expect_wait(api.send(rotate(ours, account, VICTIM, RIGHT).by(ours, "OWNER")).await);
    assert_eq!(asked(&api, VICTIM), FREE);
    assert_eq!(api.contents().await, before, "no account, no details, no event");
    // Reads and syncs go on.
    api.get("OWNER", &format!("/v1/sellers/{}/accounts", ours.id)).await.expect(200);
}

#[tokio::test]
async fn each_further_guess_waits_twice_as_long_up_to_a_day() {
    let api = with_victim(Api::new().await);
    let ours = &api.sellers.ours;
    let guess = async |n: usize| api.send(connect(ours, VICTIM, &WRONG[n]).by(ours, "OWNER")).await;
    for n in 0..FREE {
        guess(n).await.expect_problem(409, "credentials_refused");
    }
    let mut waits = Vec::new();
    for n in 0..8 {
        let wait = expect_wait(guess(100).await);
        waits.push(wait.div_ceil(60));
        later(&api, &format!("{} seconds", wait + 1)).await;
        guess(FREE + n).await.expect_problem(409, "credentials_refused");
    }
    assert_eq!(waits, [15, 30, 60, 120, 240, 480, 960, 1440]);
    assert_eq!(expect_wait(guess(100).await).div_ceil(60), 1440);
    later(&api, "8 days").await;
    guess(101).await.expect_problem(409, "credentials_refused");
}

#[tokio::test]
async fn guesses_of_several_persons_and_sellers_and_in_other_spellings_count_together() {
    let api = with_victim(Api::new().await);
    let (ours, theirs) = (&api.sellers.ours, &api.sellers.theirs);
    let guesses = [
        (ours, "OWNER", "DV7777"),
        (theirs, "OWNER", "dv7777"),
        (ours, "ADMIN", "Dv7777"),
        (theirs, "ADMIN", "dV7777"),
        (ours, "OWNER", "DV7777"),
    ];
    for (n, (seller, role, spelling)) in guesses.into_iter().enumerate() {
        let answer = api.send(connect(seller, spelling, &WRONG[n]).by(seller, role)).await;
        answer.expect_problem(409, "credentials_refused");
    }
    let counted = api.count("select count(distinct login_digest) from robnu.credential_checks").await;
    assert_eq!(counted, 1, "all spellings count as one name");
    for (seller, role) in [(ours, "OWNER"), (theirs, "ADMIN")] {
        expect_wait(api.send(connect(seller, VICTIM, RIGHT).by(seller, role)).await);
    }
    let digest = digests().login("AJIO", VICTIM);
    let stored = "select login_digest from robnu.credential_checks limit 1";
    let stored: Vec<u8> = api.test.superuser().await.query_one(stored, &[]).await.unwrap().get(0);
    assert_eq!(stored, digest, "under a key that the database does not have");
}

#[tokio::test]
async fn guesses_at_the_same_time_are_no_more_than_one_after_the_other() {
    let api = with_victim(Api::with_pool(8).await);
    let (ours, theirs) = (&api.sellers.ours, &api.sellers.theirs);
    let hang = FaultKind::Hang { millis: 300 };
    api.simulator.add_fault(Fault::new(Marketplace::Ajio, "/authToken", hang));
    let calls = (0..24).map(|n| {
        let seller = if n % 2 == 0 { ours } else { theirs };
        api.send(connect(seller, VICTIM, &WRONG[n]).by(seller, ["OWNER", "ADMIN"][n / 2 % 2]))
    });
    let answers = join_all(calls).await;
    let refused = answers.iter().filter(|answer| answer.status == 409).count();
    assert_eq!((refused, asked(&api, VICTIM)), (FREE, FREE));
    answers
        .into_iter()
        .filter(|answer| answer.status != 409)
        .for_each(|answer| assert!(expect_wait(answer) >= 5));
}

/// Strangers who try the same user name do not lock out an owner whose credentials were accepted before.
#[tokio::test]
async fn guessing_strangers_do_not_delay_the_owner_of_good_credentials() {
    let api = with_victim(Api::new().await);
    let (owner, stranger) = (&api.sellers.theirs, &api.sellers.ours);
    let account = api.send(connect(owner, VICTIM, RIGHT).by(owner, "OWNER")).await.expect(201);
    assert_eq!((&account["last_validation"], account["verified_at"].is_string()), (&json!("OK"), true));
    let account: AccountId = account["account_id"].as_str().unwrap().parse().unwrap();
    for guess in WRONG.iter().take(FREE) {
        let answer = api.send(connect(stranger, VICTIM, guess).by(stranger, "OWNER")).await;
        answer.expect_problem(409, "credentials_refused");
    }
    expect_wait(api.send(connect(stranger, VICTIM, &WRONG[9]).by(stranger, "OWNER")).await);
    api.send(rotate(owner, account, VICTIM, "mistyped").by(owner, "OWNER"))
        .await
        .expect_problem(409, "credentials_refused");
    api.send(rotate(owner, account, VICTIM, RIGHT).by(owner, "OWNER")).await.expect(200);
    // The owner's success gives the stranger no new guesses.
    expect_wait(api.send(connect(stranger, VICTIM, &WRONG[9]).by(stranger, "OWNER")).await);
    // For another user name, the owner is a stranger too.
    assert_eq!(asked(&api, VICTIM), FREE + 3);
}

#[tokio::test]
async fn a_success_after_mistyped_passwords_resets_the_count() {
    let api = with_victim(Api::new().await);
    let ours = &api.sellers.ours;
    for round in 0..3 {
        for n in 0..FREE - 1 {
            let answer = api.send(connect(ours, VICTIM, &WRONG[n]).by(ours, "OWNER")).await;
            answer.expect_problem(409, "credentials_refused");
        }
        let mut right = connection(VICTIM, RIGHT);
        right["external_account_id"] = json!(format!("MINE-{round}"));
        api.post("OWNER", &format!("/v1/sellers/{}/accounts", ours.id), &right).await.expect(201);
    }
    // All of them count for the person.
    let counted = "select count(*) from robnu.credential_checks where outcome = 'REFUSED'";
    assert_eq!(api.count(counted).await, 12);
}

#[tokio::test]
async fn a_person_is_bound_over_all_user_names_and_a_success_with_one_forgives_no_other() {
    let api = with_victim(Api::new().await);
    let ours = &api.sellers.ours;
    let seller_of = |n: usize| if n.is_multiple_of(2) { &api.sellers.ours } else { &api.sellers.theirs };
    api.arrange(&format!(
        "insert into robnu.members (seller_id, person_id, role)
         select '{}', id, 'OWNER' from robnu.people where subject = 'OWNER@{}'",
        api.sellers.theirs.id, ours.id
    ))
    .await;
    for n in 0..20 {
        let call = connect(seller_of(n), &format!("XX{n}"), "spray").by(ours, "OWNER");
        api.send(call).await.expect_problem(409, "credentials_refused");
        if n == 10 {
            api.send(connect(ours, "DV0042", "my own").by(ours, "OWNER")).await.expect(201);
        }
    }
    expect_wait(api.send(connect(seller_of(1), "XX99", "spray").by(ours, "OWNER")).await);
    // The bound applies to nobody else.
    api.send(connect(ours, "XX0", "spray").by(ours, "ADMIN"))
        .await
        .expect_problem(409, "credentials_refused");
}

#[tokio::test]
async fn refusals_are_bounded_in_total_and_the_last_are_kept_for_people_without_any() {
    let api = with_victim(Api::new().await);
    let ours = &api.sellers.ours;
    let burst = |how_many: usize| {
        format!(
            "insert into robnu.credential_checks (marketplace_code, account_id, actor_id, outcome)
             select 'AJIO', uuidv7(), uuidv7(), 'REFUSED' from generate_series(1, {how_many})"
        )
    };
    api.send(connect(ours, "XX1", "wrong").by(ours, "OWNER"))
        .await
        .expect_problem(409, "credentials_refused");
    api.arrange(&burst(119)).await;
    // A person with recent refusals waits; a person without does not.
    expect_wait(api.send(connect(ours, "DV0051", "good").by(ours, "OWNER")).await);
    api.send(connect(ours, "DV0051", "good").by(ours, "ADMIN")).await.expect(201);
    let theirs = &api.sellers.theirs;
    api.send(connect(theirs, "DV0052", "good").by(theirs, "OWNER")).await.expect(201);
    api.arrange(&burst(80)).await;
    let wait = expect_wait(api.send(connect(theirs, "DV0053", "good").by(theirs, "OWNER")).await);
    assert!((3_500..=3_600).contains(&wait), "{wait}");
    // Another marketplace has other user names.
    let meesho = json!({"marketplace": "MEESHO", "external_account_id": "S9", "display_name": "Meesho", "details": {"supplier_id": "S9"}});
    api.post("ADMIN", &format!("/v1/sellers/{}/accounts", ours.id), &meesho).await.expect(201);
    later(&api, "61 minutes").await;
    api.send(connect(theirs, "DV0053", "good").by(theirs, "OWNER")).await.expect(201);
}

#[tokio::test]
async fn a_crash_between_the_count_and_the_answer_is_one_refused_check_for_a_while() {
    let api = with_victim(Api::new().await);
    let ours = &api.sellers.ours;
    // Requests that ended without a response leave what they had committed.
    let crashed = format!(
        "insert into robnu.credential_checks (marketplace_code, login_digest, account_id, actor_id)
         select 'AJIO', '\\x{}', uuidv7(), id from robnu.people, generate_series(1, {FREE}) where subject = 'OWNER@{}'",
        hex(&digests().login("AJIO", VICTIM)),
        ours.id
    );
    api.arrange(&crashed).await;
    assert_eq!(expect_wait(api.send(connect(ours, VICTIM, RIGHT).by(ours, "OWNER")).await), 5);
    later(&api, "2 minutes").await;
    assert!(
        expect_wait(api.send(connect(ours, VICTIM, RIGHT).by(ours, "OWNER")).await) > 600,
        "no free guess"
    );
    later(&api, "14 minutes").await;
    api.send(connect(ours, VICTIM, RIGHT).by(ours, "OWNER")).await.expect(201);
}

#[tokio::test]
async fn a_marketplace_that_does_not_respond_counts_as_no_refusal_and_nothing_is_stored() {
    let api = with_victim(Api::new().await);
    let ours = &api.sellers.ours;
    let before = api.contents().await;
    for (kind, wait) in [
        (FaultKind::Status { status: 503, retry_after: None }, "1"),
        (FaultKind::Status { status: 429, retry_after: Some(77) }, "77"),
        (FaultKind::DropConnection, "1"),
        (FaultKind::Garbage, "1"),
    ] {
        api.simulator.add_fault(Fault::new(Marketplace::Ajio, "", kind));
        for call in [connect(ours, VICTIM, RIGHT), rotate(ours, ours.ajio, VICTIM, RIGHT)] {
            for _ in 0..3 {
                let answer = api.send(call.clone().by(ours, "OWNER")).await;
                assert_eq!(answer.headers["retry-after"], wait);
                answer.expect_problem(503, "marketplace_unavailable");
            }
        }
        api.simulator.clear_faults();
    }
    assert_eq!(api.contents().await, before);
    api.send(connect(ours, VICTIM, RIGHT).by(ours, "OWNER")).await.expect(201);
}

#[tokio::test]
async fn a_request_refused_before_the_marketplace_is_asked_is_not_counted() {
    let api = with_victim(Api::new().await);
    let ours = &api.sellers.ours;
    let mut there = connection(VICTIM, RIGHT);
    there["external_account_id"] = json!("DV0001");
    let accounts = format!("/v1/sellers/{}/accounts", ours.id);
    api.post("OWNER", &accounts, &there).await.expect_problem(409, "account_exists");
    let outdated = rotate(ours, ours.ajio, VICTIM, RIGHT).header("if-match", "\"99\"").by(ours, "OWNER");
    api.send(outdated).await.expect_problem(412, "version_mismatch");
    api.send(rotate(ours, ours.amazon, VICTIM, RIGHT).by(ours, "OWNER"))
        .await
        .expect_problem(422, "invalid_body");
    api.send(rotate(ours, ours.ajio, VICTIM, RIGHT).by(ours, "VIEWER"))
        .await
        .expect_problem(403, "forbidden");
    assert_eq!(
        (api.count("select count(*) from robnu.credential_checks").await, asked(&api, VICTIM)),
        (0, 0)
    );
    // A request that is sent again with its key is answered without asking again.
    let call = connect(ours, VICTIM, RIGHT).key("sent-twice").by(ours, "OWNER");
    api.send(call.clone()).await.expect(201);
    api.send(call).await.expect(201);
    assert_eq!(
        (api.count("select count(*) from robnu.credential_checks").await, asked(&api, VICTIM)),
        (1, 1)
    );
}

#[tokio::test]
async fn an_account_that_lives_on_files_is_connected_unverified_and_has_nothing_to_test() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let accounts = format!("/v1/sellers/{}/accounts", ours.id);
    let body = json!({"marketplace": "MEESHO", "external_account_id": "S9", "display_name": "Meesho", "details": {"supplier_id": "S9"}});
    let account = api.post("OWNER", &accounts, &body).await.expect(201);
    assert_eq!((&account["verified_at"], &account["last_validation"]), (&Value::Null, &Value::Null));
    let test = format!("{accounts}/{}/test", account["account_id"].as_str().unwrap());
    api.post("OWNER", &test, &json!({})).await.expect_problem(409, "account_not_verified");
    // A verified account is no longer verified when its key is removed.
    let details = json!({"details": {"supplier_id": "S0001"}});
    let path = format!("{accounts}/{}/credentials", ours.meesho);
    assert_eq!(api.put("OWNER", &path, &details).await.expect(200)["verified_at"], Value::Null);
    // An account whose lane was retired because it was refused for too long cannot be tested either.
    let retired = "update robnu.marketplace_accounts set status = 'NEEDS_RECONNECT', refused_since = now() - interval '7 days'";
    api.arrange(&format!("{retired} where id = '{}'", ours.ajio)).await;
    let test = format!("{accounts}/{}/test", ours.ajio);
    api.post("OWNER", &test, &json!({})).await.expect_problem(409, "account_not_verified");
}

/// `id:secret` goes to Flipkart as one text, which its server parts at the first colon: `victim:a` with `b` would be a guess `a:b`
/// at `victim` that is counted for another name.
#[tokio::test]
async fn a_colon_does_not_hide_whose_secret_is_guessed() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let body = json!({"marketplace": "FLIPKART", "external_account_id": "F9", "display_name": "Flipkart",
        "details": {"app_id": "victim:a", "app_secret": "b"}});
    let problem = api.post("OWNER", &format!("/v1/sellers/{}/accounts", ours.id), &body).await;
    assert_eq!(problem.expect_problem(422, "invalid_body")["errors"][0]["field"], "details.app_id");
}

/// As the database shows bytes in a row's text.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"))
}
