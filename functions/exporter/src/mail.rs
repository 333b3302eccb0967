//! The one mail of an export. The transaction that finishes the export claims it, so that a repeated slice sends none; a mail that
//! SES does not accept is not sent again, because the list of exports shows the file anyway.

use api::mail::ExportMail;
use robnu_dispatch::ExportMessage;

use crate::context::Context;
use crate::store::News;

/// Tells the member that the file is there.
pub async fn tell(context: &Context, message: ExportMessage, news: &News) {
    let (seller_id, export_id) = (message.seller_id, message.export_id);
    let mail = ExportMail { to: &news.to, seller_id, export_id, until: news.until };
    if let Err(error) = context.mailer.export_ready(&mail).await {
        tracing::warn!(
            seller.id = %message.seller_id,
            export.id = %message.export_id,
            error = robnu_observe::chain(&error),
            "the member was not mailed that the export is ready"
        );
    }
}
