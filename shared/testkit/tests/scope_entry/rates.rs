//! Rate limits: how many requests of a seller and of a person are answered in ten seconds and in a day.

use super::*;

#[tokio::test]
async fn a_seller_over_its_rate_limit_waits_and_others_do_not() {
    let bed = TestBed::new().await;
    let (ours, theirs) = (&bed.sellers.ours, &bed.sellers.theirs);
    bed.arrange("update robnu.sellers set requests_per_window = 5").await;
    // The window may turn over once in between, never twice.
    let mut answers = Vec::new();
    for _ in 0..12 {
        answers.push(bed.read(&ours.scope("VIEWER"), ORDERS).await);
    }
    let refused: Vec<_> = answers.into_iter().filter_map(Result::err).collect();
    assert!(refused.len() >= 2, "{} refused", refused.len());
    for error in refused {
        let Error::RateLimited { retry_after } = error else { panic!("{error:?}") };
        assert!((1..=10).contains(&retry_after.as_secs()), "{retry_after:?}");
    }
    assert_eq!(bed.read(&theirs.scope("VIEWER"), ORDERS).await.unwrap(), 1);
    bed
        .arrange("update robnu.request_counts set window_start = window_start - interval '10 seconds', refused_until = now()")
        .await;
    assert_eq!(bed.read(&ours.scope("VIEWER"), ORDERS).await.unwrap(), 1, "a new window");
}

#[tokio::test]
async fn a_member_who_exceeds_the_rate_shuts_out_only_themselves() {
    let bed = TestBed::new().await;
    let ours = &bed.sellers.ours;
    bed.arrange("update robnu.sellers set requests_per_window = 20").await;
    for round in 0..3 {
        let mut refused = 0;
        for _ in 0..30 {
            refused += usize::from(bed.read(&ours.scope("SCANNER"), "select 1").await.is_err());
        }
        assert!(refused > 0, "round {round}");
        assert_eq!(bed.read(&ours.scope("OWNER"), ORDERS).await.unwrap(), 1, "round {round}");
    }
}

#[tokio::test]
async fn a_stranger_uses_up_none_of_a_sellers_requests() {
    let bed = TestBed::new().await;
    let theirs = bed.sellers.theirs.id;
    let counted =
        "select requests::bigint from robnu.request_counts where window_start > '2026-01-02' limit 1";
    let foreign = SellerScope::for_member(
        bed.sellers.ours.subject("OWNER"),
        theirs,
        Permission::Membership,
        Access::Read,
    );
    for _ in 0..3 {
        assert!(matches!(bed.read(&foreign, ORDERS).await, Err(Error::NoMembership)));
    }
    assert!(bed.superuser.query_opt(counted, &[]).await.unwrap().is_none());
}

#[tokio::test]
async fn a_person_over_their_rate_limit_waits_at_every_scope_entry() {
    let bed = TestBed::new().await;
    bed.arrange("update robnu.orgs set person_requests_per_window = 20").await;
    let (ours, theirs) = (&bed.sellers.ours, &bed.sellers.theirs);
    let (session, _) = bed.impersonation("VIEWER", Access::Read).await;
    let needs = Permission::Membership;
    let person = || PersonScope::new(ours.subject("OWNER"));
    let mut refused = [0; 5];
    for _ in 0..30 {
        let foreign = SellerScope::for_member(ours.subject("ADMIN"), theirs.id, needs, Access::Read);
        let acting = SellerScope::for_impersonation(staff(), session, ours.id, needs, Access::Read);
        let answers = [
            bed.database.read(&person(), "select 1", &[]).await.map(drop),
            bed.read(&foreign, ORDERS).await.map(drop),
            bed.read(&ours.scope("FINANCE"), ORDERS).await.map(drop),
            bed.database.read(&StaffScope::new(staff()), "select 1", &[]).await.map(drop),
            bed.read(&acting, ORDERS).await.map(drop),
        ];
        for (refused, answer) in refused.iter_mut().zip(answers) {
            if let Err(Error::RateLimited { retry_after }) = answer {
                assert!((1..=10).contains(&retry_after.as_secs()), "{retry_after:?}");
                *refused += 1;
            }
        }
    }
    // The window may turn over once in between.
    assert!(refused.into_iter().all(|refused| refused > 0), "{refused:?}");
    assert_eq!(bed.read(&ours.scope("VIEWER"), ORDERS).await.unwrap(), 1, "a colleague");
    bed
        .arrange(
            "update robnu.person_requests set window_start = window_start - interval '10 seconds', refused_until = now();
             update robnu.request_counts set window_start = window_start - interval '10 seconds', refused_until = now()",
        )
        .await;
    assert_eq!(bed.database.read(&person(), "select 1", &[]).await.unwrap().len(), 1, "a new window");
}

#[tokio::test]
async fn a_person_over_their_daily_limit_waits_for_the_next_day() {
    let bed = TestBed::new().await;
    let ours = &bed.sellers.ours;
    let usual = bed.count("select min(person_requests_per_day)::bigint from robnu.orgs").await;
    // An app that asks every ten seconds all day sends 8,640 requests; ten times as many are admitted.
    assert!(usual > 86_400, "{usual}");
    bed.arrange("update robnu.orgs set person_requests_per_day = 20").await;
    let mut answers = Vec::new();
    // The day may turn over once in between.
    for _ in 0..45 {
        answers.push(bed.read(&ours.scope("OWNER"), ORDERS).await);
    }
    let refused: Vec<_> = answers.into_iter().filter_map(Result::err).collect();
    assert!(refused.len() >= 5, "{} refused", refused.len());
    for error in refused {
        let Error::RateLimited { retry_after } = error else { panic!("{error:?}") };
        assert!((1..=86_400).contains(&retry_after.as_secs()), "{retry_after:?}");
    }
    assert_eq!(bed.read(&ours.scope("VIEWER"), ORDERS).await.unwrap(), 1, "a colleague");
    // The end of a window makes no difference; the end of the day does.
    bed.arrange("update robnu.person_requests set window_start = window_start - interval '20 seconds'").await;
    let still = bed.read(&ours.scope("OWNER"), ORDERS).await;
    assert!(matches!(still, Err(Error::RateLimited { .. })), "{still:?}");
    bed.arrange("update robnu.person_requests set day = day - 1, refused_until = now()").await;
    assert_eq!(bed.read(&ours.scope("OWNER"), ORDERS).await.unwrap(), 1, "a new day");
}

#[tokio::test]
async fn a_newcomer_sends_less_in_a_day_than_a_person_with_a_working_account() {
    let bed = TestBed::new().await;
    let (ours, theirs) = (&bed.sellers.ours, &bed.sellers.theirs);
    bed.arrange(&format!(
        "update robnu.orgs set newcomer_requests_per_day = 20;
             update robnu.marketplace_accounts set verified_at = null where seller_id = '{}'",
        theirs.id
    ))
    .await;
    let mut refused = [0; 4];
    // The day may turn over once in between.
    for _ in 0..45 {
        let answers = [
            bed.database.read(&PersonScope::new(stranger()), "select 1", &[]).await.map(drop),
            bed.read(&theirs.scope("OWNER"), ORDERS).await.map(drop),
            bed.read(&ours.scope("OWNER"), ORDERS).await.map(drop),
            bed.database.read(&StaffScope::new(staff()), "select 1", &[]).await.map(drop),
        ];
        for (refused, answer) in refused.iter_mut().zip(answers) {
            match answer {
                Err(Error::RateLimited { retry_after }) => {
                    assert!((1..=86_400).contains(&retry_after.as_secs()), "{retry_after:?}");
                    *refused += 1;
                }
                other => other.unwrap(),
            }
        }
    }
    let [of_nobody, of_newcomer, of_customer, of_staff] = refused;
    assert!(of_nobody >= 5 && of_newcomer >= 5, "{refused:?}");
    assert_eq!([of_customer, of_staff], [0, 0]);
}

#[tokio::test]
async fn a_request_counts_once_and_may_end_what_it_has_begun() {
    let bed = TestBed::new().await;
    bed
        .arrange(
            "update robnu.sellers set requests_per_window = 1; update robnu.orgs set person_requests_per_window = 1",
        )
        .await;
    let request = bed.sellers.ours.scope("OWNER");
    for _ in 0..3 {
        bed.write(&request, RENAME).await.unwrap();
        assert_eq!(bed.read(&request, ORDERS).await.unwrap(), 1);
    }
    let counted = "select sum(requests)::bigint from robnu.request_counts where window_start > '2026-01-02'";
    assert_eq!(bed.count(counted).await, 1);
}

#[tokio::test]
async fn a_request_that_cannot_be_counted_is_answered_nevertheless() {
    let bed = TestBed::new().await;
    let scope = bed.sellers.ours.scope("OWNER");
    bed.arrange("revoke execute on function robnu.count_request(text, uuid) from robnu_api").await;
    assert_eq!(bed.read(&scope, ORDERS).await.unwrap(), 1);
    bed.write(&scope, RENAME).await.unwrap();
    assert_eq!(bed.count("select count(*) from robnu.sellers where name = 'renamed'").await, 1);
}
