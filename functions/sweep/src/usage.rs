//! The usage sweep: tells sellers of the days on which they had more orders than are free.
//!
//! The counts themselves are kept when orders are stored. Across sellers the sweep learns only who is to be told. Inside each of them the
//! database notes the days, corrects its notes and claims the mail in one transaction, so that two sweeps at once, or a repeated one, tell
//! nothing twice. A mail that SES does not accept is not sent again, because the API shows the days anyway.

use std::time::Duration;

use api::mail::UsageMail;
use chrono::NaiveDate;
use robnu_observe::caught;
use robnu_tenancy::{Error, Row, SellerId, SystemScope};
use serde::Serialize;
use tokio::time::Instant;
use uuid::Uuid;

use crate::context::Context;
use crate::error::SweepError;
use crate::seller::in_seller;

/// The number of sellers that are looked at at once.
pub const SELLERS: i64 = 500;
/// Says who is to be told.
pub const FIND: &str = include_str!("sql/find_usage.sql");
/// Notes one seller's days.
pub const NOTE: &str = include_str!("sql/note_usage.sql");

/// No seller is begun with less time left than this.
const RESERVE: Duration = Duration::from_secs(15);
/// No mail is begun with less time left than this, which SES may take.
const ONE_MAIL: Duration = Duration::from_secs(8);

/// The report of one usage sweep.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Sellers that were looked at.
    pub sellers_seen: usize,
    /// Days that were noted for the first time, or whose note was corrected.
    pub days_noted: i64,
    /// Mails that SES took.
    pub mails_sent: usize,
    /// Mails that SES did not take. They are not sent again.
    pub mails_failed: usize,
    /// Sellers whose days could not be noted; the next sweep tries again.
    pub sellers_failed: usize,
    /// Whether time ran out before all sellers were looked at; the next sweep finds what is left.
    pub time_short: bool,
}

/// A mail that a transaction has claimed.
struct News {
    noted: i64,
    to: Vec<String>,
    seller_name: String,
    days: i64,
    latest: Option<NaiveDate>,
}

/// Sweeps until all sellers are looked at or the deadline is near.
pub async fn sweep(context: &Context, deadline: Instant) -> Result<Report, SweepError> {
    let stop_at = deadline.checked_sub(RESERVE).unwrap_or(deadline);
    let mut report = Report::default();
    let mut last = SellerId::from(Uuid::nil());
    'all: loop {
        if Instant::now() >= stop_at {
            report.time_short = true;
            break;
        }
        let found = find(context, last).await.map_err(SweepError::FindUsage)?;
        let is_last = found.len() < usize::try_from(SELLERS).unwrap_or(usize::MAX);
        for (seller, has_news) in found {
            if has_news && Instant::now() >= stop_at {
                report.time_short = true;
                break 'all;
            }
            last = seller;
            report.sellers_seen += 1;
            if has_news
                && Box::pin(caught(tell(context, seller, deadline, &mut report)))
                    .await
                    .unwrap_or(Ok(false))?
            {
                continue;
            }
            report.sellers_failed += usize::from(has_news);
        }
        if is_last {
            break;
        }
    }
    tracing::info!(
        sweep = "usage",
        sellers_seen = report.sellers_seen,
        days_noted = report.days_noted,
        mails_sent = report.mails_sent,
        mails_failed = report.mails_failed,
        sellers_failed = report.sellers_failed,
        time_short = report.time_short,
        "sweep done"
    );
    Ok(report)
}

/// The next sellers by id, and whether each is to be told something.
async fn find(context: &Context, after: SellerId) -> Result<Vec<(SellerId, bool)>, Error> {
    let rows = context.database.read(&SystemScope::Sweep, FIND, &[&after, &SELLERS]).await?;
    rows.iter().map(|row| Ok((row.try_get("seller_id")?, row.try_get("has_news")?))).collect()
}

/// Notes one seller's days and mails its owners; says whether that was done. An unreachable database ends the sweep.
async fn tell(
    context: &Context,
    seller: SellerId,
    deadline: Instant,
    report: &mut Report,
) -> Result<bool, SweepError> {
    let news = match note(context, seller).await {
        Ok(news) => news,
        // The seller was suspended a moment ago, so it rests.
        Err(Error::Suspended) => return Ok(true),
        Err(error) if error.is_transient() && !matches!(error, Error::Busy) => {
            return Err(SweepError::NoteUsage(error));
        }
        Err(error) => {
            tracing::error!(
                seller.id = %seller,
                error = robnu_observe::chain(&error),
                "the seller's usage could not be noted"
            );
            return Ok(false);
        }
    };
    report.days_noted += news.noted;
    let Some(latest) = news.latest else { return Ok(true) };
    for to in &news.to {
        if Instant::now() + ONE_MAIL >= deadline {
            report.mails_failed += 1;
            tracing::warn!(seller.id = %seller, "no time was left to mail an owner about usage");
            continue;
        }
        let mail =
            UsageMail { to, seller_name: &news.seller_name, seller_id: seller, days: news.days, latest };
        match context.mailer.usage(&mail).await {
            Ok(()) => report.mails_sent += 1,
            Err(error) => {
                report.mails_failed += 1;
                tracing::warn!(
                    seller.id = %seller,
                    error = robnu_observe::chain(&error),
                    "an owner was not mailed about usage"
                );
            }
        }
    }
    Ok(true)
}

async fn note(context: &Context, seller: SellerId) -> Result<News, Error> {
    let rows = in_seller(context, seller, NOTE, &[]).await?;
    News::try_from(rows.first().ok_or(Error::RowCount { found: 0 })?)
}

impl TryFrom<&Row> for News {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            noted: row.try_get("noted")?,
            to: row.try_get("mail_to")?,
            seller_name: row.try_get::<_, Option<String>>("seller_name")?.unwrap_or_default(),
            days: row.try_get("days")?,
            latest: row.try_get("latest")?,
        })
    }
}
