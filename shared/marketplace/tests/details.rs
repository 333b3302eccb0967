//! Clients' account details, and how little of them comes back.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use std::collections::BTreeMap;

use robnu_marketplace::code::MARKETPLACE_CODES;
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
