//! Writes the reports that the panels hand out, so that an import and a sync of one book can be compared.

use std::path::Path;

use anyhow::Context;
use simulators::{
    AjioAccount, AmazonAccount, MeeshoColumns, SimulatorConfig, State, meesho_orders, meesho_returns,
};

/// The user name whose book is written. A local AJIO account with this name syncs the same orders.
const AJIO: &str = "DV1DEMO";
const AMAZON: &str = "A1DEMOSELLER";

/// Writes one file of each kind into a folder, which is made if need be.
pub fn write(mut config: SimulatorConfig, folder: &Path) -> anyhow::Result<()> {
    config.ajio.accounts.push(AjioAccount { username: AJIO.to_owned(), password: None, orders: None });
    config.amazon.accounts.push(AmazonAccount {
        account: AMAZON.to_owned(),
        refresh_token: String::new(),
        client_id: None,
        client_secret: None,
        orders: config.amazon.default_book.clone(),
    });
    let state = State::new(&config);
    let book = &config.amazon.default_book;
    std::fs::create_dir_all(folder).with_context(|| format!("make the folder {}", folder.display()))?;
    for (name, text) in [
        ("ajio_orders.csv", state.ajio_order_report(AJIO)?),
        ("ajio_rtv.csv", state.ajio_rtv_report(AJIO)?),
        ("amazon_orders.txt", state.amazon_order_report(AMAZON)?),
        ("meesho_orders.csv", meesho_orders(book, MeeshoColumns::Newer)),
        ("meesho_orders_classic.csv", meesho_orders(book, MeeshoColumns::Classic)),
        ("meesho_returns.csv", meesho_returns(book)),
    ] {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}
