//! Round trips to the database, counted on the wire: one for a read, at most two for a write.

use std::path::Path;

use robnu_testkit::assert_golden;

use crate::cases::cases;
use crate::support::Api;

#[tokio::test]
async fn every_operation_takes_the_flights_and_statements_of_the_golden_file() {
    let (api, wire) = Api::behind_wire().await;
    let (ours, theirs) = (&api.sellers.ours, &api.sellers.theirs);
    let mut lines = Vec::new();
    for (operation, case) in cases() {
        // The other seller's call prepares the statements; what is prepared is sent in one flight less.
        for seller in [theirs, ours] {
            case.prepare(&api, seller).await;
            let call = case.success(&api, &operation, seller).await;
            let _before = wire.take();
            api.send(call).await.expect(case.status);
        }
        let (flights, statements) = wire.take();
        let most = if operation.method == "GET" { 1 } else { 2 };
        assert!(flights <= most, "{}: {flights} flights", operation.id);
        lines.push(format!("{:<28}{flights} flights {statements} statements", operation.id));
    }
    lines.sort();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/http/golden/flights.txt");
    assert_golden(&golden, &lines);
}

#[tokio::test]
async fn a_post_with_a_key_takes_one_flight_more_for_its_answer() {
    let (api, wire) = Api::behind_wire().await;
    let (ours, theirs) = (&api.sellers.ours, &api.sellers.theirs);
    let (operation, case) =
        cases().into_iter().find(|(operation, _)| operation.id == "request_sync").expect("a known operation");
    for seller in [theirs, ours] {
        let call = case.success(&api, &operation, seller).await.key("key-1");
        let _before = wire.take();
        api.send(call).await.expect(case.status);
    }
    assert_eq!(wire.take().0, 2);
}

#[tokio::test]
async fn a_refused_read_is_one_flight_and_keeps_the_connection() {
    let (api, wire) = Api::behind_wire().await;
    let path = format!("/v1/sellers/{}/orders", api.sellers.theirs.id);
    api.get("OWNER", &path).await.expect(404);
    let _prepared = wire.take();
    api.get("OWNER", &path).await.expect(404);
    assert_eq!(wire.take().0, 1);
}
