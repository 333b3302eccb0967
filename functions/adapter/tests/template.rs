//! The template treats marketplaces alike: what all others have, from the adapter and its alarms to a base URL, each one has.

use std::collections::{BTreeMap, BTreeSet};

use robnu_marketplace::code::MARKETPLACE_CODES;

const TEMPLATE: &str = include_str!("../../../template.yaml");

/// The ways to write a code in the template, such as `AMAZON_IN`, `AmazonIn` and `amazon-in`, and what stands for each.
fn spellings(code: &str) -> [(String, &'static str); 3] {
    let capitalized = |word: &str| format!("{}{}", &word[..1], word[1..].to_lowercase());
    let pascal = code.split('_').map(capitalized).collect::<String>();
    [(code.to_owned(), "{CODE}"), (pascal, "{Name}"), (code.to_lowercase().replace('_', "-"), "{name}")]
}

/// How often each word that holds the marketplace's name stands in a template; the name in it is replaced. The name alone does not
/// count, because texts call AJIO by its code.
fn words(template: &str, code: &str) -> BTreeMap<String, usize> {
    let is_part = |letter: char| letter.is_alphanumeric() || "_-.".contains(letter);
    let mut found = BTreeMap::new();
    for word in template.split(|letter| !is_part(letter)) {
        if let Some((spelling, place)) =
            spellings(code).into_iter().find(|(spelling, _)| word != spelling && word.contains(spelling))
        {
            *found.entry(word.replace(&spelling, place)).or_default() += 1;
        }
    }
    found
}

/// What a marketplace has fewer of than every other one.
fn missing(template: &str) -> Vec<String> {
    let of_each: Vec<_> =
        MARKETPLACE_CODES.iter().map(|code| (code.as_str(), words(template, code.as_str()))).collect();
    let all: BTreeSet<&String> = of_each.iter().flat_map(|(_, words)| words.keys()).collect();
    let mut missing = Vec::new();
    for word in all {
        let count = |words: &BTreeMap<String, usize>| words.get(word).copied().unwrap_or_default();
        for (code, words) in &of_each {
            let others = of_each.iter().filter(|(other, _)| other != code).map(|(_, words)| count(words));
            if others.min().is_some_and(|least| count(words) < least) {
                missing.push(format!("{code} lacks {word}"));
            }
        }
    }
    missing
}

#[test]
fn every_marketplace_has_what_all_others_have() {
    assert_eq!(missing(TEMPLATE), [""; 0]);
}

#[test]
fn what_is_taken_from_one_marketplace_is_noticed() {
    for (part, lacks) in [
        ("MeeshoDeadLettersAlarm", "MEESHO lacks {Name}DeadLettersAlarm"),
        ("AdapterFlipkartErrorsAlarm", "FLIPKART lacks Adapter{Name}ErrorsAlarm"),
        ("AMAZON_IN_BASE_URL", "AMAZON_IN lacks {CODE}_BASE_URL"),
        ("AdapterMeesho.Alias", "MEESHO lacks Adapter{Name}.Alias"),
    ] {
        let without = TEMPLATE.replacen(part, "Nothing", 1);
        assert!(missing(&without).contains(&lacks.to_owned()), "{part}: {:?}", missing(&without));
    }
}

/// What stands in the template after each place where a text does, up to a line that is indented no further than `indent`.
fn blocks(text: &str, indent: usize) -> impl Iterator<Item = String> {
    let is_inside = move |line: &&str| line.len() - line.trim_start().len() > indent;
    TEMPLATE.split(text).skip(1).map(move |rest| rest.lines().skip(1).take_while(is_inside).collect())
}

#[test]
fn every_password_can_be_made_without_punctuation() {
    let secrets: Vec<String> = blocks("GenerateSecretString:", 6).collect();
    assert_eq!(secrets.len(), TEMPLATE.matches("Type: AWS::SecretsManager::Secret").count());
    for secret in secrets {
        // Secrets Manager requires a character of each kind that is not excluded as a kind.
        assert!(secret.contains("ExcludePunctuation: true"), "{secret}");
    }
}

#[test]
fn no_build_for_aws_looks_for_changes_in_a_functions_own_folder_alone() {
    let stages = include_str!("../../../samconfig.toml");
    for stage in ["[staging.build.parameters]", "[prod.build.parameters]"] {
        let (_, rest) = stages.split_once(stage).unwrap_or_else(|| panic!("no {stage}"));
        let of_stage: Vec<&str> = rest.lines().skip(1).take_while(|line| !line.starts_with('[')).collect();
        assert!(of_stage.iter().all(|line| !line.starts_with("cached")), "{stage} {of_stage:?}");
    }
}

#[test]
fn a_failed_migration_is_not_run_again_and_lane_requests_are_bounded() {
    let once: Vec<String> = blocks("  MigrateOnce:", 2).collect();
    assert!(
        once.iter()
            .any(|block| block.contains("Qualifier: $LATEST") && block.contains("MaximumRetryAttempts: 0"))
    );
    let schema: Vec<String> = blocks("  DatabaseSchema:", 2).collect();
    assert!(
        schema.iter().any(|block| block.contains("DependsOn: MigrateOnce")),
        "the first deploy obeys it too"
    );
    let lanes: Vec<String> = blocks("  LaneRequestsMapping:", 2).collect();
    assert!(lanes.iter().any(|block| block.contains("ScalingConfig: {MaximumConcurrency: 2}")));
}

/// A parameter's default.
fn default_of(parameter: &str) -> u64 {
    let (_, rest) =
        TEMPLATE.split_once(&format!("\n  {parameter}:\n")).unwrap_or_else(|| panic!("{parameter}"));
    let line = rest.lines().find_map(|line| line.trim().strip_prefix("Default: "));
    line.and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{parameter} has no number"))
}

/// The text of a property, in a resource that is written like the others.
fn property<'a>(block: &'a str, name: &str) -> &'a str {
    let (_, rest) = block.split_once(&format!(" {name}: ")).unwrap_or_else(|| panic!("{name}: {block}"));
    rest.split("  ").next().unwrap_or_default()
}

#[test]
fn a_throttled_or_failing_function_turns_no_message_into_a_dead_letter_for_two_hours() {
    let two_hours = 2 * 60 * 60;
    let lane_visibility = default_of("LaneVisibilitySeconds");
    let (timeout, receives) = (default_of("AdapterTimeoutSeconds"), default_of("DeadLetterMaxReceives"));
    // Every queue with dead letters: its resource, its visibility and the receives that it allows.
    let queues: Vec<String> =
        blocks("    Type: AWS::SQS::Queue", 2).filter(|block| block.contains("RedrivePolicy:")).collect();
    assert_eq!(queues.len(), 6, "{queues:#?}");
    for queue in &queues {
        let (visibility, allowed) =
            (property(queue, "VisibilityTimeout"), property(queue, "maxReceiveCount"));
        match property(queue, "QueueName") {
            name if name.ends_with("-parallel") => {
                assert_eq!(
                    (visibility, allowed),
                    ("!Ref ParallelVisibilitySeconds", "!Ref DeadLetterMaxReceives")
                );
            }
            // Its function's time-out is a minute. AWS throttles none of its few invocations, and a request that failed twelve times
            // is an operator's.
            name if name.ends_with("-lane-requests") => assert_eq!((visibility, allowed), ("360", "12")),
            // Its function's time-out is five minutes. A hidden message delays an export, which somebody waits for.
            name if name.ends_with("-exports") => {
                assert_eq!((visibility, allowed), ("360", "!Ref DeadLetterMaxReceives"));
            }
            other => panic!("{other} has no reason for its visibility"),
        }
    }
    assert!(default_of("ParallelVisibilitySeconds") >= 6 * timeout, "as AWS advises");
    assert!(default_of("ParallelVisibilitySeconds") * receives >= two_hours);
    // Lanes are made at run time. A hidden message holds up its account, so it is hidden for no longer than a crashed attempt's lease.
    let lanes: Vec<String> = blocks("\n  Lanes:", 2).collect();
    assert!(lanes[0].contains("LANE_VISIBILITY_SECONDS: !Ref LaneVisibilitySeconds"));
    assert!(lanes[0].contains("DEAD_LETTER_MAX_RECEIVES: !Ref DeadLetterMaxReceives"));
    assert!(lane_visibility >= timeout, "SQS refuses the mapping otherwise");
    assert!(lane_visibility >= default_of("SliceSeconds") + default_of("LeaseSeconds"));
    // A function that may still store a page keeps its account's other runs back (take_lease.sql).
    assert!(timeout < default_of("LeaseSeconds") + 60);
    assert!(lane_visibility * receives >= two_hours);
    assert!(360 * receives >= two_hours);
}

#[test]
fn a_stack_is_deleted_in_the_order_that_leaves_no_lane() {
    let block = |name: &str| -> String {
        blocks(&format!("\n  {name}:"), 2).next().unwrap_or_else(|| panic!("{name}"))
    };
    // It comes before the function, and with it before the adapters and the database's login, which the function needs.
    assert!(block("LaneRemoval").contains("ServiceToken: !GetAtt Lanes.Arn"));
    // What makes lanes goes first.
    assert!(block("LaneRequestsMapping").contains("DependsOn: LaneRemoval"));
    assert!(block("LaneReconcile").contains("DependsOn: LaneRemoval"));
    assert!(!block("Lanes").contains("Events:"), "an event could not depend on it");
    // A round may have begun right before and fail at its end. Lambda repeats it after a minute, and two minutes after that.
    let property = "QuietSeconds: !If [IsLocal, 1, 240]";
    assert!(block("LaneRemoval").contains(property) && block("Lanes").contains(" Timeout: 60"));
}
