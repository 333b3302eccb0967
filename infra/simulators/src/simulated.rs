//! The list of simulated marketplaces. A new marketplace is added here and to the variants of [`Marketplace`].

use std::sync::Mutex;

use crate::ajio::Ajio;
use crate::amazon::Amazon;
use crate::config::SimulatorConfig;
use crate::flipkart::Flipkart;
use crate::marketplace::{Marketplace, Simulated};
use crate::meesho::Meesho;

/// The state of every simulated marketplace. Each has a lock of its own, so that a slow call to one holds up no other.
pub(crate) struct Marketplaces {
    pub(crate) ajio: Mutex<Ajio>,
    pub(crate) amazon: Mutex<Amazon>,
    pub(crate) flipkart: Mutex<Flipkart>,
    pub(crate) meesho: Mutex<Meesho>,
}

impl Marketplaces {
    /// All marketplaces, each with the first segment of its paths.
    pub(crate) const PATHS: [(&str, Marketplace); 4] = [
        ("/ajio", Marketplace::Ajio),
        ("/amazon", Marketplace::Amazon),
        ("/flipkart", Marketplace::Flipkart),
        ("/meesho", Marketplace::Meesho),
    ];

    pub(crate) fn new(config: &SimulatorConfig) -> Self {
        Self {
            ajio: Mutex::new(Ajio::new(&config.ajio)),
            amazon: Mutex::new(Amazon::new(&config.amazon)),
            flipkart: Mutex::new(Flipkart::new(&config.flipkart)),
            meesho: Mutex::new(Meesho::new(&config.meesho)),
        }
    }

    /// The simulation of a marketplace.
    pub(crate) fn of(&self, marketplace: Marketplace) -> &Mutex<dyn Simulated> {
        match marketplace {
            Marketplace::Ajio => &self.ajio,
            Marketplace::Amazon => &self.amazon,
            Marketplace::Flipkart => &self.flipkart,
            Marketplace::Meesho => &self.meesho,
        }
    }
}
