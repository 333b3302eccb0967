//! The sellers and their accounts: rows in the database, credentials that the simulators accept, and books of orders.

use anyhow::Context;
use robnu_marketplace::code::MarketplaceCode;
use robnu_storage::{KeyService, Place, SellerCipher};
use robnu_tenancy::{AccountId, SellerId, Subject};
use simulators::{AjioAccount, AmazonAccount, FlipkartAccount, Marketplace, OrderBook, State};

use crate::book::order_book;
use crate::superuser::Superuser;

/// Orders in a book, enough for several pages and slices.
const AJIO_ORDERS: usize = 170;
const AMAZON_ORDERS: usize = 260;
const FLIPKART_ORDERS: usize = 40;
/// The marketplaces of which a run that reads everything finds at least so many orders. (At Flipkart an order that changes meanwhile can
/// move out of the window of such a run, and is found by the next one.)
pub const BOOKS: [(MarketplaceCode, usize); 2] =
    [(MarketplaceCode::Ajio, AJIO_ORDERS), (MarketplaceCode::AmazonIn, AMAZON_ORDERS)];
/// All accounts of the simulators have this password or secret.
pub const SECRET: &str = "correct horse";

const NEW_SELLER: &str = "with seller as (
      insert into robnu.sellers (seller_id, org_id, name) select $1, id, $2 from robnu.orgs returning seller_id
    ), person as (
      insert into robnu.people (subject, email) values ($3, $3 || '.invalid') returning id
    ), member as (
      insert into robnu.members (seller_id, person_id, role) select seller_id, person.id, 'OWNER' from seller, person
    )
    insert into robnu.seller_keys (seller_id, id, wrapped_key, kms_key_id) select seller_id, $4, $5, $6 from seller";
/// An account of the run bears the name by which its marketplace knows it. No other account in the database does.
const NEW_ACCOUNT: &str = "insert into robnu.marketplace_accounts (seller_id, id, marketplace_code, external_account_id, display_name, verified_at,
      lane_state, lane_queue_url, lane_mapping_id) values ($1, $2, $3, $4, $4, now(), 'ACTIVE', $5, 'chaos')";
const NEW_SCHEDULE: &str =
    "insert into robnu.schedules (seller_id, account_id, kind, every_minutes, next_due_at)
    select $1, $2, kind, 10080, '2100-01-01' from unnest(array['ORDERS', 'RETURNS']) kind";

/// A seller of the run.
#[derive(Debug)]
pub struct Seller {
    /// Its id.
    pub id: SellerId,
    /// Its owner.
    pub owner: Subject,
    cipher: SellerCipher,
}

/// An account of such a seller.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its seller.
    pub seller: SellerId,
    /// Its marketplace.
    pub code: MarketplaceCode,
    /// Its name in the simulators, and so in their faults and books.
    pub name: String,
    /// Its place among the accounts with a book of their own.
    pub series: usize,
    /// The lane's queue.
    pub lane: String,
}

impl Seller {
    /// Makes a seller with a data key and an owner.
    pub async fn new(superuser: &Superuser, keys: &KeyService, name: &str) -> anyhow::Result<Self> {
        let id = SellerId::new();
        let subject = format!("owner@{id}");
        let key = keys.generate(id).await.context("make a data key")?;
        let wrapped = &key.wrapped;
        superuser
            .query(NEW_SELLER, &[&id, &name, &subject, &wrapped.id, &wrapped.ciphertext, &wrapped.kms_key_id])
            .await?;
        let owner = Subject::from_verified_claim(&subject).context("name an owner")?;
        Ok(Self { id, owner, cipher: key.cipher })
    }

    /// Connects an account that the simulators know.
    pub async fn connect(&self, superuser: &Superuser, account: &Account) -> anyhow::Result<()> {
        let (seller, id) = (&account.seller, &account.id);
        let code = account.code.as_str();
        superuser.query(NEW_ACCOUNT, &[seller, id, &code, &account.name, &account.lane]).await?;
        if account.code != MarketplaceCode::Meesho {
            superuser.query(NEW_SCHEDULE, &[seller, id]).await?;
        }
        self.store_details(superuser, account).await
    }

    async fn store_details(&self, superuser: &Superuser, account: &Account) -> anyhow::Result<()> {
        let (seller, id, name) = (&account.seller, &account.id, &account.name);
        let seal = |table, column, text: &str| {
            let place = Place { table, column, row: *id.as_uuid() };
            self.cipher.seal(place, text.as_bytes()).context("encrypt a secret")
        };
        match account.code {
            MarketplaceCode::Ajio => {
                let password = seal("ajio_account_details", "password", SECRET)?;
                let sql = "insert into robnu.ajio_account_details (seller_id, account_id, username, password_enc) values ($1, $2, $3, $4)";
                superuser.query(sql, &[seller, id, name, &password]).await?;
            }
            MarketplaceCode::AmazonIn => {
                let secret = seal("amazon_account_details", "client_secret", SECRET)?;
                let token = seal("amazon_account_details", "refresh_token", &refresh_token(name))?;
                let sql = "insert into robnu.amazon_account_details (seller_id, account_id, client_id, client_secret_enc, refresh_token_enc)
                    values ($1, $2, 'client', $3, $4)";
                superuser.query(sql, &[seller, id, &secret, &token]).await?;
            }
            MarketplaceCode::Flipkart => {
                let secret = seal("flipkart_account_details", "app_secret", SECRET)?;
                let sql = "insert into robnu.flipkart_account_details (seller_id, account_id, app_id, app_secret_enc) values ($1, $2, $3, $4)";
                superuser.query(sql, &[seller, id, name, &secret]).await?;
            }
            MarketplaceCode::Meesho => {
                let sql = "insert into robnu.meesho_account_details (seller_id, account_id, supplier_id) values ($1, $2, $3)";
                superuser.query(sql, &[seller, id, name]).await?;
            }
        }
        Ok(())
    }
}

impl Account {
    /// Tells the simulators of the account.
    pub fn register(&self, simulator: &State) -> anyhow::Result<()> {
        let (name, secret) = (self.name.clone(), SECRET.to_owned());
        match self.code {
            MarketplaceCode::Ajio => simulator.register_ajio(AjioAccount {
                username: name,
                password: Some(secret),
                orders: Some(AJIO_ORDERS),
            }),
            MarketplaceCode::AmazonIn => simulator.register_amazon(AmazonAccount {
                refresh_token: refresh_token(&name),
                account: name,
                client_id: Some("client".to_owned()),
                client_secret: Some(secret),
                orders: self.book()?.context("Amazon has a book")?,
            }),
            MarketplaceCode::Flipkart => simulator.register_flipkart(FlipkartAccount {
                app_id: name.clone(),
                account: name,
                app_secret: secret,
                orders: self.book()?,
            }),
            // Meesho is read from files.
            MarketplaceCode::Meesho => {}
        }
        Ok(())
    }

    /// The book that the account begins with, where it is made here.
    pub fn book(&self) -> anyhow::Result<Option<OrderBook>> {
        match self.code {
            MarketplaceCode::AmazonIn => order_book(self.series, 0, AMAZON_ORDERS).map(Some),
            MarketplaceCode::Flipkart => order_book(self.series, 0, FLIPKART_ORDERS).map(Some),
            MarketplaceCode::Ajio | MarketplaceCode::Meesho => Ok(None),
        }
    }

    /// The simulator of its marketplace.
    pub fn marketplace(&self) -> Marketplace {
        match self.code {
            MarketplaceCode::Ajio => Marketplace::Ajio,
            MarketplaceCode::AmazonIn => Marketplace::Amazon,
            MarketplaceCode::Flipkart => Marketplace::Flipkart,
            MarketplaceCode::Meesho => Marketplace::Meesho,
        }
    }
}

fn refresh_token(name: &str) -> String {
    format!("Atzr|{name}")
}
