//! Only one route shows a customer: no other response, no error and no log line holds a text of one.

use robnu_storage::{Place, WrappedKey};
use robnu_testkit::Seller;

use crate::cases::cases;
use crate::logs::Captured;
use crate::support::{Api, Call};

/// A text for each column; each is one that nothing else holds.
const PLANTED: [(&str, &str); 5] = [
    ("customer_name_enc", "Asha Planted"),
    ("customer_phone_enc", "+91 7123456789"),
    ("customer_email_enc", "planted@marketplace.example.invalid"),
    ("address_enc", "7 Planted Lane"),
    ("postal_code_enc", "411048"),
];

/// Gives the seller's order a complete customer, encrypted with the seller's key.
async fn plant(api: &Api, seller: &Seller) {
    let superuser = api.test.superuser().await;
    let key = "select id as key_id, wrapped_key, kms_key_id from robnu.seller_keys where seller_id = $1";
    let rows = superuser.query(key, &[&seller.id]).await.unwrap();
    let keys = api.cloud.keys();
    let cipher = keys.cipher(seller.id, &WrappedKey::from_row(&rows[0]).unwrap().unwrap()).await.unwrap();
    for (column, text) in PLANTED {
        let place = Place { table: "order_pii", column, row: *seller.order.as_uuid() };
        let sealed = cipher.seal(place, text.as_bytes()).unwrap();
        let sql = format!("update robnu.order_pii set {column} = $2 where seller_id = $1");
        assert_eq!(superuser.execute(&sql, &[&seller.id, &sealed]).await.unwrap(), 1);
    }
}

fn assert_discreet(what: &str, text: &str) {
    for (column, planted) in PLANTED {
        assert!(!text.contains(planted), "{what} holds the text of {column}");
    }
}

#[tokio::test]
async fn only_the_customers_own_route_shows_a_customer_and_no_log_line_does() {
    // The look that ends in an error below is in the audit trail all the same, which the check of single-connection tests forbids.
    let api = Api::with_pool(2).await;
    let (ours, theirs) = (&api.sellers.ours, &api.sellers.theirs);
    for seller in [ours, theirs] {
        plant(&api, seller).await;
    }
    let captured = Captured::default();
    let guard = captured.listen();
    for (operation, case) in cases() {
        let is_read = operation.method == "GET";
        let own = operation.id == "get_customer";
        if is_read {
            case.prepare(&api, ours).await;
            let answer = api.send(case.success(&api, &operation, ours).await).await;
            if own {
                let shown = |(_, planted): &(&str, &str)| answer.text.contains(planted);
                assert!(PLANTED.iter().all(shown), "the route itself shows them");
            } else {
                assert_discreet(&operation.id, &answer.text);
            }
        }
        // Neither does an error, whoever asks.
        let as_stranger = case.call(&api, &operation, ours, ours).await.by(theirs, "OWNER");
        assert_discreet(&operation.id, &api.send(as_stranger).await.text);
        if is_read {
            let as_scanner = case.call(&api, &operation, ours, ours).await.by(ours, "SCANNER");
            assert_discreet(&operation.id, &api.send(as_scanner).await.text);
        }
    }
    // A ciphertext of another column does not open, and the error says nothing of either.
    api.arrange("update robnu.order_pii set customer_phone_enc = customer_name_enc").await;
    let customer = format!("/v1/sellers/{}/orders/{}/customer", ours.id, ours.order);
    let broken = api.send(Call::get(&customer).by(ours, "OWNER")).await;
    assert_eq!(broken.status.as_u16(), 500);
    assert_discreet("an error", &broken.text);
    drop(guard);
    let log = captured.text();
    assert!(log.contains("customer") && log.len() > 10_000, "the log was captured");
    assert_discreet("the log", &log);
}
