//! `POST /updateInventory`: sets absolute stock for at most fifty variants a call. Each variant succeeds or fails alone.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::error;
use crate::call::Reply;

const LARGEST_BATCH: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    inventory_list: Vec<Stock>,
}

/// The fields accept any value, so that an invalid one fails its variant and not the call.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stock {
    #[serde(default)]
    product_id: Value,
    #[serde(default)]
    variant_id: Value,
    #[serde(default)]
    inventory: Value,
}

pub(super) fn update(inventory: &mut BTreeMap<(String, String), u64>, body: &[u8]) -> Reply {
    let Ok(Request { inventory_list }) = serde_json::from_slice(body) else {
        return error(StatusCode::BAD_REQUEST, "send a JSON object with inventoryList");
    };
    if inventory_list.is_empty() || inventory_list.len() > LARGEST_BATCH {
        return error(StatusCode::BAD_REQUEST, "inventoryList must hold 1 to 50 variants");
    }
    let asked = inventory_list.len();
    let mut failed = Vec::new();
    for stock in inventory_list {
        let ids = stock.product_id.as_str().zip(stock.variant_id.as_str());
        let message = match (ids, stock.inventory.as_u64()) {
            (Some((product, variant)), Some(quantity)) if !product.is_empty() && !variant.is_empty() => {
                inventory.insert((product.to_owned(), variant.to_owned()), quantity);
                continue;
            }
            (Some((product, variant)), _) if !product.is_empty() && !variant.is_empty() => {
                "inventory must be a whole number from 0"
            }
            _ => "productId and variantId must be given",
        };
        failed.push(
            json!({ "productId": stock.product_id, "variantId": stock.variant_id, "message": message }),
        );
    }
    let status = match failed.len() {
        0 => "SUCCESS",
        failures if failures == asked => "FAILED",
        _ => "PARTIAL_SUCCESS",
    };
    Reply::json(StatusCode::OK, &json!({ "status": status, "failedProductList": failed }))
}
