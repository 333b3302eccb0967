//! The files that marketplaces hand to sellers: opened whatever their form, recognised by their header, and read row by row.
//!
//! [`open`] tells a file's form by its content. [`recognise()`] finds the tables in it that [`kind`] lists. [`Table`] reads the
//! rows of one, decides the order of day and month from all of them, and brings the rows of one order together. Memory does
//! not grow with the file: everything that is long goes to unnamed temporary files. No error repeats a cell.

mod archive;
mod blob;
mod date;
mod error;
mod groups;
mod header;
mod identifier;
pub mod kind;
pub mod limits;
mod recognise;
mod rows;
mod sniff;
mod spool;
mod table;
mod text;
mod upload;
mod workbook;

pub use date::{DateOrder, parse_date};
pub use error::{Closest, FileError};
pub use groups::{Group, Groups};
pub use identifier::{Rounded, identifier};
pub use kind::{Kind, Marketplace};
pub use recognise::{Recognised, recognise};
pub use rows::{Row, RowError, Rows};
pub use table::Table;
pub use upload::{Sheet, Upload, open};
