//! The alarms on the logs work: the template's filter patterns match lines that the functions log.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod support;

use robnu_marketplace::code::MarketplaceCode::Ajio;
use serde_json::Value;
use simulators::{Fault, FaultKind, Marketplace, SimulatorConfig};
use support::{Stand, acknowledged};

const TEMPLATE: &str = include_str!("../../../template.yaml");

/// The sources that log an alarm's message, by log group.
const SOURCES: [(&str, &str); 8] = [
    ("AdapterAjioLogs", include_str!("../src/job.rs")),
    ("AdapterAmazonInLogs", include_str!("../src/job.rs")),
    ("AdapterFlipkartLogs", include_str!("../src/job.rs")),
    ("AdapterMeeshoLogs", include_str!("../src/job.rs")),
    (
        "LanesLogs",
        concat!(
            include_str!("../../lanes/src/handler.rs"),
            include_str!("../../lanes/src/reconcile.rs"),
            include_str!("../../lanes/src/removal.rs"),
            include_str!("../../lanes/src/settle.rs")
        ),
    ),
    (
        "SweepLogs",
        concat!(
            include_str!("../../sweep/src/closing.rs"),
            include_str!("../../sweep/src/handler.rs"),
            include_str!("../../sweep/src/raw_pages.rs"),
            include_str!("../../sweep/src/scheduling.rs")
        ),
    ),
    ("ExporterLogs", include_str!("../../exporter/src/slice.rs")),
    ("MigrateLogs", include_str!("../../migrate/src/custom_resource.rs")),
];

/// Log group and pattern of every metric filter.
fn filters() -> Vec<(&'static str, &'static str)> {
    let resources = TEMPLATE.split("    Type: AWS::Logs::MetricFilter\n").skip(1);
    let line_after =
        |text: &'static str, before: &str| text.split_once(before).unwrap().1.lines().next().unwrap();
    resources
        .map(|resource| {
            let pattern = line_after(resource, "      FilterPattern: ");
            (line_after(resource, "      LogGroupName: !Ref "), pattern.trim_matches('\''))
        })
        .collect()
}

/// Field and text of each comparison `$.field = "text"` in a pattern.
fn comparisons(pattern: &'static str) -> Vec<(&'static str, &'static str)> {
    let parts = pattern.split("$.").skip(1);
    parts.filter_map(|part| Some((part.split_once(" = \"")?.0, part.split('"').nth(1)?))).collect()
}

#[test]
fn every_message_that_a_filter_matches_is_logged_by_its_function() {
    let filters = filters();
    for (name, _) in SOURCES {
        assert!(filters.iter().any(|(group, _)| *group == name), "{name}: {filters:?}");
    }
    for (group, pattern) in filters {
        let (_, source) = SOURCES.iter().find(|(name, _)| *name == group).expect(group);
        let comparisons = comparisons(pattern);
        assert!(!comparisons.is_empty(), "{pattern}");
        for (field, text) in comparisons {
            assert!(["message", "code"].contains(&field), "{group}: {field}");
            assert!(source.contains(&format!("\"{text}\"")), "{group}: nothing logs \"{text}\"");
        }
        for (field, _) in pattern.split("$.").filter_map(|part| part.split_once(" > ")) {
            assert!(source.contains(&format!("{field} = ")), "{group}: nothing logs {field}");
        }
    }
}

/// The resources of a type: logical name and properties.
fn resources(kind: &str) -> Vec<(&'static str, &'static str)> {
    // A resource is the text between two lines that are indented by two.
    let names = TEMPLATE
        .match_indices("\n  ")
        .filter(|(at, _)| TEMPLATE[at + 3..].starts_with(|letter: char| letter.is_ascii_uppercase()));
    let starts: Vec<usize> = names.map(|(at, _)| at + 3).chain([TEMPLATE.len()]).collect();
    let all = starts.windows(2).map(|span| TEMPLATE[span[0]..span[1]].split_once(":\n").unwrap_or_default());
    all.filter(|(_, body)| body.starts_with(&format!("    Type: {kind}\n"))).collect()
}

#[test]
fn every_function_has_an_alarm_on_the_metric_that_counts_its_panics() {
    let functions = resources("AWS::Serverless::Function");
    let names: Vec<_> = functions.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), 10, "{names:?}");
    let alarms = resources("AWS::CloudWatch::Alarm");
    let metric = format!("      MetricName: {}\n", robnu_observe::PANICS);
    for (function, properties) in functions {
        assert!(
            !properties.contains("STAGE:"),
            "{function} has the stage of all, which the metric's namespace is made of"
        );
        let dimension = format!("      Dimensions: [{{Name: FunctionName, Value: !Ref {function}}}]\n");
        let of_function: Vec<_> = alarms
            .iter()
            .filter(|(_, alarm)| alarm.contains(&metric) && alarm.contains(&dimension))
            .collect();
        let [(name, alarm)] = of_function[..] else { panic!("{function}: {of_function:?}") };
        assert!(alarm.contains("      Namespace: !Sub Robnu/${Stage}\n"), "{name}");
        assert!(
            alarm.contains("      Threshold: 0\n      ComparisonOperator: GreaterThanThreshold\n"),
            "{name}"
        );
        assert!(TEMPLATE.contains(&format!("${{{name}.Arn}}")), "{name} is on the dashboard");
    }
    assert!(TEMPLATE.contains("        STAGE: !Ref Stage\n"));
}

#[test]
fn every_alarm_leads_to_what_it_means_and_what_to_do() {
    let readme = include_str!("../../../README.md");
    let (_, section) = readme.split_once("\n### Alarms\n").unwrap();
    let (section, _) = section.split_once("\n### ").unwrap();
    let rows: Vec<&str> =
        section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let explains =
        |row: &str, name: &str| row == name || row.strip_prefix('…').is_some_and(|end| name.ends_with(end));
    let alarms = resources("AWS::CloudWatch::Alarm");
    for (name, alarm) in &alarms {
        let (_, description) = alarm.split_once("AlarmDescription: !Sub ").expect(name);
        let (description, _) = description.split_once("\n      Namespace").expect(name);
        assert!(description.ends_with("See ${RunbookUrl}#alarms"), "{name}: {description}");
        assert!(rows.iter().any(|row| explains(row, name)), "the table of alarms has no row for {name}");
    }
    for row in rows {
        assert!(alarms.iter().any(|(name, _)| explains(row, name)), "there is no alarm {row}");
    }
}

#[test]
fn lambda_stops_no_chain_of_slices_and_an_alarm_says_so_if_it_does() {
    let functions = resources("AWS::Serverless::Function");
    let sends_its_own_messages = |name: &str| name.starts_with("Adapter") || name == "Exporter";
    let of_slices: Vec<_> = functions.iter().filter(|(name, _)| sends_its_own_messages(name)).collect();
    assert_eq!(of_slices.len(), 5, "{of_slices:?}");
    let alarms = resources("AWS::CloudWatch::Alarm");
    for (name, properties) in of_slices {
        assert!(properties.contains("      RecursiveLoop: Allow\n"), "{name}");
        let alarm_name = format!("{name}RecursionAlarm");
        let (_, alarm) = alarms.iter().find(|(alarm, _)| *alarm == alarm_name).expect(&alarm_name);
        assert!(alarm.contains("      MetricName: RecursiveInvocationsDropped\n"), "{name}");
        assert!(
            alarm.contains(&format!("      Dimensions: [{{Name: FunctionName, Value: !Ref {name}}}]\n")),
            "{name}"
        );
        assert!(TEMPLATE.contains(&format!("${{{alarm_name}.Arn}}")), "{alarm_name} is on the dashboard");
    }
}

/// The sources of dead letters, as the redrive function's environment names them.
fn dead_letter_sources() -> Vec<&'static str> {
    let (_, queues) = TEMPLATE.split_once("          DEAD_LETTER_QUEUES: !Sub >-\n").unwrap();
    let (queues, _) = queues.split_once("          PARALLEL_QUEUES:").unwrap();
    let keys = queues.split("\":[").map(|part| part.rsplit('"').next().unwrap());
    let keys: Vec<_> = keys.collect();
    keys[..keys.len() - 1].to_vec()
}

#[test]
fn every_source_of_dead_letters_has_an_alarm_on_those_that_are_open() {
    let sources = dead_letter_sources();
    assert_eq!(sources, ["AJIO", "AMAZON_IN", "FLIPKART", "MEESHO", "LANE_REQUESTS", "EXPORTS"]);
    let redrive = include_str!("../../redrive/src/collect.rs");
    assert!(redrive.contains("= \"OpenDeadLetters\";") && redrive.contains("(\"Source\", source)"));
    let alarms = resources("AWS::CloudWatch::Alarm");
    for source in sources {
        let dimension = format!("      Dimensions: [{{Name: Source, Value: {source}}}]\n");
        let of_source: Vec<_> = alarms
            .iter()
            .filter(|(_, alarm)| {
                alarm.contains("MetricName: OpenDeadLetters\n") && alarm.contains(&dimension)
            })
            .collect();
        let [(name, alarm)] = of_source[..] else { panic!("{source}: {of_source:?}") };
        assert!(alarm.contains("      Namespace: !Sub Robnu/${Stage}\n"), "{name}");
        assert!(
            alarm.contains("      Threshold: 0\n      ComparisonOperator: GreaterThanThreshold\n"),
            "{name}"
        );
        assert!(TEMPLATE.contains(&format!("${{{name}.Arn}}")), "{name} is on the dashboard");
    }
}

#[test]
fn every_dead_letter_queue_is_collected_and_has_an_alarm_on_what_is_not() {
    let (_, collected) = TEMPLATE.split_once("          DEAD_LETTER_QUEUES: !Sub >-\n").unwrap();
    let (collected, _) = collected.split_once("          PARALLEL_QUEUES:").unwrap();
    let queues: Vec<_> = resources("AWS::SQS::Queue")
        .into_iter()
        .filter(|(name, _)| name.ends_with("DeadLetters"))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(queues.len(), 10, "{queues:?}");
    let alarms = resources("AWS::CloudWatch::Alarm");
    for queue in queues {
        assert!(collected.contains(&format!("\"${{{queue}}}\"")), "nobody collects {queue}");
        let dimension = format!("[{{Name: QueueName, Value: !GetAtt {queue}.QueueName}}]");
        let (name, alarm) = alarms.iter().find(|(_, alarm)| alarm.contains(&dimension)).expect(queue);
        assert!(alarm.contains("MetricName: ApproximateNumberOfMessagesVisible\n"), "{name}");
        // A letter is collected within a minute or two; what stays for five is stuck.
        assert!(alarm.contains("      Period: 60\n      EvaluationPeriods: 5\n"), "{name}");
    }
}

#[tokio::test]
async fn a_failed_run_logs_one_line_that_the_alarms_filter_matches() {
    let (_, pattern) = filters().into_iter().find(|(group, _)| *group == "AdapterAjioLogs").unwrap();
    let comparisons = comparisons(pattern);
    let [(field, text)] = comparisons[..] else { panic!("not one comparison: {pattern}") };
    assert_eq!(pattern, format!("{{ $.{field} = \"{text}\" }}"));

    let stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
    let function = stand.start(Ajio).await;
    let matching = || {
        let lines = function.log().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        lines.filter(|line| line[field] == text).count()
    };
    let job = stand.queue_run(Ajio).await;
    stand.run_to_end(&function, job.clone()).await;
    assert_eq!((stand.run(job.run_id).await.state.as_str(), matching()), ("SUCCEEDED", 0));

    let reject =
        Fault::new(Marketplace::Ajio, "/orders", FaultKind::Status { status: 400, retry_after: None });
    stand.simulator.add_fault(reject);
    let job = stand.queue_run(Ajio).await;
    acknowledged(function.invoke(stand.event(&job)).await);
    assert_eq!(
        (stand.run(job.run_id).await.state.as_str(), matching()),
        ("FAILED", 1),
        "{:?}",
        function.log()
    );
}
