//! Round trips to the database, counted on the wire.

use serde_json::json;

use crate::support::{Api, Call, ajio};

#[tokio::test]
async fn every_read_is_one_flight() {
    let (api, wire) = Api::behind_wire().await;
    let ours = &api.sellers.ours;
    let seller = format!("/v1/sellers/{}", ours.id);
    let cases = [
        ("/v1/me".to_owned(), 4),
        ("/v1/marketplaces".to_owned(), 4),
        (seller.clone(), 4),
        (format!("{seller}/accounts"), 4),
        (format!("{seller}/runs"), 4),
        (format!("{seller}/runs?account_id={}&limit=1", ours.ajio), 4),
        (format!("{seller}/runs/{}", ours.run), 4),
        (format!("{seller}/orders"), 4),
        (format!("{seller}/orders?account_id={}&status=PENDING&limit=1", ours.ajio), 4),
        (format!("{seller}/orders/{}", ours.order), 6),
    ];
    for (path, statements) in &cases {
        api.get("VIEWER", path).await.expect(200);
        let _prepared = wire.take();
        api.get("VIEWER", path).await.expect(200);
        assert_eq!(wire.take(), (1, *statements), "{path}");
    }
    let declared = api::routes::routes().iter().filter(|route| route.method == "GET").count();
    assert_eq!(declared, 8, "a new route needs a line above");
}

#[tokio::test]
async fn every_write_is_at_most_two_flights() {
    let (api, wire) = Api::behind_wire().await;
    let ours = &api.sellers.ours;
    let seller = format!("/v1/sellers/{}", ours.id);
    let lane = api.cloud.lane().await;
    api.arrange(&format!("update robnu.marketplace_accounts set lane_queue_url = '{lane}'")).await;
    // The first of each prepares statements.
    for (account, external_id, flights) in [(ours.ajio, "DV1", None), (ours.amazon, "DV2", Some(2))] {
        let _prepared = wire.take();
        api.post("OWNER", &format!("{seller}/accounts"), &ajio(external_id)).await.expect(201);
        let connect = wire.take();
        let sync = format!("{seller}/accounts/{account}/sync");
        api.post("OWNER", &sync, &json!({"kind": "ORDERS"})).await.expect(202);
        let new_run = wire.take();
        api.post("OWNER", &sync, &json!({"kind": "ORDERS"})).await.expect(200);
        let live_run = wire.take();
        let details = if account == ours.ajio {
            json!({"username": "DV0001", "password": "new"})
        } else {
            json!({"client_id": "c", "client_secret": "s", "refresh_token": "t"})
        };
        let credentials = format!("{seller}/accounts/{account}/credentials");
        api.put("OWNER", &credentials, &json!({"details": details})).await.expect(200);
        let _prepared = wire.take();
        api.put("OWNER", &credentials, &json!({"details": details})).await.expect(200);
        let rotate = wire.take();
        let sign_up = Call::post("/v1/sellers", &json!({"name": "new"})).by(ours, "OWNER");
        api.send(sign_up.claim("email_verified", "true")).await.expect(201);
        let sign_up = wire.take();
        if let Some(flights) = flights {
            assert_eq!((connect.0, new_run.0, live_run.0, sign_up.0), (flights, flights, 1, 1));
            assert_eq!(rotate.0, flights);
        }
    }
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
