//! Compares a corrected file with the earlier one that it corrects, before the file is imported.
//!
//! The run's position says how far that is. Each part is committed with the position, so that a crash repeats one part at most and no
//! record is counted twice.

use std::time::SystemTime;

use robnu_dispatch::{Lease, Progress};
use robnu_marketplace::error::AdapterError;
use robnu_marketplace::files::{ComparedUntil, Difference, ImportFile, compare};
use robnu_tenancy::{Error, ImportId};

use crate::error::JobError;
use crate::slice::{Slice, SliceEnd};
use crate::store::customers::NewCustomers;

const KEEP_CHANGES: &str = include_str!("../../sql/keep_changes.sql");

/// How a position in the comparison begins. Any other is one in the file.
const COMPARING: &str = "compare:";

/// Where the corrected file begins.
const FIRST_RECORD: &str = "0";

/// Whether a run's files are still to be compared.
pub(super) fn is_needed(lease: &Lease) -> bool {
    lease.page_position.as_deref().is_none_or(|position| position.starts_with(COMPARING))
}

/// How a part of the comparison ended.
pub(super) enum Comparison {
    /// Both files are compared; the import begins at this position in its file.
    Over(&'static str),
    /// The slice is over.
    Stopped(SliceEnd),
}

/// Compares the files from where the run stopped.
///
/// # Errors
/// Fails when the database does.
pub(super) async fn run(
    slice: &Slice<'_>,
    import: ImportId,
    earlier: &ImportFile,
    corrected: &ImportFile,
) -> Result<Comparison, JobError> {
    let until = slice.lease.page_position.as_deref().and_then(|text| text.strip_prefix(COMPARING));
    let until = until.map(|text| ComparedUntil::parse(text, earlier, corrected).ok_or(Error::RowShape));
    let mut at = until.transpose()?.unwrap_or_else(|| ComparedUntil::nothing(earlier, corrected));
    loop {
        let compared = match compare(earlier, corrected, &at) {
            Ok(compared) => compared,
            Err(error) => {
                let error = AdapterError::Garbled { what: error.to_string() };
                return Ok(Comparison::Stopped(SliceEnd::Marketplace(error)));
            }
        };
        let next = compared.next.as_ref().map(|next| format!("{COMPARING}{next}"));
        let position = next.as_deref().unwrap_or(FIRST_RECORD);
        if let Some(end) = keep(slice, import, &compared.differences, position).await? {
            return Ok(Comparison::Stopped(end));
        }
        match compared.next {
            None => return Ok(Comparison::Over(FIRST_RECORD)),
            Some(_) if SystemTime::now() >= slice.ends_at => {
                return Ok(Comparison::Stopped(SliceEnd::TimeIsUp));
            }
            Some(next) => at = next,
        }
    }
}

/// Keeps differences, and leaves the run at `position`. Returns how the slice ended, if another attempt has taken over.
async fn keep(
    slice: &Slice<'_>,
    import: ImportId,
    differences: &[Difference],
    position: &str,
) -> Result<Option<SliceEnd>, JobError> {
    let mut session = slice.database.session(slice.scope).await?;
    let column = |text: fn(&Difference) -> &str| differences.iter().map(text).collect::<Vec<_>>();
    let streams = column(|one| one.stream.as_str());
    let ids = column(|one| one.external_id.as_str());
    let changes = column(|one| one.change.as_str());
    // Names and texts can always be written as JSON.
    let fields: Vec<String> =
        differences.iter().map(|one| serde_json::to_string(&one.fields).unwrap_or_default()).collect();
    let left_out: Vec<i32> =
        differences.iter().map(|one| i32::try_from(one.fields_left_out).unwrap_or(i32::MAX)).collect();
    session.query(KEEP_CHANGES, &[&import, &streams, &ids, &changes, &fields, &left_out]).await?;
    let progress = Progress {
        next_position: Some(position),
        is_last: false,
        complete_until: None,
        changed_since: None,
        counts: &[],
        quarantined: 0,
        lease_seconds: slice.lease_length.as_secs_f64(),
    };
    slice.advance(session, &progress, &NewCustomers::default()).await
}
