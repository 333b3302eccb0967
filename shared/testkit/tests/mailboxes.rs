//! Which spellings of an address count as one mailbox, and which do not.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use robnu_testkit::TestDatabase;

const FOLDED: [(&str, &str); 24] = [
    ("Ravi@Example.IN", "ravi@example.in"),
    ("ravi+shop@example.in", "ravi@example.in"),
    ("ravi+a+b@example.in", "ravi@example.in"),
    ("ravi+@example.in", "ravi@example.in"),
    ("ravi@example.in.", "ravi@example.in"),
    ("r.a.v.i+x@gmail.com", "ravi@gmail.com"),
    ("R.Avi@GoogleMail.com", "ravi@gmail.com"),
    ("ravi@pm.me", "ravi@proton.me"),
    ("r-a.v_i+x@protonmail.com", "ravi@proton.me"),
    ("ravi+x@me.com", "ravi@icloud.com"),
    ("ravi@mac.com", "ravi@icloud.com"),
    ("shop-ravi-1@yahoo.co.in", "shop@yahoo.co.in"),
    ("shop-ravi@ymail.com", "shop@ymail.com"),
    // Elsewhere these are different names.
    ("r.avi@example.in", "r.avi@example.in"),
    ("shop-1@example.in", "shop-1@example.in"),
    ("shop_1=x@example.in", "shop_1=x@example.in"),
    ("ravi@notgmail.com", "ravi@notgmail.com"),
    ("r.avi@gmail.com.example.in", "r.avi@gmail.com.example.in"),
    ("shop-1@yahoo", "shop-1@yahoo"),
    // Only ASCII letters are folded: the Kelvin sign is not a k.
    ("\u{212A}im@example.in", "\u{212A}im@example.in"),
    // A text that is not an address is counted too.
    ("+x@example.in", "+x@example.in"),
    ("a@b@gmail.com", "a@b@gmail.com"),
    ("nobody", "nobody"),
    ("", ""),
];

#[tokio::test]
async fn spellings_of_one_mailbox_are_counted_together_and_other_mailboxes_apart() {
    let test = TestDatabase::new().await;
    let superuser = test.superuser().await;
    for (address, mailbox) in FOLDED {
        let row = superuser.query_one("select robnu.fold_address($1)", &[&address]).await.unwrap();
        assert_eq!(row.get::<_, String>(0), mailbox, "{address}");
        let again = superuser.query_one("select robnu.fold_address($1)", &[&mailbox]).await.unwrap();
        assert_eq!(again.get::<_, String>(0), mailbox, "folding twice changes nothing");
    }
}

#[tokio::test]
async fn no_scope_reads_or_resets_the_counts() {
    let test = TestDatabase::new().await;
    let superuser = test.superuser().await;
    let granted = "select grantee || ' ' || privilege_type from information_schema.role_table_grants
          where table_name = 'mail_counts' and grantee not in ('robnu_owner', 'robnu_system_retention')
        union all
        select grantee || ' executes ' || routine_name from information_schema.role_routine_grants
          where routine_name = 'count_mail' and grantee <> 'robnu_owner'";
    let rows = superuser.query(granted, &[]).await.unwrap();
    let granted: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert!(granted.is_empty(), "{granted:?}");
}
