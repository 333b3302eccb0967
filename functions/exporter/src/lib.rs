//! The exporter: writes lists as CSV files, or everything as an archive, to the bucket, one slice after the other.
//!
//! A message names an export; its row says what to do. The exporter reads the list page by page in the name of the member who
//! asked for it, and stores the file in parts. Each part is committed with the place where the next begins, so a slice that is
//! killed loses nothing that was committed, and the next one repeats nothing.
//!
//! The lists are the API's own ([`api::exportable`]): this is the only function that depends on another one, because a second
//! copy of the lists could differ from the first.

mod archive;
mod cell;
mod contents;
mod context;
mod digest;
mod error;
mod file;
mod handler;
mod mail;
mod manifest;
mod output;
mod slice;
mod store;
mod stored_file;
mod sweep;
mod zip;

pub use cell::cell;
pub use context::Context;
pub use error::ExportError;
pub use file::{CsvFile, PART_BYTES};
pub use handler::{Answer, Event, handle};
pub use slice::{Outcome, work};
pub use sweep::Report;
