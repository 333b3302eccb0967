//! What the user pool lets people change about themselves. The API trusts a token's verified email.

const TEMPLATE: &str = include_str!("../../../../template.yaml");

/// The lines of one resource of the template.
fn resource(name: &str) -> Vec<&'static str> {
    let (_, rest) = TEMPLATE.split_once(&format!("\n  {name}:\n")).unwrap_or_else(|| panic!("no {name}"));
    rest.lines().take_while(|line| line.is_empty() || line.starts_with("    ")).map(str::trim).collect()
}

#[test]
fn an_email_changes_only_when_the_new_one_is_verified() {
    let pool = resource("UserPool");
    for setting in [
        "UsernameAttributes: [email]",
        "AutoVerifiedAttributes: [email]",
        "UserAttributeUpdateSettings: {AttributesRequireVerificationBeforeUpdate: [email]}",
    ] {
        assert!(pool.contains(&setting), "the user pool lacks {setting}");
    }
}

#[test]
fn people_write_their_email_and_nothing_else() {
    let client = resource("UserPoolClient");
    let written: Vec<_> = client.iter().filter(|line| line.starts_with("WriteAttributes:")).collect();
    assert_eq!(written, [&"WriteAttributes: [email]"]);
    assert!(client.contains(&"ReadAttributes: [email, email_verified]"), "the API reads both from the token");
    assert_eq!(
        TEMPLATE.matches("Type: AWS::Cognito::UserPoolClient").count(),
        1,
        "another client needs the same"
    );
}

#[test]
fn mails_of_the_pool_come_from_the_platforms_sender_which_has_no_bound_of_fifty_a_day() {
    let pool = resource("UserPool").join("\n");
    for setting in ["EmailSendingAccount: DEVELOPER", "From: !Ref MailFrom", ":identity/${Domain}"] {
        assert!(pool.contains(setting), "the user pool lacks {setting}");
    }
}
