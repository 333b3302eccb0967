//! Invitations are valid once, for one address, for a week, and only while their inviter has the right to make them.

use robnu_tenancy::{PersonScope, Subject};

use super::TestBed;

#[tokio::test]
async fn an_invitation_is_accepted_once_and_only_by_the_invited_person() {
    let bed = TestBed::new().await;
    let (ours, theirs) = (bed.sellers.ours.id, bed.sellers.theirs.id);
    let accept =
        "select seller from robnu.accept_invitation(sha256(convert_to('token of ' || $1, 'utf8')), $2)";
    let try_it = async |subject: &str, token: &str, email: &str| {
        let scope = PersonScope::new(Subject::from_verified_claim(subject).unwrap());
        let session = bed.database.session(&scope).await.unwrap();
        session.commit_with(&[(accept, &[&token, &email])]).await.unwrap()[0].len()
    };
    let (token, invited) = (ours.to_string(), "Invited@Example.invalid");
    assert_eq!(try_it("guest", "no such", invited).await, 0);
    assert_eq!(try_it("guest", &token, "another@example.invalid").await, 0);
    let set = |what: &str| format!("update robnu.invitations set {what} where seller_id = '{ours}'");
    for (spoil, mend) in [
        (set("revoked_at = now()"), set("revoked_at = null")),
        (set("expires_at = now() - interval '1 second'"), set("expires_at = now() + interval '1 hour'")),
        (
            format!(
                "update robnu.sellers set suspended_at = now(), suspension_reason = 'x' where seller_id = '{ours}'"
            ),
            "update robnu.sellers set suspended_at = null, suspension_reason = null".to_owned(),
        ),
    ] {
        bed.arrange(&spoil).await;
        assert_eq!(try_it("guest", &token, invited).await, 0, "{spoil}");
        bed.arrange(&mend).await;
    }
    assert_eq!(try_it("guest", &token, invited).await, 1);
    assert_eq!(try_it("guest", &token, invited).await, 0, "a second time");
    assert_eq!(try_it("another guest", &token, invited).await, 0, "by another person");
    let members = "select count(*) from robnu.members m join robnu.people p on p.id = m.person_id where p.subject = 'guest'";
    assert_eq!(bed.count(members).await, 1);
    // An existing member stays as they are.
    let viewer = format!("VIEWER@{theirs}");
    bed.arrange(&format!("update robnu.invitations set role = 'OWNER' where seller_id = '{theirs}'")).await;
    assert_eq!(try_it(&viewer, &theirs.to_string(), invited).await, 1);
    let email =
        format!("select count(*) from robnu.people where subject = '{viewer}' and email = '{invited}'");
    assert_eq!(bed.count(&email).await, 1, "the address that was verified last is theirs");
    let owners =
        format!("select count(*) from robnu.members where seller_id = '{theirs}' and role = 'OWNER'");
    assert_eq!(bed.count(&owners).await, 1);
}

#[tokio::test]
async fn an_invitation_is_valid_only_while_its_inviter_has_the_right() {
    let bed = TestBed::new().await;
    let ours = bed.sellers.ours.id;
    let accept = "select seller from robnu.accept_invitation(sha256('a token'), 'second@example.invalid')";
    let guest = PersonScope::new(Subject::from_verified_claim("guest").unwrap());
    let accepted = async || bed.database.read(&guest, accept, &[]).await.unwrap().len();
    let invite = "insert into robnu.invitations (seller_id, email, role, token_hash)
        values (robnu.app_current_seller_id(), 'second@example.invalid', 'OPERATOR', sha256('a token'))";
    bed.write(&bed.sellers.ours.scope("ADMIN"), invite).await.unwrap();
    let role = |role: &str| {
        format!(
            "update robnu.members m set role = '{role}' from robnu.people p
             where p.id = m.person_id and p.subject = 'ADMIN@{ours}' and m.seller_id = '{ours}'"
        )
    };
    bed.arrange(&role("VIEWER")).await;
    assert_eq!(accepted().await, 0, "the inviter may invite no more");
    bed.arrange(&role("ADMIN")).await;
    bed.arrange("update robnu.invitations set role = 'OWNER' where email = 'second@example.invalid'").await;
    assert_eq!(accepted().await, 0, "an admin makes no owner");
    bed.arrange("update robnu.invitations set role = 'OPERATOR' where email = 'second@example.invalid'")
        .await;
    let remove = "delete from robnu.members m using robnu.people p
        where p.id = m.person_id and p.subject like 'ADMIN@%'";
    bed.arrange(remove).await;
    assert_eq!(accepted().await, 0, "the inviter was removed");
    // From now on a member with the right is the inviter.
    let renew =
        "update robnu.invitations set token_hash = sha256('a token') where email = 'second@example.invalid'";
    bed.write(&bed.sellers.ours.scope("OWNER"), renew).await.unwrap();
    assert_eq!(accepted().await, 1);
}
