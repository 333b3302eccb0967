//! The call of the Finances API, version 2024-06-19.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;

use crate::amazon_in::kept;
use crate::bytes::BadBytes;
use crate::error::AdapterError;
use crate::http::join;
use crate::pace::Operation;
use crate::raw::RawPage;
use crate::records::{RawRecords, parse_page};

use super::{AmazonClient, MARKETPLACE_ID, READ_PAYOUTS, operation};

const TRANSACTIONS_PATH: &[&str] = &["finances", "2024-06-19", "transactions"];

const LIST_TRANSACTIONS: Operation = operation("listTransactions", 0.5, 10);

/// How errors name the response.
const PAGE: &str = "page of transactions";

/// A page of transactions.
#[derive(Debug)]
pub struct TransactionsPage {
    pub transactions: RawRecords,
    pub next_token: Option<String>,
    pub bad_bytes: BadBytes,
    /// What is kept of the response.
    pub raw: RawPage,
}

#[derive(Deserialize)]
struct Answer {
    payload: Option<Payload>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    #[serde(default)]
    transactions: RawRecords,
    next_token: Option<String>,
}

impl AmazonClient {
    /// Lists transactions of Amazon.in that were posted from one instant to before another, which are at most 180 days apart. A token is only
    /// valid beside the parameters that it was issued for.
    pub async fn transactions(
        &self,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        token: Option<&str>,
    ) -> Result<TransactionsPage, AdapterError> {
        let instant = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let mut url = join(&self.service.base_url, TRANSACTIONS_PATH);
        url.query_pairs_mut()
            .append_pair("postedAfter", &instant(from))
            .append_pair("postedBefore", &instant(until))
            .append_pair("marketplaceId", MARKETPLACE_ID)
            .extend_pairs(token.map(|token| ("nextToken", token)));
        let body = self.get(&LIST_TRANSACTIONS, url, READ_PAYOUTS).await?;
        let (answer, bad_bytes): (Answer, _) = parse_page(&body, PAGE)?;
        let missing = || AdapterError::Malformed { what: format!("{PAGE}: payload.transactions is missing") };
        let Payload { transactions, next_token } = answer.payload.ok_or_else(missing)?;
        // An empty page may lack its list, but then leads to another one.
        if !transactions.is_stated && next_token.is_none() {
            return Err(missing());
        }
        if next_token.as_deref().is_some_and(|token| bad_bytes.are_in(token)) {
            return Err(AdapterError::Garbled { what: format!("{PAGE} holds a token that is not UTF-8") });
        }
        Ok(TransactionsPage {
            transactions,
            next_token,
            bad_bytes,
            raw: RawPage::new(&body, &kept::TRANSACTIONS),
        })
    }
}
