//! Documents: uploaded and downloaded by the client itself, complete only if they are what was announced, never another seller's.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::TcpStream;

use aws_sdk_s3::types::{ChecksumAlgorithm, ServerSideEncryption};
use serde_json::{Value, json};

use crate::access::session;
use crate::support::{Answer, Api, Call};

const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn path(api: &Api, rest: &str) -> String {
    format!("/v1/sellers/{}/documents{rest}", api.sellers.ours.id)
}

/// An invoice of our order that consists of `abc`.
fn invoice(api: &Api) -> Value {
    json!({"parent": "ORDER", "parent_id": api.sellers.ours.order.to_string(), "document_type": "INVOICE",
        "file_name": "bill 7.pdf", "content_type": "application/pdf", "size": 3, "sha256": ABC})
}

/// Begins an upload and returns the document's path and the response.
async fn start(api: &Api, body: &Value) -> (String, Value) {
    let started = api.post("OPERATOR", &path(api, ""), body).await.expect(201);
    (path(api, &format!("/{}", started["document_id"].as_str().unwrap())), started)
}

/// Sends `bytes` as a client does who has only the response.
async fn upload(started: &Value, bytes: &'static [u8]) -> u16 {
    let request = started["upload"].clone();
    tokio::task::spawn_blocking(move || {
        let headers: Vec<(String, String)> = request["headers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|header| (header["name"].as_str().unwrap().into(), header["value"].as_str().unwrap().into()))
            .collect();
        send(request["method"].as_str().unwrap(), request["url"].as_str().unwrap(), &headers, bytes).0
    })
    .await
    .unwrap()
}

/// Fetches a URL.
async fn fetch(url: &str) -> (u16, String) {
    let url = url.to_owned();
    tokio::task::spawn_blocking(move || send("GET", &url, &[], b"")).await.unwrap()
}

fn send(method: &str, url: &str, headers: &[(String, String)], body: &[u8]) -> (u16, String) {
    let (host, target) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut head = format!("{method} /{target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for (name, value) in headers.iter().filter(|(name, _)| name != "host") {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    let mut stream = TcpStream::connect(host).unwrap();
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();
    let response = String::from_utf8_lossy(&response).into_owned();
    (response.split(' ').nth(1).unwrap().parse().unwrap(), response)
}

async fn complete(api: &Api, document: &str) -> Answer {
    api.post("OPERATOR", &format!("{document}/complete"), &json!({})).await
}

/// How often the document was opened, as the audit trail says.
async fn opened(api: &Api, started: &Value) -> i64 {
    api.count(&format!(
        "select count(*) from robnu.audit_events where action = 'document.opened' and object_id = '{}'",
        started["document_id"].as_str().unwrap()
    ))
    .await
}

#[tokio::test]
async fn a_document_goes_up_is_complete_and_comes_down_and_looks_at_customers_are_recorded() {
    let api = Api::new().await;
    let (document, started) = start(&api, &invoice(&api)).await;
    assert_eq!((&started["state"], &started["holds_customer"]), (&json!("AWAITED"), &json!(true)));
    assert_eq!(started["file_name"], "bill 7.pdf");
    api.get("OPERATOR", &format!("{document}/download")).await.expect_problem(404, "document_not_found");
    complete(&api, &document).await.expect_problem(409, "document_not_uploaded");
    assert_eq!(upload(&started, b"abc").await, 200);
    let stored = complete(&api, &document).await.expect(200);
    assert_eq!(stored["state"], "STORED");
    assert_eq!(complete(&api, &document).await.expect(200), stored, "once more changes nothing");

    assert_eq!(opened(&api, &started).await, 0);
    let link = api.get("OPERATOR", &format!("{document}/download")).await.expect(200);
    assert_eq!(opened(&api, &started).await, 1);
    let (status, response) = fetch(link["url"].as_str().unwrap()).await;
    assert_eq!(status, 200, "{response}");
    // The local S3 ignores this; S3 makes a header of it.
    assert!(link["url"].as_str().unwrap().contains("response-content-disposition=attachment%3B"), "{link}");
    assert!(response.ends_with("abc"), "{response}");

    // VIEWER and FINANCE may not read customers, and nor may staff.
    for role in ["VIEWER", "FINANCE"] {
        api.get(role, &document).await.expect(200);
        api.get(role, &format!("{document}/download")).await.expect_problem(403, "forbidden");
    }
    let acting = Call::get(&format!("{document}/download")).by_staff();
    let acting = acting.header("impersonation-session", &session(&api).await.to_string());
    api.send(acting).await.expect_problem(403, "forbidden");
    assert_eq!(opened(&api, &started).await, 1);

    api.send(Call::new("DELETE", &document).by(&api.sellers.ours, "OPERATOR")).await.expect(204);
    api.get("OPERATOR", &document).await.expect_problem(404, "document_not_found");
    assert_eq!(fetch(link["url"].as_str().unwrap()).await.0, 200, "older versions stay for a while");
}

#[tokio::test]
async fn bytes_that_were_not_announced_never_become_a_document() {
    let api = Api::new().await;
    let (kms, s3_key) = (ServerSideEncryption::AwsKms, ServerSideEncryption::Aes256);
    for (what, sent, encryption) in
        [("size", "abcd", &kms), ("digest", "abd", &kms), ("encryption", "abc", &s3_key)]
    {
        let (document, started) = start(&api, &invoice(&api)).await;
        let id: robnu_tenancy::ObjectId = started["document_id"].as_str().unwrap().parse().unwrap();
        // Past the presigned request, as if it could be forged.
        let key = format!(
            "documents/{}/{}/orders/{}/invoice/{id}",
            api.sellers.ours.id, api.sellers.ours.ajio, api.sellers.ours.order
        );
        let forged = api
            .cloud
            .s3
            .put_object()
            .bucket(&api.cloud.bucket)
            .key(key)
            .body(sent.as_bytes().to_vec().into());
        let forged = forged.content_type("application/pdf").checksum_algorithm(ChecksumAlgorithm::Sha256);
        let key_id = (*encryption == kms).then(|| api.cloud.key.clone());
        let forged = forged.server_side_encryption(encryption.clone()).set_ssekms_key_id(key_id);
        forged.send().await.unwrap();
        complete(&api, &document).await.expect_problem(409, "document_differs");
        assert_eq!(api.get("OWNER", &document).await.expect(200)["state"], "AWAITED", "{what}");
    }
}

#[tokio::test]
async fn nobody_reaches_or_completes_another_sellers_document() {
    let api = Api::new().await;
    let theirs = &api.sellers.theirs;
    let (document, started) = start(&api, &invoice(&api)).await;
    assert_eq!(upload(&started, b"abc").await, 200);
    let id = started["document_id"].as_str().unwrap();
    let before = api.contents().await;
    for own_path in [false, true] {
        // Their owner names our seller, and then their own with our document.
        let base =
            if own_path { format!("/v1/sellers/{}/documents/{id}", theirs.id) } else { document.clone() };
        for (method, rest) in [("GET", ""), ("POST", "/complete"), ("GET", "/download"), ("DELETE", "")] {
            let call = Call::new(method, &format!("{base}{rest}")).by(theirs, "OWNER");
            let code = if own_path { "document_not_found" } else { "seller_not_found" };
            api.send(call).await.expect_problem(404, code);
        }
    }
    let path = format!("/v1/sellers/{}/documents", theirs.id);
    let foreign = Call::post(&path, &invoice(&api)).by(theirs, "OWNER");
    api.send(foreign).await.expect_problem(404, "order_not_found");
    assert_eq!(api.contents().await, before);
    complete(&api, &document).await.expect(200);
}

#[tokio::test]
async fn a_key_repeats_the_upload_without_storing_its_url() {
    let api = Api::new().await;
    let call = Call::post(&path(&api, ""), &invoice(&api)).by(&api.sellers.ours, "OWNER").key("one");
    let first = api.send(call.clone()).await.expect(201);
    assert_eq!(api.send(call).await.expect(201), first);
    let stored = "select count(*) from robnu.idempotency_keys where body::text like '%Signature%'";
    assert_eq!(api.count(stored).await, 0);
}

#[tokio::test]
async fn each_type_has_its_content_types_and_its_largest_size() {
    let api = Api::new().await;
    let refused = |set: &[(&'static str, Value)]| {
        let mut body = invoice(&api);
        for (field, value) in set {
            body[*field] = value.clone();
        }
        body
    };
    let (film, photo) = (json!("PROOF_VIDEO"), json!("PROOF_PHOTO"));
    for (set, field) in [
        (&[("content_type", json!("text/html"))][..], "content_type"),
        (&[("content_type", json!("image/svg+xml"))], "content_type"),
        (&[("document_type", film.clone())], "content_type"),
        (&[("size", json!(0))], "size"),
        (&[("size", json!(10 * 1024 * 1024 + 1))], "size"),
        (
            &[
                ("document_type", photo),
                ("content_type", json!("image/png")),
                ("size", json!(20 * 1024 * 1024 + 1)),
            ],
            "size",
        ),
        (&[("sha256", json!(ABC.to_uppercase()))], "sha256"),
        (&[("file_name", json!("a\nb"))], "file_name"),
    ] {
        let body = refused(set);
        let answer = api.post("OPERATOR", &path(&api, ""), &body).await.expect_problem(422, "invalid_body");
        assert_eq!(answer["errors"][0]["field"], field, "{body}");
    }
    let film = [
        ("document_type", film),
        ("content_type", json!("video/mp4")),
        ("size", json!(500 * 1024 * 1024)),
        ("file_name", json!("../unboxing.exe")),
    ];
    let (_, started) = start(&api, &refused(&film)).await;
    assert_eq!(started["file_name"], "unboxing.exe.mp4");
}

#[tokio::test]
async fn a_claims_evidence_is_shown_with_it_and_lists_are_narrowed_by_what_a_document_belongs_to() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    api.arrange("delete from robnu.storage_objects where kind = 'DOCUMENT'").await;
    let mut body = invoice(&api);
    let (of_order, _) = start(&api, &body).await;
    body["parent"] = json!("CLAIM");
    body["parent_id"] = json!(ours.claim.to_string());
    body["document_type"] = json!("COURIER_SLIP");
    let (of_claim, started) = start(&api, &body).await;
    assert_eq!(started["order_id"], ours.order.to_string(), "through the claim's return");
    let claim =
        api.get("VIEWER", &format!("/v1/sellers/{}/claims/{}", ours.id, ours.claim)).await.expect(200);
    assert_eq!(claim["documents"].as_array().unwrap().len(), 1);
    assert_eq!(claim["documents"][0]["document_id"], started["document_id"]);
    for (filter, expected) in [
        (String::new(), vec![&of_claim, &of_order]),
        (format!("?order_id={}", ours.order), vec![&of_claim, &of_order]),
        (format!("?account_id={}", ours.ajio), vec![&of_claim, &of_order]),
        (format!("?claim_id={}", ours.claim), vec![&of_claim]),
        (format!("?return_id={}", ours.return_id), vec![&of_claim]),
        (format!("?shipment_id={}", ours.order), vec![]),
        (format!("?account_id={}", ours.amazon), vec![]),
        (format!("?order_id={}", api.sellers.theirs.order), vec![]),
    ] {
        let list = api.get("VIEWER", &path(&api, &filter)).await.expect(200);
        let found: Vec<String> = list["documents"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| path(&api, &format!("/{}", one["document_id"].as_str().unwrap())))
            .collect();
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{filter}");
    }
    let two = format!("?order_id={}&claim_id={}", ours.order, ours.claim);
    api.get("VIEWER", &path(&api, &two)).await.expect_problem(400, "invalid_query");
}

#[tokio::test]
async fn a_seller_has_a_limited_number_of_open_uploads_and_of_bytes_a_day() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let add = |rows: u32, size: u64, state: &str| {
        format!(
            "set session_replication_role = replica; delete from robnu.imports where seller_id = '{0}';
             delete from robnu.storage_objects where seller_id = '{0}';
             insert into robnu.storage_objects (seller_id, account_id, kind, document_type, order_id, bucket, content_type, size,
               checksum, kms_key, file_name, state)
             select '{0}', '{1}', 'DOCUMENT', 'OTHER', '{2}', 'bucket', 'application/pdf', {size}, sha256('x'), 'key', 'x.pdf', '{state}'
             from generate_series(1, {rows})",
            ours.id, ours.ajio, ours.order
        )
    };
    for (rows, size, state, code) in [
        (100, 1, "AWAITED", "too_many_uploads"),
        (2_000, 1, "STORED", "too_much_uploaded_today"),
        (4, 5 * 1024 * 1024 * 1024, "STORED", "too_much_uploaded_today"),
    ] {
        api.arrange(&add(rows, size, state)).await;
        api.post("OWNER", &path(&api, ""), &invoice(&api)).await.expect_problem(409, code);
        api.arrange(&add(rows - 1, size, state)).await;
        api.post("OWNER", &path(&api, ""), &invoice(&api)).await.expect(201);
    }
}
