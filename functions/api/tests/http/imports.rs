//! Files that correct earlier ones: which can be named, and how the difference is shown.

use serde_json::{Value, json};

use crate::support::{Answer, Api, Call};

fn base(api: &Api) -> String {
    format!("/v1/sellers/{}", api.sellers.ours.id)
}

/// Announces a file of the Amazon or AJIO account. Each digit is a file of its own.
async fn ask(api: &Api, account: impl std::fmt::Display, digit: char, corrects: &Value) -> Answer {
    let body = json!({
        "file_name": "orders.csv", "content_type": "text/csv", "size_bytes": 3,
        "sha256": digit.to_string().repeat(64), "corrects": corrects,
    });
    api.post("OPERATOR", &format!("{}/accounts/{account}/imports", base(api)), &body).await
}

#[tokio::test]
async fn a_file_corrects_an_import_of_its_own_account_that_succeeded() {
    let api = Api::new().await;
    let (ours, theirs) = (&api.sellers.ours, &api.sellers.theirs);
    api.arrange(
        "update robnu.marketplace_accounts set status = 'ACTIVE';
         update robnu.sync_runs set state = 'SUCCEEDED'",
    )
    .await;
    let made = ask(&api, ours.ajio, 'a', &json!(ours.import)).await.expect(201);
    assert_eq!((&made["corrects"], &made["difference"]), (&json!(ours.import), &json!(null)));
    let path = format!("{}/imports/{}", base(&api), made["import_id"].as_str().unwrap());
    assert_eq!(api.get("VIEWER", &path).await.expect(200)["corrects"], json!(ours.import));
    let before = api.contents().await;
    for (account, corrects) in [
        (ours.ajio, json!(theirs.import)),
        (ours.amazon, json!(ours.import)),
        // One whose file has not come.
        (ours.ajio, made["import_id"].clone()),
        (ours.ajio, json!("00000000-0000-0000-0000-000000000001")),
    ] {
        let refused = ask(&api, account, 'b', &corrects).await.expect_problem(422, "invalid_body");
        assert_eq!(refused["errors"][0]["field"], json!("corrects"), "{refused}");
    }
    ask(&api, ours.ajio, 'b', &json!("none")).await.expect_problem(422, "invalid_body");
    ask(&api, ours.ajio, 'b', &json!(null)).await.expect_problem(422, "invalid_body");
    api.arrange("update robnu.sync_runs set state = 'FAILED' where kind = 'ORDERS'").await;
    ask(&api, ours.ajio, 'b', &json!(ours.import)).await.expect_problem(422, "invalid_body");
    api.arrange("update robnu.sync_runs set state = 'SUCCEEDED' where kind = 'ORDERS'").await;
    let after = api.contents().await;
    assert_eq!(after["imports"], before["imports"], "nothing was made");
}

#[tokio::test]
async fn a_difference_is_listed_page_by_page_and_only_to_its_seller() {
    let api = Api::new().await;
    let (ours, theirs) = (&api.sellers.ours, &api.sellers.theirs);
    api.arrange(&format!(
        "insert into robnu.import_changes (seller_id, import_id, number, stream, external_id, change, fields, fields_left_out)
         select seller_id, id, n, 'RETURNS', 'R' || n, case when n % 2 = 0 then 'ADDED' else 'MISSING' end, '[]', n
         from robnu.imports, generate_series(2, 5) n;
         update robnu.imports set records_added = 2, records_changed = 1, records_missing = 2 where id = '{}'",
        ours.import
    ))
    .await;
    let import = format!("{}/imports/{}", base(&api), ours.import);
    let shown = api.get("VIEWER", &import).await.expect(200);
    assert_eq!(shown["difference"], json!({"added": 2, "changed": 1, "missing": 2}));
    let changes = format!("{import}/changes");
    let first = api.send(Call::get(&changes).query("limit=2").by(ours, "VIEWER")).await.expect(200);
    assert_eq!(
        first["changes"],
        json!([
            {"stream": "ORDERS", "external_id": "FN1", "change": "CHANGED", "fields_left_out": 0,
                "fields": [{"field": "total_amount", "before": "10", "after": "20"}]},
            {"stream": "RETURNS", "external_id": "R2", "change": "ADDED", "fields": [], "fields_left_out": 2},
        ])
    );
    let (mut cursor, mut ids) = (first["next_cursor"].clone(), Vec::new());
    while let Some(next) = cursor.as_str() {
        let query = format!("limit=2&cursor={next}");
        let page = api.send(Call::get(&changes).query(&query).by(ours, "VIEWER")).await.expect(200);
        ids.extend(page["changes"].as_array().unwrap().iter().map(|one| one["external_id"].clone()));
        cursor = page["next_cursor"].clone();
    }
    assert_eq!(ids, ["R3", "R4", "R5"]);
    let missing = api.send(Call::get(&changes).query("change=MISSING").by(ours, "VIEWER")).await.expect(200);
    assert_eq!(missing["changes"].as_array().unwrap().len(), 2);
    let other = api.send(Call::get(&changes).query("change=GONE").by(ours, "VIEWER")).await;
    other.expect_problem(400, "invalid_query");
    // A cursor is good only for its own import and filter.
    let wrong = format!("change=ADDED&cursor={}", first["next_cursor"].as_str().unwrap());
    let wrong = api.send(Call::get(&changes).query(&wrong).by(ours, "VIEWER")).await;
    wrong.expect_problem(400, "invalid_cursor");
    let foreign = format!("{}/imports/{}/changes", base(&api), theirs.import);
    api.get("OWNER", &foreign).await.expect_problem(404, "import_not_found");
}

#[tokio::test]
async fn an_import_that_corrects_none_has_an_empty_difference() {
    let api = Api::new().await;
    api.arrange("delete from robnu.import_changes").await;
    let import = api.sellers.ours.import;
    let none = api.get("VIEWER", &format!("{}/imports/{import}/changes", base(&api))).await.expect(200);
    assert_eq!(none, json!({"changes": [], "next_cursor": null}));
}
