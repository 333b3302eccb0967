//! What becomes of a dead letter, by what it is and where it died.

use proptest::prelude::*;
use robnu_dispatch::lane_queue_name;
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::kind::RunKind;
use robnu_tenancy::ExportId;
use serde_json::json;

use super::*;

fn queue(source: Source, name: &str) -> DeadLetterQueue {
    DeadLetterQueue { source, url: format!("http://127.0.0.1/000000000000/{name}") }
}

fn ajio_lanes() -> DeadLetterQueue {
    queue(Source::Marketplace(MarketplaceCode::Ajio), "robnu-test-ajio-dlq.fifo")
}

fn ajio_parallel() -> DeadLetterQueue {
    queue(Source::Marketplace(MarketplaceCode::Ajio), "robnu-test-ajio-parallel-dlq")
}

fn ajio_job(kind: RunKind) -> Job {
    Job {
        run_id: RunId::new(),
        step: 2,
        generation: 3,
        seller_id: SellerId::new(),
        account_id: AccountId::new(),
        marketplace: MarketplaceCode::Ajio,
        kind,
    }
}

fn died(body: String, from_queue: &str) -> Received {
    let from_queue = Some(format!("arn:aws:sqs:ap-south-1:000000000000:{from_queue}"));
    Received { message_id: "m".to_owned(), body, from_queue, ..Received::default() }
}

fn read(queue: &DeadLetterQueue, received: &Received) -> Letter {
    Letter::read(queue, received, Utc::now())
}

#[test]
fn a_job_that_died_in_its_own_lane_may_mark_its_run_and_is_kept_as_ids() {
    let job = ajio_job(RunKind::Orders);
    let body = JobMessage::new(job.clone()).to_body();
    let padded = body.replacen('{', &format!("{{\"more\":\"{}\",", "x".repeat(20_000)), 1);
    let letter = read(&ajio_lanes(), &died(padded, &lane_queue_name("robnu-test-lane-", job.account_id, 1)));
    assert_eq!((letter.form, &letter.body, letter.marks_run), (Form::Job, &body, true));
    assert_eq!(letter.reason, "TOO_MANY_RECEIVES");
    assert_eq!((letter.run_id, letter.step, letter.generation), (Some(job.run_id), Some(2), Some(3)));
}

#[test]
fn a_job_that_died_elsewhere_or_was_refused_marks_no_run() {
    let job = ajio_job(RunKind::Orders);
    let (body, own) = (JobMessage::new(job.clone()).to_body(), lane_queue_name("l-", job.account_id, 1));
    let strangers = lane_queue_name("l-", AccountId::new(), 1);
    let amazon = queue(Source::Marketplace(MarketplaceCode::AmazonIn), "robnu-test-amazon-in-dlq.fifo");
    for (queue, from) in [
        (&ajio_lanes(), strangers.as_str()),
        (&ajio_lanes(), "robnu-test-ajio-parallel"),
        (&ajio_parallel(), own.as_str()),
        (&amazon, own.as_str()),
        (&ajio_lanes(), ""),
    ] {
        assert!(!read(queue, &died(body.clone(), from)).marks_run, "{from}");
    }
    let refused = Received { refusal: Some("other_lane".to_owned()), ..died(body, &own) };
    let letter = read(&ajio_lanes(), &refused);
    assert_eq!((letter.marks_run, letter.reason.as_str()), (false, "other_lane"));
}

#[test]
fn a_job_of_lanes_that_died_in_the_parallel_queue_marks_its_run_only_if_the_lane_is_shared() {
    let body = JobMessage::new(ajio_job(RunKind::Orders)).to_body();
    let letter = read(&ajio_parallel(), &died(body, "robnu-test-ajio-parallel"));
    assert!(letter.marks_run && letter.of_shared_lane);
    let body = JobMessage::new(ajio_job(RunKind::Returns)).to_body();
    let letter = read(&ajio_parallel(), &died(body, "robnu-test-ajio-parallel"));
    assert!(letter.marks_run && !letter.of_shared_lane);
}

#[test]
fn a_parallel_run_belongs_to_the_parallel_queue() {
    let body = JobMessage::new(ajio_job(RunKind::Returns)).to_body();
    assert!(read(&ajio_parallel(), &died(body.clone(), "robnu-test-ajio-parallel")).marks_run);
    assert!(!read(&ajio_lanes(), &died(body, "robnu-test-ajio-parallel")).marks_run);
}

#[test]
fn a_notice_is_kept_without_the_address_that_the_file_came_from() {
    let (seller, account) = (SellerId::new(), AccountId::new());
    let key = format!("imports/{seller}/{account}/{}/AJIO", robnu_tenancy::ImportId::new());
    let body = json!({"Records": [{"requestParameters": {"sourceIPAddress": "198.51.100.7"},
        "s3": {"bucket": {"name": "b"}, "object": {"key": key, "size": 3}}}]});
    let letter = read(&ajio_parallel(), &died(body.to_string(), "robnu-test-ajio-parallel"));
    assert_eq!(
        (letter.form, letter.seller_id, letter.account_id),
        (Form::FileNotice, Some(seller), Some(account))
    );
    assert!(letter.body.contains(&key) && !letter.body.contains("198.51"), "{}", letter.body);
}

#[test]
fn messages_of_exports_and_lane_requests_are_understood_in_their_own_queues_only() {
    let export = ExportMessage { seller_id: SellerId::new(), export_id: ExportId::new() }.to_body();
    let request = LaneRequest { seller_id: SellerId::new(), account_id: AccountId::new() }.to_body();
    let exports = queue(Source::Exports, "robnu-test-exports-dlq");
    let requests = queue(Source::LaneRequests, "robnu-test-lane-requests-dlq");
    for (queue, body, form) in [
        (&exports, &export, Form::Export),
        (&requests, &request, Form::LaneRequest),
        (&exports, &request, Form::Unreadable),
        (&requests, &export, Form::Unreadable),
        (&ajio_parallel(), &export, Form::Unreadable),
    ] {
        assert_eq!(read(queue, &died(body.clone(), "q")).form, form, "{body}");
    }
}

#[test]
fn of_an_unreadable_body_the_beginning_and_the_length_are_kept() {
    let letter = read(&ajio_lanes(), &died("é\0\u{7}".repeat(100_000), "q"));
    assert_eq!((letter.form, letter.body_bytes), (Form::Unreadable, 400_000));
    assert!(letter.body.len() <= EXCERPT_BYTES && letter.body.starts_with("é\u{fffd}\u{fffd}é"));
    let written = Received { refusal: Some("; drop\ntable".to_owned()), ..died(String::new(), "q") };
    assert_eq!(read(&ajio_lanes(), &written).reason, "droptable");
    let empty = Received { refusal: Some("\n".to_owned()), ..died(String::new(), "q") };
    assert_eq!(read(&ajio_lanes(), &empty).reason, "unknown");
}

proptest! {
    #[test]
    fn any_body_and_attribute_becomes_a_bounded_letter(body in "(?s).{0,300}", refusal in proptest::option::of("(?s).{0,90}")) {
        let received = Received { refusal, body: body.repeat(40), ..Received::default() };
        for queue in [ajio_lanes(), ajio_parallel(), queue(Source::Exports, "e"), queue(Source::LaneRequests, "l")] {
            let letter = read(&queue, &received);
            prop_assert!(letter.body.len() <= 8_192 && !letter.body.contains('\0'));
            prop_assert!((1..=64).contains(&letter.reason.len()));
        }
    }
}
