//! What is refused because of the state in which things are: one constant per case, with its stable code.

use axum::http::StatusCode;

/// What the client is told.
#[derive(Debug)]
pub struct Refusal {
    /// Status of the answer.
    pub status: StatusCode,
    /// Stable code, for programs.
    pub code: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// What to do about it.
    pub detail: &'static str,
}

const fn conflict(code: &'static str, title: &'static str, detail: &'static str) -> Refusal {
    Refusal { status: StatusCode::CONFLICT, code, title, detail }
}

/// The marketplace's adapter cannot do what a run or a schedule wants.
pub const NOT_SUPPORTED: Refusal = conflict(
    "not_supported",
    "Not supported",
    "This marketplace's adapter cannot do that yet; list_marketplaces says what each can.",
);

/// Each account is a queue once its credentials have worked.
pub const TOO_MANY_ACCOUNTS_TODAY: Refusal = conflict(
    "too_many_accounts_today",
    "Too many accounts today",
    "A seller connects at most 100 accounts within 24 hours; in all they may be any number. Go on tomorrow.",
);

/// The same of one person, who may own many sellers.
pub const TOO_MANY_ACCOUNTS_OF_PERSON_TODAY: Refusal = conflict(
    "too_many_accounts_today",
    "Too many accounts today",
    "A person connects at most 100 accounts within 24 hours, all their sellers taken together. Go on tomorrow.",
);

/// Each account has a lane, and one login could be good for any number.
pub const LOGIN_IN_MANY_ACCOUNTS: Refusal = conflict(
    "login_in_many_accounts",
    "Login in many accounts",
    "One login at a marketplace is connected as at most 10 accounts, in all sellers together. Disconnect one of them first.",
);

/// A lane is a queue and a mapping, made and deleted by calls of which all accounts together have few a second.
pub const RECONNECTED_TOO_OFTEN: Refusal = Refusal {
    status: StatusCode::TOO_MANY_REQUESTS,
    code: "reconnected_too_often",
    title: "Connected again too often",
    detail: "An account is connected again or resumed at most 20 times within 24 hours. Leave it as it is until Retry-After is over.",
};

/// The same of all accounts of a seller or a person, but for the first two times of each account.
pub const RECONNECTED_TOO_OFTEN_TOGETHER: Refusal = Refusal {
    status: StatusCode::TOO_MANY_REQUESTS,
    code: "reconnected_too_often",
    title: "Connected again too often",
    detail: "Accounts of a seller, or by one person, are connected again or resumed more than twice within 24 hours at most 100 times \
     together. Leave this one as it is until Retry-After is over.",
};

/// An address costs nothing to spell in another way, and so does a person.
pub const TOO_MANY_SIGN_UPS_OF_ADDRESS: Refusal = Refusal {
    status: StatusCode::TOO_MANY_REQUESTS,
    code: "too_many_sign_ups",
    title: "Too many sign-ups",
    detail: "As many sellers as are allowed within 24 hours were signed up with this email address, in all its spellings. \
             Wait as long as Retry-After says.",
};

/// The same of the network address that the request comes from.
pub const TOO_MANY_SIGN_UPS_FROM_SOURCE: Refusal = Refusal {
    status: StatusCode::TOO_MANY_REQUESTS,
    code: "too_many_sign_ups",
    title: "Too many sign-ups",
    detail: "As many sellers as are allowed within 24 hours were signed up from your network address. Wait as long as \
             Retry-After says, or sign up from elsewhere.",
};

/// The platform has no application at the marketplace, or the marketplace refuses it.
pub const CONSENT_NOT_CONFIGURED: Refusal = conflict(
    "consent_not_configured",
    "No consent here",
    "This deployment cannot ask for consent at this marketplace. Connect the account with its details.",
);

/// The seller, or the marketplace in their stead, said no.
pub const CONSENT_DENIED: Refusal = conflict(
    "consent_denied",
    "Consent denied",
    "The marketplace says that consent was denied. Nothing was stored; begin again to consent.",
);

/// The code was used before, is over, or was not given to this platform.
pub const CONSENT_REFUSED: Refusal = conflict(
    "consent_refused",
    "Consent refused",
    "The marketplace does not accept the code that it sent back. Nothing was stored; begin again to consent.",
);

/// Other credentials would read another account's orders into this one.
pub const CONSENT_OF_ANOTHER_ACCOUNT: Refusal = conflict(
    "consent_of_another_account",
    "Another account",
    "The consent is for another account of the marketplace. Sign in there to the right one and begin again.",
);

/// The marketplace was asked, and said no.
pub const CREDENTIALS_REFUSED: Refusal = conflict(
    "credentials_refused",
    "Credentials refused",
    "The marketplace does not take these credentials. Nothing was stored. Sign in to the marketplace itself to be sure of them before \
     you send them again: after some that are refused you have to wait.",
);

/// Other credentials would read another account's orders into this one.
pub const CREDENTIALS_OF_ANOTHER_ACCOUNT: Refusal = conflict(
    "credentials_of_another_account",
    "Another account",
    "The credentials are another account's: it does not know the orders of this one. Connect it as an account of its own.",
);

/// The credentials are good, in another country.
pub const NOT_SELLING_HERE: Refusal = conflict(
    "not_selling_here",
    "Not selling here",
    "The marketplace says that this account does not sell at it. Nothing was stored; use the account that sells in India.",
);

/// The credentials are right, and lack a permission.
pub const NOT_PERMITTED: Refusal = conflict(
    "not_permitted",
    "Not permitted",
    "The marketplace takes the credentials and does not permit what the platform needs. Nothing was stored; grant the account or its application the permissions (roles) there, then try again.",
);

/// The deployment does not know where the marketplace is.
pub const MARKETPLACE_NOT_CONFIGURED: Refusal = conflict(
    "marketplace_not_configured",
    "Cannot be asked here",
    "This deployment cannot ask the marketplace about such credentials. Nothing was stored; ask the platform's support.",
);

/// There is nobody who could ask the marketplace for it.
pub const NO_LANE: Refusal = conflict(
    "account_not_verified",
    "Not verified",
    "The account has no lane to run in: the marketplace never took its credentials, or has refused them for a week. Replace \
     them; they are tested at once.",
);

/// A run that somebody works on, or that is over, cannot be cancelled.
pub const RUN_NOT_CANCELLABLE: Refusal = conflict(
    "run_not_cancellable",
    "Not cancellable",
    "Only a run that is queued or waits can be cancelled. Pausing the account ends a run that is at work.",
);

/// A cancelled return does not come.
pub const RETURN_CANCELLED: Refusal = conflict(
    "return_cancelled",
    "Return cancelled",
    "The marketplace has cancelled this return. Ask it about the parcel.",
);

/// What has come cannot be missing.
pub const RETURN_RECEIVED: Refusal = conflict(
    "return_received",
    "Return received",
    "The return was scanned as received. A claim must say what is wrong with what came.",
);

/// What has not come cannot be damaged.
pub const RETURN_NOT_RECEIVED: Refusal = conflict(
    "return_not_received",
    "Return not received",
    "Scan the return as received before you claim for what is in it.",
);

/// What has not come yet may still come.
pub const CLAIM_WINDOW_OPEN: Refusal = conflict(
    "claim_window_open",
    "Not due yet",
    "The return may still come. It can be claimed for as not received when claim_due_at has passed.",
);

/// Too late.
pub const CLAIM_WINDOW_OVER: Refusal = conflict(
    "claim_window_over",
    "Claim window over",
    "The time in which this return could be claimed for has passed.",
);

/// One claim per return.
pub const CLAIM_EXISTS: Refusal = conflict(
    "claim_exists",
    "Claim exists",
    "There is a claim for this return. Read it; one that is closed can be reopened.",
);

/// Claims take their steps in order.
pub const CLAIM_STEP: Refusal = conflict(
    "claim_step",
    "No such step",
    "The claim cannot do this from its status. Read it to see how far it is.",
);

/// One open invitation per address.
pub const INVITATION_EXISTS: Refusal = conflict(
    "invitation_exists",
    "Invited already",
    "There is an open invitation for this address. Send it again, or take it back first.",
);

/// What nobody accepts is clutter.
pub const TOO_MANY_INVITATIONS: Refusal = conflict(
    "too_many_invitations",
    "Too many invitations",
    "A seller has at most 100 open invitations. Take back what nobody accepts.",
);

/// Mails are not for free, and not for everybody.
pub const TOO_MANY_MAILS_TODAY: Refusal = conflict(
    "too_many_mails_today",
    "Too many mails today",
    "Within 24 hours a seller has at most 200 invitations mailed, and a person has at most 100 mailed for all their \
     sellers together, those sent again with them. Try again tomorrow.",
);

/// Who does not want to come is left in peace. One text for all bounds on an address, so that it does not tell whose mails
/// have filled the one that was met.
pub const INVITATION_MAILED_OFTEN: Refusal = conflict(
    "invitation_mailed_often",
    "Mailed often enough",
    "An invitation is mailed at most five times, and one address, however it is spelled, gets only a few invitations \
     within 24 hours. Ask the person to look for the last one; make a new invitation another day.",
);

/// Accepted or taken back.
pub const INVITATION_CLOSED: Refusal = conflict(
    "invitation_closed",
    "Invitation closed",
    "The invitation was accepted or taken back. Make a new one if it is wanted still.",
);

/// One mail a minute, and one attempt at a time.
pub const INVITATION_JUST_SENT: Refusal = conflict(
    "invitation_just_sent",
    "Just sent",
    "The invitation was sent less than a minute ago. Wait until the mail has come; one that was refused goes again in seconds.",
);

/// Sessions are ended by who opened them.
pub const IMPERSONATION_NOT_YOURS: Refusal = conflict(
    "impersonation_not_yours",
    "Not your session",
    "Another staff member has opened this session. Ask them to end it; it ends by itself at expires_at.",
);

/// The refusal that a constraint of the database stands for.
pub fn refusal_of(constraint: &str) -> Option<&'static Refusal> {
    Some(match constraint {
        "returns_not_cancelled" | "claims_return_cancelled" => &RETURN_CANCELLED,
        "claims_return_received" => &RETURN_RECEIVED,
        "claims_return_not_received" => &RETURN_NOT_RECEIVED,
        "claims_window_open" => &CLAIM_WINDOW_OPEN,
        "claims_window_over" => &CLAIM_WINDOW_OVER,
        "claims_step" => &CLAIM_STEP,
        "invitations_mails_a_day" | "mail_counts_of_person" => &TOO_MANY_MAILS_TODAY,
        "invitations_mails" | "mail_counts_to_mailbox" => &INVITATION_MAILED_OFTEN,
        "marketplace_accounts_a_day" => &TOO_MANY_ACCOUNTS_TODAY,
        "marketplace_accounts_of_login" => &LOGIN_IN_MANY_ACCOUNTS,
        "marketplace_accounts_a_day_and_person" => &TOO_MANY_ACCOUNTS_OF_PERSON_TODAY,
        "marketplace_accounts_openings" => &RECONNECTED_TOO_OFTEN,
        "marketplace_accounts_openings_of_seller" | "marketplace_accounts_openings_of_person" => {
            &RECONNECTED_TOO_OFTEN_TOGETHER
        }
        "sign_ups_of_address" => &TOO_MANY_SIGN_UPS_OF_ADDRESS,
        "sign_ups_from_source" => &TOO_MANY_SIGN_UPS_FROM_SOURCE,
        _ => return None,
    })
}
