//! Amazon order books: the CSV file, read strictly, and the orders in it.
//!
//! One row is one line of an order, and two equal rows are two lines. The rows of an order may be anywhere in the file;
//! its lines are numbered in the order of the rows. Nothing is guessed: an invalid cell is an error.

mod orders;
mod read;

use std::path::Path;

pub use orders::{Fulfilment, Line, Order, OrderBook};
pub use read::{CellProblem, OrderBookError};

impl OrderBook {
    /// Reads a file.
    pub fn from_path(path: &Path) -> Result<Self, OrderBookError> {
        let file = path.display().to_string();
        match std::fs::read(path) {
            Ok(bytes) => read::read(&file, &bytes),
            Err(source) => Err(OrderBookError::Open { file, source }),
        }
    }

    /// Reads CSV text. Messages use `name` as the file's name.
    pub fn from_csv(name: &str, text: &str) -> Result<Self, OrderBookError> {
        read::read(name, text.as_bytes())
    }

    /// The small invented order book that belongs to the simulators.
    pub fn sample() -> Result<Self, OrderBookError> {
        Self::from_csv("orders.csv", include_str!("../orders.csv"))
    }
}
