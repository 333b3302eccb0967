//! The sellers' data keys, and the credentials that are sealed with them.

use robnu_storage::{KeyService, Place, SellerCipher};
use robnu_tenancy::{AccountId, SellerId};
use tokio_postgres::Client;

pub async fn store_key(superuser: &Client, keys: &KeyService, seller: SellerId) -> SellerCipher {
    let key = keys.generate(seller).await.unwrap();
    superuser
        .execute(
            "update robnu.seller_keys set id = $2, wrapped_key = $3, kms_key_id = $4 where seller_id = $1",
            &[&seller, &key.wrapped.id, &key.wrapped.ciphertext, &key.wrapped.kms_key_id],
        )
        .await
        .unwrap();
    key.cipher
}

pub async fn seal_ajio(
    superuser: &Client,
    cipher: &SellerCipher,
    seller: SellerId,
    account: AccountId,
    username: &str,
) {
    let place = Place { table: "ajio_account_details", column: "password", row: *account.as_uuid() };
    let sql = "update robnu.ajio_account_details set username = $3, password_enc = $4 where seller_id = $1 and account_id = $2";
    let password = cipher.seal(place, b"correct horse").unwrap();
    superuser.execute(sql, &[&seller, &account, &username, &password]).await.unwrap();
}

pub async fn seal_amazon(
    superuser: &Client,
    cipher: &SellerCipher,
    seller: SellerId,
    account: AccountId,
    refresh_token: &str,
) {
    let place = |column| Place { table: "amazon_account_details", column, row: *account.as_uuid() };
    let sql = "update robnu.amazon_account_details set client_secret_enc = $3, refresh_token_enc = $4
               where seller_id = $1 and account_id = $2";
    let secret = cipher.seal(place("client_secret"), b"battery staple").unwrap();
    let token = cipher.seal(place("refresh_token"), refresh_token.as_bytes()).unwrap();
    superuser.execute(sql, &[&seller, &account, &secret, &token]).await.unwrap();
}

/// A key of the seller's own; the simulator accepts any that is not registered.
pub async fn seal_flipkart(superuser: &Client, cipher: &SellerCipher, seller: SellerId, account: AccountId) {
    let place = Place { table: "flipkart_account_details", column: "app_secret", row: *account.as_uuid() };
    let sql =
        "update robnu.flipkart_account_details set app_id = $3, app_secret_enc = $4, refresh_token_enc = null
               where seller_id = $1 and account_id = $2";
    let secret = cipher.seal(place, b"dishwasher").unwrap();
    superuser.execute(sql, &[&seller, &account, &format!("app-{account}"), &secret]).await.unwrap();
}

pub async fn seal_meesho(
    superuser: &Client,
    cipher: &SellerCipher,
    seller: SellerId,
    account: AccountId,
    supplier: &str,
) {
    let place = |column| Place { table: "meesho_account_details", column, row: *account.as_uuid() };
    let sql =
        "update robnu.meesho_account_details set supplier_id = $3, api_key_enc = $4, api_secret_enc = $5
               where seller_id = $1 and account_id = $2";
    let key = cipher.seal(place("api_key"), format!("key-of-{supplier}").as_bytes()).unwrap();
    let secret = cipher.seal(place("api_secret"), b"purple-monkey").unwrap();
    superuser.execute(sql, &[&seller, &account, &supplier, &key, &secret]).await.unwrap();
}
