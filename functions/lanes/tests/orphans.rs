//! Queues that no row has are found by name and tag, and removed with their mappings.

mod kit;

use kit::World;
use robnu_tenancy::AccountId;

#[tokio::test]
async fn a_round_removes_orphans_and_leaves_lanes_and_strangers_alone() {
    let world = World::new().await;
    world.reconcile().await;
    let (_, account) = world.ours();
    let gone = world.put_lane(AccountId::new(), 3, "test").await;
    world.sql("update robnu.marketplace_accounts set lane_generation = 5 where id = $1", &[&account]).await;
    // What was made before is an earlier generation's now, as after a call that ended too early; so is a later one's, as after the
    // restore of a backup.
    let later = world.put_lane(account, 9, "test").await;
    // A queue of the present generation is the row's, although the row does not have it yet.
    let (_, other) = world.accounts()[2];
    let unlisted = "update robnu.marketplace_accounts set lane_state = 'REQUESTED', lane_queue_url = null, lane_mapping_id = null,
        lane_lease_until = now() + interval '1 minute' where id = $1";
    world.sql(unlisted, &[&other]).await;
    let stranger = world.put_lane(AccountId::new(), 1, "prod").await;

    let report = world.reconcile().await;
    assert_eq!((report.orphans, report.failed, report.time_short), (3, 0, false));
    for name in [gone, later, world.queue_name(account, 1)] {
        assert!(!world.exists(&name).await, "{name}");
        assert_eq!(world.mappings_of(&name).await.len(), 0, "{name}");
    }
    assert!(world.has_queue(other, 1).await && world.exists(&stranger).await);
    assert_eq!((world.mappings(other, 1).await.len(), world.mappings_of(&stranger).await.len()), (1, 1));
    for (_, sound) in [world.accounts()[1], world.accounts()[3]] {
        world.expect_open(sound, 1).await;
    }
    assert_eq!(world.reconcile().await.orphans, 0);
}

#[tokio::test]
async fn an_orphan_that_cannot_be_removed_holds_up_no_other_and_no_lane() {
    let world = World::new().await;
    world.reconcile().await;
    let (stuck, gone) = (
        world.put_lane(AccountId::new(), 1, "test").await,
        world.put_lane(AccountId::new(), 1, "test").await,
    );
    world.wire.refuse("DeleteQueue", &stuck, "InvalidSecurity", 1_000);
    world.sql("update robnu.marketplace_accounts set lane_checked_at = now() - interval '1 day'", &[]).await;
    let report = world.reconcile().await;
    assert_eq!((report.orphans, report.failed, report.checked), (1, 1, 4));
    assert!(world.exists(&stuck).await && !world.exists(&gone).await);
}
