//! Round trips to the database, counted on the wire: one for a read, at most two for a write. A key takes one more, to store
//! the response. A repeated request takes two more, for the refused claim and its end.

use std::path::Path;

use robnu_testkit::{WireProxy, assert_golden};

use crate::cases::{Case, cases};
use crate::document::Operation;
use crate::support::Api;

/// The cost of a call to this turn's seller. The earlier call to the other seller has prepared the statements; a prepared
/// statement is sent in one round trip less.
struct Counted {
    plain: (usize, usize),
    /// The cost of a POST with a key, and of its repetition.
    keyed: Option<[(usize, usize); 2]>,
}

async fn count(api: &Api, wire: &WireProxy, operation: &Operation, case: &Case) -> Counted {
    let mut counted = Counted { plain: (0, 0), keyed: None };
    for seller in [&api.sellers.theirs, &api.sellers.ours] {
        case.prepare(api, seller).await;
        let call = case.success(api, operation, seller).await;
        let _before = wire.take();
        api.send(call).await.expect(case.status);
        counted.plain = wire.take();
        if operation.method != "POST" {
            continue;
        }
        case.prepare(api, seller).await;
        let key = format!("{}-{}", operation.id, seller.id);
        let call = case.success(api, operation, seller).await.key(&key);
        let mut keyed = [(0, 0); 2];
        for (again, taken) in [false, true].into_iter().zip(&mut keyed) {
            let _before = wire.take();
            let answer = api.send(call.clone()).await;
            *taken = wire.take();
            assert_eq!(answer.headers.contains_key("idempotent-replayed"), again, "{}", operation.id);
            answer.expect(case.status);
        }
        counted.keyed = Some(keyed);
    }
    counted
}

#[tokio::test]
async fn every_operation_needs_the_round_trips_and_statements_of_the_golden_file() {
    let (api, wire) = Api::behind_wire().await;
    let mut lines = Vec::new();
    for (operation, case) in cases() {
        let counted = count(&api, &wire, &operation, &case).await;
        let told = |(round_trips, statements): (usize, usize)| {
            format!("{round_trips} round_trips {statements:>2} statements")
        };
        let mut line = format!("{:<24}{}", operation.id, told(counted.plain));
        let most = if operation.method == "GET" { 1 } else { 2 };
        assert!(counted.plain.0 <= most, "{line}");
        if let Some([keyed, replayed]) = counted.keyed {
            assert!(keyed.0 <= counted.plain.0 + 1 && replayed.0 <= 2 + counted.plain.0, "{}", operation.id);
            line = format!("{line}   with a key {}   again {}", told(keyed), told(replayed));
        }
        lines.push(line);
    }
    lines.sort();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/http/golden/round_trips.txt");
    assert_golden(&golden, &lines);
}

#[tokio::test]
async fn a_refused_read_is_one_round_trip_and_keeps_the_connection() {
    let (api, wire) = Api::behind_wire().await;
    let path = format!("/v1/sellers/{}/orders", api.sellers.theirs.id);
    api.get("OWNER", &path).await.expect(404);
    let _prepared = wire.take();
    api.get("OWNER", &path).await.expect(404);
    assert_eq!(wire.take().0, 1);
}
