//! Clients' account details, and how little of them comes back.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use std::collections::BTreeMap;

use robnu_marketplace::code::MARKETPLACE_CODES;
use robnu_marketplace::code::MarketplaceCode::{Ajio, AmazonIn, Flipkart, Meesho};
use robnu_marketplace::details::{Credentials, Form};
use robnu_marketplace::registry::{MarketplaceConfig, Registry};

#[test]
fn unknown_details_are_named_up_to_a_bound_and_cut() {
    let registry = Registry::new(&MarketplaceConfig::default()).unwrap();
    let given: BTreeMap<String, String> =
        (0..1000).map(|n| (format!("{n}{}", "x".repeat(5000)), "s3cret".to_owned())).collect();
    for code in MARKETPLACE_CODES {
        let errors = registry.adapter(*code).details().parse(&given).unwrap_err();
        let unknown = errors.iter().filter(|error| error.problem.starts_with("is not a detail"));
        assert_eq!(unknown.count(), 20, "{code}");
        for error in errors {
            assert!(error.field.chars().count() <= "details.".len() + 100, "{code}: {}", error.field.len());
            assert!(!error.problem.contains("s3cret"), "{code}");
        }
    }
}

#[test]
fn a_value_is_taken_up_to_its_greatest_length_in_characters() {
    let registry = Registry::new(&MarketplaceConfig::default()).unwrap();
    for code in MARKETPLACE_CODES {
        let details = registry.adapter(*code).details();
        for field in details.fields {
            // A password may hold letters of more than one byte.
            let letter = if field.form == Form::SingleLine { "\u{e9}" } else { "e" };
            let problems = |length: usize| {
                let mut given: BTreeMap<String, String> =
                    details.fields.iter().map(|other| (other.name.to_owned(), "x".to_owned())).collect();
                given.insert(field.name.to_owned(), letter.repeat(length));
                details.parse(&given).err().unwrap_or_default()
            };
            assert_eq!(problems(field.max_len), [], "{code} {}", field.name);
            for length in [field.max_len + 1, field.max_len + 2] {
                let [error] = &problems(length)[..] else { panic!("{code} {}: {length}", field.name) };
                let name = format!("details.{}", field.name);
                assert_eq!((&error.field, error.problem.as_str()), (&name, "is too long"), "{code}");
            }
        }
    }
}

#[test]
fn a_forms_regular_expression_says_the_same_as_its_check() {
    let kept = |form: Form| -> Vec<char> {
        ('\0'..='\u{ff}').filter(|letter| form.check(&letter.to_string()).is_ok()).collect()
    };
    assert_eq!(Form::Printable.pattern(), "^[!-~]*$");
    assert_eq!(kept(Form::Printable), ('!'..='~').collect::<Vec<_>>());
    assert_eq!(Form::SingleLine.pattern(), r"^[^\u0000-\u001f\u007f-\u009f]*$");
    let controls = |letter: &char| matches!(letter, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}');
    assert_eq!(kept(Form::SingleLine), ('\0'..='\u{ff}').filter(|it| !controls(it)).collect::<Vec<_>>());
}

#[test]
fn refused_checks_are_counted_by_the_user_name_and_only_meesho_confirms_an_id() {
    let registry = Registry::new(&MarketplaceConfig::default()).unwrap();
    for (code, login) in
        [(Ajio, "username"), (AmazonIn, "client_id"), (Flipkart, "app_id"), (Meesho, "supplier_id")]
    {
        let details = registry.adapter(code).details();
        let mut credentials = Credentials::default();
        assert_eq!(details.login_of(&credentials), None, "{code}: nobody typed one in");
        credentials.set(login, "S1".to_owned().into());
        assert_eq!(details.login_of(&credentials), Some("S1"), "{code}");
        assert_eq!(details.confirms(&credentials, "S1"), code == Meesho, "{code}");
        assert!(!details.confirms(&credentials, "S2"), "{code}");
    }
}
