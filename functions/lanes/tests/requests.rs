//! A lane request makes the account's queue and mapping once, however often it is received.

mod kit;

use aws_sdk_sqs::types::QueueAttributeName;
use kit::{World, ask_until, ask_with, attribute, body, in_a_minute};
use lanes::{Answer, Event, handle};
use robnu_dispatch::Record;
use robnu_tenancy::{AccountId, SellerId};
use tokio::time::Instant;

#[tokio::test]
async fn a_request_makes_a_queue_and_its_mapping() {
    let world = World::new().await;
    let (seller, account) = world.ours();
    world.ask((seller, account)).await;
    world.expect_open(account, 1).await;

    let url = world.lane(account).await.queue_url.unwrap();
    let sqs = &world.context.sqs;
    assert_eq!(attribute(sqs, &url, QueueAttributeName::FifoQueue).await, "true");
    assert_eq!(attribute(sqs, &url, QueueAttributeName::ContentBasedDeduplication).await, "false");
    assert_eq!(attribute(sqs, &url, QueueAttributeName::SqsManagedSseEnabled).await, "true");
    assert_eq!(attribute(sqs, &url, QueueAttributeName::VisibilityTimeout).await, "40");
    assert_eq!(attribute(sqs, &url, QueueAttributeName::MessageRetentionPeriod).await, "345600");
    let redrive = attribute(sqs, &url, QueueAttributeName::RedrivePolicy).await;
    let dead_letters = &world.context.config.targets["AJIO"].dead_letter_queue_arn;
    assert!(redrive.contains(dead_letters) && redrive.contains('3'), "{redrive}");
    let tags = sqs.list_queue_tags().queue_url(&url).send().await.unwrap().tags.unwrap();
    assert_eq!(tags["robnu:seller"], seller.to_string());
    assert_eq!(tags["robnu:account"], account.to_string());
    assert_eq!(tags["robnu:stage"], "test");

    let mapping = world.mappings(account, 1).await.remove(0);
    assert_eq!(mapping.batch_size, Some(1));
    assert_eq!(mapping.function_arn.as_ref(), Some(&world.context.config.targets["AJIO"].function_arn));
    let types = mapping.function_response_types.unwrap();
    assert_eq!(types.len(), 1, "failures are reported per message");
}

#[tokio::test]
async fn other_accounts_and_the_other_seller_are_left_alone() {
    let world = World::new().await;
    world.ask(world.ours()).await;
    for (_, account) in &world.accounts()[1..] {
        assert_eq!(world.lane(*account).await.state, "REQUESTED");
        assert!(!world.has_queue(*account, 1).await);
    }
}

#[tokio::test]
async fn a_run_asked_for_before_the_lane_existed_starts_at_once() {
    let world = World::new().await;
    let run = world.put_queued_run(world.ours().1).await;
    let other_run = world.put_queued_run(world.accounts()[2].1).await;
    let (account, other) = (world.ours(), world.accounts()[2].1);
    world.ask(account).await;
    assert!(world.is_sent(run).await);
    assert!(!world.is_sent(other_run).await, "the other seller's account has no lane");
    // The number of messages in the lane is no proof: a message may be received meanwhile, and is then counted twice or not
    // at all.
    let name = world.queue_name(account.1, 1);
    assert_eq!(world.wire.taken("SendMessage", &[&name, &run.to_string()]), 1);
    assert_eq!(world.wire.taken("SendMessage", &[]), 1);
    assert!(world.lane(other).await.queue_url.is_none());
}

#[tokio::test]
async fn a_request_received_twice_changes_nothing() {
    let world = World::new().await;
    let (seller, account) = world.ours();
    world.ask((seller, account)).await;
    let first = world.lane(account).await;
    world.ask((seller, account)).await;
    assert_eq!(world.lane(account).await, first);
    world.expect_open(account, 1).await;
}

#[tokio::test]
async fn a_request_repeated_after_a_crash_finds_what_was_made() {
    let world = World::new().await;
    let (seller, account) = world.ours();
    world.ask((seller, account)).await;
    let made = world.lane(account).await;
    // Acts as if the first invocation had died before it stored anything.
    world
        .sql("update robnu.marketplace_accounts set lane_state = 'REQUESTED', lane_queue_url = null, lane_mapping_id = null where id = $1", &[&account])
        .await;
    world.ask((seller, account)).await;
    assert_eq!(world.lane(account).await, made);
    world.expect_open(account, 1).await;
}

#[tokio::test]
async fn requests_for_one_account_at_once_make_one_lane() {
    let world = World::new().await;
    let account = world.ours();
    let others = [world.another_context().await, world.another_context().await];
    let batch = vec![body(account); 3];
    let (one, two, three) = tokio::join!(
        ask_with(&world.context, &batch),
        ask_with(&others[0], &batch),
        ask_with(&others[1], &batch)
    );
    assert_eq!([one, two, three].concat(), [0_usize; 0]);
    world.expect_open(account.1, 1).await;
}

#[tokio::test]
async fn a_batch_for_all_accounts_makes_all_lanes() {
    let world = World::new().await;
    assert_eq!(ask_with(&world.context, &world.accounts().map(body)).await, [0_usize; 0]);
    for (_, account) in world.accounts() {
        world.expect_open(account, 1).await;
    }
}

#[tokio::test]
async fn bad_messages_fail_alone() {
    let world = World::new().await;
    let (ours, our_account) = world.ours();
    let (theirs, _) = world.accounts()[2];
    let bodies = [
        "garbage".to_owned(),
        body((ours, our_account)),
        String::new(),
        r#"{"seller_id":"1"}"#.to_owned(),
        body((theirs, our_account)),
        body((SellerId::new(), AccountId::new())),
    ];
    assert_eq!(ask_with(&world.context, &bodies).await, [0, 2, 3, 4, 5]);
    world.expect_open(our_account, 1).await;
}

#[tokio::test]
async fn a_message_without_an_id_fails_the_invocation() {
    let event = serde_json::from_str::<Event>(r#"{"Records":[{"body":"{}"}]}"#);
    assert!(event.is_err());
    let event =
        serde_json::from_str::<Event>(r#"{"Records":[{"messageId":"a","body":"{}","attributes":{}}]}"#);
    assert!(matches!(event, Ok(Event::Requests { .. })));
}

#[tokio::test]
async fn failures_are_reported_as_sqs_expects_them() {
    let world = World::new().await;
    let event = serde_json::from_str(r#"{"Records":[{"messageId":"m1","body":"garbage"}]}"#).unwrap();
    let answer = lanes::handle(event, &world.context, kit::in_a_minute()).await.unwrap();
    let json = serde_json::to_string(&answer).unwrap();
    assert_eq!(json, r#"{"batchItemFailures":[{"itemIdentifier":"m1"}]}"#);
}

#[tokio::test]
async fn a_marketplace_without_a_deployed_adapter_waits() {
    let world = World::new().await;
    let (seller, account) = world.ours();
    let mut context = world.context.clone();
    context.config.targets.remove("AJIO");
    assert_eq!(ask_with(&context, &[body((seller, account))]).await, [0_usize; 0]);
    let lane = world.lane(account).await;
    assert_eq!((lane.state.as_str(), lane.is_leased), ("REQUESTED", false));
    assert!(!world.has_queue(account, 1).await);
}

#[tokio::test]
async fn a_request_without_time_left_stays_in_the_queue() {
    let world = World::new().await;
    let bodies = [body(world.ours()), body(world.accounts()[1])];
    assert_eq!(ask_until(&world.context, &bodies, Instant::now()).await, [0, 1]);
}

#[tokio::test]
async fn a_queue_of_an_older_configuration_is_adjusted() {
    let world = World::new().await;
    let (seller, account) = world.ours();
    let url = kit::make_queue(&world.context.sqs, &world.queue_name(account, 1)).await;
    assert_eq!(attribute(&world.context.sqs, &url, QueueAttributeName::VisibilityTimeout).await, "30");
    world.ask((seller, account)).await;
    world.expect_open(account, 1).await;
    assert_eq!(attribute(&world.context.sqs, &url, QueueAttributeName::VisibilityTimeout).await, "40");
}

#[tokio::test]
async fn a_name_that_was_just_deleted_is_skipped() {
    let world = World::new().await;
    let (seller, account) = world.ours();
    let run = world.put_queued_run(account).await;
    let name = world.queue_name(account, 1);
    world.wire.refuse("CreateQueue", &name, "AWS.SimpleQueueService.QueueDeletedRecently", 9);
    world.ask((seller, account)).await;
    world.expect_open(account, 2).await;
    assert!(world.is_sent(run).await);
}

#[tokio::test]
async fn a_mapping_that_somebody_else_makes_meanwhile_is_used() {
    let world = World::new().await;
    let (seller, account) = world.ours();
    world.ask((seller, account)).await;
    let made = world.lane(account).await;
    world
        .sql("update robnu.marketplace_accounts set lane_state = 'REQUESTED', lane_mapping_id = null where id = $1", &[&account])
        .await;
    // The first lookup still finds nothing, and then Lambda says that one exists.
    let name = world.queue_name(account, 1);
    world.wire.pretend("ListEventSourceMapping", &name, r#"{"EventSourceMappings":[]}"#);
    world.wire.refuse("CreateEventSourceMapping", &name, "ResourceConflictException", 1);
    world.ask((seller, account)).await;
    assert_eq!(world.wire.unused(), 0);
    assert_eq!(world.lane(account).await, made);
    world.expect_open(account, 1).await;
}

#[tokio::test]
async fn a_mapping_that_is_being_deleted_is_waited_for_and_not_adopted() {
    let world = World::new().await;
    let (seller, account) = world.ours();
    let name = world.queue_name(account, 1);
    kit::make_queue(&world.context.sqs, &name).await;
    let leaving =
        r#"{"EventSourceMappings":[{"UUID":"old","State":"Deleting","FunctionArn":"arn:aws:lambda:x"}]}"#;
    world.wire.pretend("ListEventSourceMapping", &name, leaving);
    assert_eq!(ask_with(&world.context, &[body((seller, account))]).await, [0]);
    assert_eq!(world.lane(account).await.state, "REQUESTED");
    world.ask((seller, account)).await;
    world.expect_open(account, 1).await;
}

#[tokio::test]
async fn a_mapping_that_still_settles_is_waited_for() {
    let world = World::new().await;
    let (seller, account) = world.ours();
    world.wire.refuse("CreateEventSourceMapping", "", "InvalidParameterValueException", 1);
    world.ask((seller, account)).await;
    world.set_status(account, "PAUSED").await;
    world.wire.refuse("UpdateEventSourceMapping", "", "ResourceInUseException", 2);
    world.ask((seller, account)).await;
    assert_eq!(world.mappings(account, 1).await[0].state.as_deref(), Some("Disabled"));
    assert_eq!(world.wire.unused(), 0);
}

#[tokio::test]
async fn a_request_that_only_has_to_wait_comes_back_in_half_a_minute_and_one_that_failed_later() {
    let world = World::new().await;
    let (seller, account) = world.ours();
    let (sqs, queue) = (&world.context.sqs, &world.context.config.requests_queue_url);
    world.ask((seller, account)).await;
    world.set_status(account, "PAUSED").await;
    // Lambda takes up to a minute for a change; the tries of one request take eight seconds.
    for (code, times, soon) in [("AccessDeniedException", 1, 0), ("ResourceInUseException", 6, 1)] {
        sqs.send_message().queue_url(queue).message_body(body((seller, account))).send().await.unwrap();
        let received = sqs.receive_message().queue_url(queue).visibility_timeout(3_600).send().await.unwrap();
        let message = received.messages.unwrap().remove(0);
        let record = Record {
            message_id: message.message_id.unwrap(),
            body: message.body,
            receipt_handle: message.receipt_handle.clone(),
        };
        world.wire.refuse("UpdateEventSourceMapping", "", code, times);
        let event = Event::Requests { records: vec![record] };
        let Ok(Answer::Requests { batch_item_failures }) = handle(event, &world.context, in_a_minute()).await
        else {
            panic!("an answer")
        };
        assert_eq!(batch_item_failures.len(), 1, "{code}");
        assert_eq!(world.wire.unused(), 0, "{code}");
        let half_a_minute = ["\"VisibilityTimeout\":30", queue];
        assert_eq!(world.wire.taken("ChangeMessageVisibility", &half_a_minute), soon, "{code}");
        sqs.delete_message()
            .queue_url(queue)
            .receipt_handle(message.receipt_handle.unwrap())
            .send()
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_request_that_aws_refuses_is_tried_again_and_holds_no_lease() {
    let world = World::new().await;
    let (seller, account) = world.ours();
    let other = world.accounts()[1];
    world.wire.refuse("CreateQueue", &world.queue_name(account, 1), "InvalidAttributeValue", 1);
    assert_eq!(ask_with(&world.context, &[body((seller, account)), body(other)]).await, [0]);
    assert!(!world.lane(account).await.is_leased);
    world.expect_open(other.1, 1).await;
    world.ask((seller, account)).await;
    world.expect_open(account, 1).await;
}
