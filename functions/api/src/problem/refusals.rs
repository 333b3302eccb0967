//! Refusals for which the present state is the reason: one constant per case, with its stable code.

use axum::http::StatusCode;

/// What the client is shown.
#[derive(Debug)]
pub struct Refusal {
    /// Status of the response.
    pub status: StatusCode,
    /// Stable code, for programs.
    pub code: &'static str,
    /// The problem, in a few words.
    pub title: &'static str,
    /// What to do about it.
    pub detail: &'static str,
}

const fn conflict(code: &'static str, title: &'static str, detail: &'static str) -> Refusal {
    Refusal { status: StatusCode::CONFLICT, code, title, detail }
}

/// The marketplace's adapter does not support what a run or a schedule asks for.
pub const NOT_SUPPORTED: Refusal = conflict(
    "not_supported",
    "Not supported",
    "This marketplace's adapter does not support this yet. list_marketplaces shows what each adapter supports.",
);

/// The time in which a closing can be taken back is over.
pub const CLOSING_TOO_LATE: Refusal = conflict(
    "closing_too_late",
    "Too late",
    "The time in which the closing could be taken back is over. The seller is closed within a day.",
);

/// Every asking mails all owners.
pub const CLOSING_ASKED_OFTEN: Refusal = conflict(
    "closing_asked_often",
    "Asked too often",
    "A seller's closing can be asked for at most 5 times within 24 hours, because each asking mails all owners. Ask again tomorrow.",
);

/// Each account gets a queue once its credentials have worked.
pub const TOO_MANY_ACCOUNTS_TODAY: Refusal = conflict(
    "too_many_accounts_today",
    "Too many accounts today",
    "A seller can connect at most 100 accounts within 24 hours; the total is not limited. Go on tomorrow.",
);

/// The same bound for one person, who may own many sellers.
pub const TOO_MANY_ACCOUNTS_OF_PERSON_TODAY: Refusal = conflict(
    "too_many_accounts_today",
    "Too many accounts today",
    "A person can connect at most 100 accounts within 24 hours, over all their sellers. Go on tomorrow.",
);

/// Each account has a lane, and one login could open any number of accounts.
pub const LOGIN_IN_MANY_ACCOUNTS: Refusal = conflict(
    "login_in_many_accounts",
    "Login in many accounts",
    "One login at a marketplace can be connected as at most 10 accounts, over all sellers. Disconnect one of them first.",
);

/// A lane is a queue and a mapping. The calls that make and delete them are limited to a few a second for all accounts
/// together.
pub const RECONNECTED_TOO_OFTEN: Refusal = Refusal {
    status: StatusCode::TOO_MANY_REQUESTS,
    code: "reconnected_too_often",
    title: "Connected again too often",
    detail: "An account can be connected again or resumed at most 20 times within 24 hours. Leave it as it is until Retry-After has passed.",
};

/// The same bound for all accounts of a seller or a person. The first two times of each account do not count.
pub const RECONNECTED_TOO_OFTEN_TOGETHER: Refusal = Refusal {
    status: StatusCode::TOO_MANY_REQUESTS,
    code: "reconnected_too_often",
    title: "Connected again too often",
    detail: "A seller or a person can connect accounts again or resume them at most 100 times within 24 hours; the first two times of 
     each account do not count. Leave this account as it is until Retry-After has passed.",
};

/// Spelling an address differently costs nothing, and nor does making a new person.
pub const TOO_MANY_SIGN_UPS_OF_ADDRESS: Refusal = Refusal {
    status: StatusCode::TOO_MANY_REQUESTS,
    code: "too_many_sign_ups",
    title: "Too many sign-ups",
    detail: "This email address, in all its spellings, has signed up as many sellers as are allowed within 24 hours. \
             Wait as long as Retry-After says.",
};

/// The same bound for the network address that the request comes from.
pub const TOO_MANY_SIGN_UPS_FROM_SOURCE: Refusal = Refusal {
    status: StatusCode::TOO_MANY_REQUESTS,
    code: "too_many_sign_ups",
    title: "Too many sign-ups",
    detail: "Your network address has signed up as many sellers as are allowed within 24 hours. Wait as long as \
             Retry-After says, or sign up from elsewhere.",
};

/// The platform has no application at the marketplace, or the marketplace refuses it.
pub const CONSENT_NOT_CONFIGURED: Refusal = conflict(
    "consent_not_configured",
    "Consent not available here",
    "This deployment cannot ask for consent at this marketplace. Connect the account with its details.",
);

/// The seller refused, or the marketplace did on their behalf.
pub const CONSENT_DENIED: Refusal = conflict(
    "consent_denied",
    "Consent denied",
    "The marketplace says that consent was denied. Nothing was stored. Begin the consent again.",
);

/// The code was used before, has expired, or was not given to this platform.
pub const CONSENT_REFUSED: Refusal = conflict(
    "consent_refused",
    "Consent refused",
    "The marketplace does not accept the code that it sent back. Nothing was stored. Begin the consent again.",
);

/// Other credentials would read another account's orders into this one.
pub const CONSENT_OF_ANOTHER_ACCOUNT: Refusal = conflict(
    "consent_of_another_account",
    "Another account",
    "The consent is for another account of the marketplace. Sign in to the right account there and begin again.",
);

/// The marketplace was asked and refused.
pub const CREDENTIALS_REFUSED: Refusal = conflict(
    "credentials_refused",
    "Credentials refused",
    "The marketplace does not accept these credentials. Nothing was stored. Sign in to the marketplace itself to make sure of them before 
     you send them again: after too many refused ones you have to wait.",
);

/// Other credentials would read another account's orders into this one.
pub const CREDENTIALS_OF_ANOTHER_ACCOUNT: Refusal = conflict(
    "credentials_of_another_account",
    "Another account",
    "The credentials open another account, which does not know the orders of this one. Connect that account separately.",
);

/// The credentials are good, but for another country.
pub const NOT_SELLING_HERE: Refusal = conflict(
    "not_selling_here",
    "Not selling here",
    "The marketplace says that this account does not sell there. Nothing was stored. Use the account that sells in India.",
);

/// The credentials are right but lack a permission.
pub const NOT_PERMITTED: Refusal = conflict(
    "not_permitted",
    "Not permitted",
    "The marketplace accepts the credentials but does not permit what the platform needs. Nothing was stored. Grant the account or its application the permissions (roles) there, then try again.",
);

/// The deployment does not know where the marketplace is.
pub const MARKETPLACE_NOT_CONFIGURED: Refusal = conflict(
    "marketplace_not_configured",
    "Not configured here",
    "This deployment cannot check such credentials with the marketplace. Nothing was stored. Ask the platform's support.",
);

/// The account has no lane, so no adapter could work for it.
pub const NO_LANE: Refusal = conflict(
    "account_not_verified",
    "Not verified",
    "The account has no lane to run in: the marketplace never accepted its credentials, or has refused them for a week. Replace 
     them; new ones are tested at once.",
);

/// A run that is at work or has ended cannot be cancelled.
pub const RUN_NOT_CANCELLABLE: Refusal = conflict(
    "run_not_cancellable",
    "Not cancellable",
    "Only a run that is queued or waiting can be cancelled. Pausing the account ends a run that is at work.",
);

/// A cancelled return will not arrive.
pub const RETURN_CANCELLED: Refusal = conflict(
    "return_cancelled",
    "Return cancelled",
    "The marketplace has cancelled this return. Ask it about the parcel.",
);

/// A return that was received cannot be missing.
pub const RETURN_RECEIVED: Refusal = conflict(
    "return_received",
    "Return received",
    "The return was scanned as received. The claim must say what is wrong with its content.",
);

/// A return that was not received cannot be damaged.
pub const RETURN_NOT_RECEIVED: Refusal = conflict(
    "return_not_received",
    "Return not received",
    "Scan the return as received before you claim for its content.",
);

/// The return may still arrive.
pub const CLAIM_WINDOW_OPEN: Refusal = conflict(
    "claim_window_open",
    "Not due yet",
    "The return may still arrive. A claim that it was not received can be filed when missing_at has passed, or earlier once the \
     marketplace says that it was delivered.",
);

/// The claim comes too late.
pub const CLAIM_WINDOW_OVER: Refusal = conflict(
    "claim_window_over",
    "Too late to claim",
    "The time in which a claim for this return could be filed has passed: file_by, counted from the return's completion.",
);

/// The claim rests on the condition.
pub const CONDITION_CLAIMED: Refusal = conflict(
    "condition_claimed",
    "Condition is claimed for",
    "A claim for this return was filed, so its condition stays as it was stated. Cancel the claim first if it is wrong.",
);

/// Waiting scans that nobody looks at are clutter.
pub const TOO_MANY_WAITING_SCANS: Refusal = conflict(
    "too_many_waiting_scans",
    "Too many waiting scans",
    "A seller can have at most 2,000 scans that wait for a return. Discard those that were typing errors.",
);

/// A return has at most one claim.
pub const CLAIM_EXISTS: Refusal = conflict(
    "claim_exists",
    "Claim exists",
    "There is already a claim for this return. Read it; a closed claim can be reopened.",
);

/// A claim takes its steps in order.
pub const CLAIM_STEP: Refusal = conflict(
    "claim_step",
    "No such step",
    "The claim cannot take this step from its present status. Read the claim to see its status.",
);

/// Exports are read in the background, and one seller should not occupy the exporter.
pub const TOO_MANY_LIVE_EXPORTS: Refusal = conflict(
    "too_many_live_exports",
    "Too many exports at once",
    "A seller can have at most three exports that are not finished. Wait until one is ready, or cancel one.",
);

/// Each export leaves a file for 30 days.
pub const TOO_MANY_EXPORTS_TODAY: Refusal = conflict(
    "too_many_exports_today",
    "Too many exports today",
    "A seller can ask for at most 50 exports within 24 hours. Go on tomorrow.",
);

/// There is no file before everything is read.
pub const EXPORT_NOT_READY: Refusal = conflict(
    "export_not_ready",
    "Export not ready",
    "The export has no file: it is not finished yet, failed or was cancelled. Read the export to see its state.",
);

/// Files are deleted after 30 days.
pub const EXPORT_EXPIRED: Refusal = conflict(
    "export_expired",
    "Export expired",
    "The file was deleted 30 days after it was ready. Ask for a new export.",
);

/// A finished export stays as it is.
pub const EXPORT_FINISHED: Refusal = conflict(
    "export_finished",
    "Export finished",
    "Only an export that is not finished can be cancelled. Read the export to see its state.",
);

/// An address has at most one open invitation.
pub const INVITATION_EXISTS: Refusal = conflict(
    "invitation_exists",
    "Invited already",
    "There is already an open invitation for this address. Send it again, or revoke it first.",
);

/// Invitations that nobody accepts are clutter.
pub const TOO_MANY_INVITATIONS: Refusal = conflict(
    "too_many_invitations",
    "Too many invitations",
    "A seller can have at most 100 open invitations. Revoke those that nobody accepts.",
);

/// Mails cost money, and strangers could be flooded with them.
pub const TOO_MANY_MAILS_TODAY: Refusal = conflict(
    "too_many_mails_today",
    "Too many mails today",
    "Within 24 hours a seller can send at most 200 invitation mails, and a person at most 100 over all their sellers. 
     Invitations that are sent again count too. Try again tomorrow.",
);

/// Anyone who does not want to join is left in peace. All bounds on an address share one text, so that it does not reveal
/// whose mails reached the bound.
pub const INVITATION_MAILED_OFTEN: Refusal = conflict(
    "invitation_mailed_often",
    "Mailed often enough",
    "An invitation is mailed at most five times, and one address, however it is spelled, gets only a few invitations 
     within 24 hours. Ask the person to look for the last mail, or make a new invitation another day.",
);

/// The invitation was accepted or revoked.
pub const INVITATION_CLOSED: Refusal = conflict(
    "invitation_closed",
    "Invitation closed",
    "The invitation was accepted or revoked. Make a new one if it is still wanted.",
);

/// At most one mail a minute, and one attempt at a time.
pub const INVITATION_JUST_SENT: Refusal = conflict(
    "invitation_just_sent",
    "Just sent",
    "The invitation was sent less than a minute ago. Wait for the mail to arrive; after a refused mail you can try again within seconds.",
);

/// Only the staff member who opened a session can end it.
pub const IMPERSONATION_NOT_YOURS: Refusal = conflict(
    "impersonation_not_yours",
    "Not your session",
    "Another staff member opened this session. Ask them to end it; otherwise it ends at expires_at.",
);

/// Each upload that is not complete may leave an object behind.
pub const TOO_MANY_UPLOADS: Refusal = conflict(
    "too_many_uploads",
    "Too many uploads",
    "A seller can have at most 100 uploads of the last hour that are not complete. Complete them, or delete the documents.",
);

/// What is stored costs money for as long as it is kept.
pub const TOO_MUCH_UPLOADED_TODAY: Refusal = conflict(
    "too_much_uploaded_today",
    "Too much uploaded today",
    "A seller can upload at most 2,000 files and 20 GiB within 24 hours. Go on tomorrow.",
);

/// The client has not sent the bytes, or the upload has failed.
pub const DOCUMENT_NOT_UPLOADED: Refusal = conflict(
    "document_not_uploaded",
    "Not uploaded",
    "The bytes of the document are not there. Send them with the request in upload, or begin again if that has expired.",
);

/// Something else is in the place of the document.
pub const DOCUMENT_DIFFERS: Refusal = conflict(
    "document_differs",
    "Another document",
    "The bytes that were sent are not those that were announced. Delete the document and begin again.",
);

/// The refusal for a constraint of the database.
pub fn refusal_of(constraint: &str) -> Option<&'static Refusal> {
    Some(match constraint {
        "returns_not_cancelled" | "claims_return_cancelled" => &RETURN_CANCELLED,
        "claims_return_received" => &RETURN_RECEIVED,
        "claims_return_not_received" => &RETURN_NOT_RECEIVED,
        "claims_window_open" => &CLAIM_WINDOW_OPEN,
        "claims_window_over" => &CLAIM_WINDOW_OVER,
        "claims_step" => &CLAIM_STEP,
        "returns_condition_claimed" => &CONDITION_CLAIMED,
        "unmatched_scans_of_seller" => &TOO_MANY_WAITING_SCANS,
        "invitations_mails_a_day" | "mail_counts_of_person" => &TOO_MANY_MAILS_TODAY,
        "sellers_closing_asked" => &CLOSING_ASKED_OFTEN,
        "invitations_mails" | "mail_counts_to_mailbox" => &INVITATION_MAILED_OFTEN,
        "marketplace_accounts_a_day" => &TOO_MANY_ACCOUNTS_TODAY,
        "marketplace_accounts_of_login" => &LOGIN_IN_MANY_ACCOUNTS,
        "marketplace_accounts_a_day_and_person" => &TOO_MANY_ACCOUNTS_OF_PERSON_TODAY,
        "marketplace_accounts_openings" => &RECONNECTED_TOO_OFTEN,
        "marketplace_accounts_openings_of_seller" | "marketplace_accounts_openings_of_person" => {
            &RECONNECTED_TOO_OFTEN_TOGETHER
        }
        "storage_objects_awaited" => &TOO_MANY_UPLOADS,
        "storage_objects_a_day" => &TOO_MUCH_UPLOADED_TODAY,
        "exports_live" => &TOO_MANY_LIVE_EXPORTS,
        "exports_a_day" => &TOO_MANY_EXPORTS_TODAY,
        "sign_ups_of_address" => &TOO_MANY_SIGN_UPS_OF_ADDRESS,
        "sign_ups_from_source" => &TOO_MANY_SIGN_UPS_FROM_SOURCE,
        _ => return None,
    })
}
