//! Customers of a page's orders: encrypted under the seller's data key, and only where something is new.
//!
//! A ciphertext is bound to its order's id, which only the database knows. The statement that returns the ids travels with the
//! page's other statements, and the one that stores the customers travels with COMMIT, so a page stays two round trips.

use chrono::{DateTime, Utc};
use robnu_dispatch::Job;
use robnu_marketplace::record::{Customer, CustomerText, OrderRecord, Records};
use robnu_storage::{Place, SellerCipher};
use robnu_tenancy::{AccountId, Error, OrderId, Row, ToSql};
use zeroize::Zeroizing;

use crate::error::JobError;
use crate::store::batch::{Request, is_from_file, newest};

const FIND_NEW: &str = include_str!("../sql/find_new_customers.sql");
const UPSERT: &str = include_str!("../sql/upsert_customers.sql");

/// The table of customers, to which their encryption is bound.
const TABLE: &str = "order_pii";
/// Its columns of ciphertext, in the order of [`Customer::fields`].
const COLUMNS: [&str; 5] =
    ["customer_name_enc", "customer_phone_enc", "customer_email_enc", "address_enc", "postal_code_enc"];

type Params<'a> = Vec<&'a (dyn ToSql + Sync)>;

/// The customers on a page, with what tells whether they are new.
#[derive(Default)]
pub struct PageCustomers<'a> {
    customer: Vec<&'a Customer>,
    external_order_id: Vec<&'a str>,
    status: Vec<Option<&'a str>>,
    stamp: Vec<Option<DateTime<Utc>>>,
    digest: Vec<Vec<u8>>,
}

impl<'a> PageCustomers<'a> {
    pub fn new(cipher: &SellerCipher, job: &Job, records: &'a Records) -> Self {
        let mut page = Self::default();
        let Records::Orders(orders) = records else { return page };
        for order in newest(orders) {
            let Some(customer) = &order.customer else { continue };
            page.customer.push(customer);
            page.external_order_id.push(&order.external_order_id);
            page.status.push(order.status.known());
            page.stamp.push(order.marketplace_updated_at);
            page.digest.push(digest(cipher, job.account_id, order, customer).to_vec());
        }
        page
    }

    /// The statement that finds the new ones, if the page has any customers.
    pub fn request<'b>(&'b self, job: &'b Job) -> Option<Request<'b>> {
        let Self { external_order_id, status, stamp, digest, .. } = self;
        let params: Params<'b> =
            vec![&job.account_id, external_order_id, status, stamp, digest, is_from_file(job)];
        (!external_order_id.is_empty()).then_some((FIND_NEW, params))
    }

    /// Seals those that the statement returned.
    pub fn seal_new(&self, cipher: &SellerCipher, job: &Job, rows: &[Row]) -> Result<NewCustomers, JobError> {
        let mut new = NewCustomers { from_file: *is_from_file(job), ..NewCustomers::default() };
        for row in rows {
            let place: i32 = row.try_get("place").map_err(Error::from)?;
            let order_id: OrderId = row.try_get("id").map_err(Error::from)?;
            // The database counts from 1.
            let at = usize::try_from(place).unwrap_or_default().wrapping_sub(1);
            let (Some(customer), Some(digest)) = (self.customer.get(at), self.digest.get(at)) else {
                continue;
            };
            for ((field, column), name) in customer.fields().iter().zip(&mut new.fields).zip(COLUMNS) {
                let bound = Place { table: TABLE, column: name, row: *order_id.as_uuid() };
                column.push(field.map(|text| cipher.seal(bound, text.as_str().as_bytes())).transpose()?);
            }
            new.order_id.push(order_id);
            new.digest.push(digest.clone());
        }
        Ok(new)
    }
}

/// Customers to be stored, encrypted, as columns.
#[derive(Debug, Default)]
pub struct NewCustomers {
    order_id: Vec<OrderId>,
    fields: [Vec<Option<Vec<u8>>>; 5],
    digest: Vec<Vec<u8>>,
    from_file: bool,
}

impl NewCustomers {
    /// The statement that stores them, if there are any. It must be the page's last but for the run's progress.
    #[must_use]
    pub fn request(&self) -> Option<Request<'_>> {
        let [name, phone, email, address, postal_code] = &self.fields;
        let params: Params<'_> =
            vec![&self.order_id, name, phone, email, address, postal_code, &self.digest, &self.from_file];
        (!self.order_id.is_empty()).then_some((UPSERT, params))
    }
}

/// A digest by which the same customer of the same order is recognised, and no other.
fn digest(cipher: &SellerCipher, account: AccountId, order: &OrderRecord, customer: &Customer) -> [u8; 32] {
    let mut text = Zeroizing::new(Vec::new());
    let order = [account.to_string(), order.external_order_id.clone()];
    let parts = order.iter().map(|part| Some(part.as_str()));
    for part in parts.chain(customer.fields().map(|field| field.map(CustomerText::as_str))) {
        // With its length before it, no part can be taken for a piece of its neighbour; an absent one has no length.
        let length = part.map_or(-1, |part| i64::try_from(part.len()).unwrap_or(i64::MAX));
        text.extend_from_slice(&length.to_be_bytes());
        text.extend_from_slice(part.unwrap_or_default().as_bytes());
    }
    cipher.digest(TABLE, "digest", &text)
}
