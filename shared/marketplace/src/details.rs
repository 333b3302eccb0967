//! Account details: the typed fields that each marketplace needs, which of them are secret, and where they are stored.
//!
//! A marketplace declares its satellite table once, as a [`DetailsSpec`]; connecting accounts, and replacing and reading
//! credentials follow from it.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use crate::error::AdapterError;

/// One field of a marketplace's account details: a column of its satellite table.
#[derive(Debug)]
pub struct FieldSpec {
    /// The field's name in the API. The column has the same name, with `_enc` added when it is secret.
    pub name: &'static str,
    /// Secrets are encrypted with the seller's data key and never read back through the API.
    pub secret: bool,
    /// Which accounts have the field.
    pub presence: Presence,
    /// Longest accepted value in characters.
    pub max_len: usize,
    /// Its permitted characters.
    pub form: Form,
}

/// The permitted characters of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Codes and tokens: printable ASCII without blanks.
    Printable,
    /// Passwords: no line breaks and no other control characters.
    SingleLine,
}

impl Form {
    /// Checks a value.
    ///
    /// # Errors
    /// Says what is wrong with the value, without repeating it.
    pub fn check(self, value: &str) -> Result<(), &'static str> {
        match self {
            Self::Printable if !value.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Err("must be printable ASCII without blanks")
            }
            Self::SingleLine if value.chars().any(char::is_control) => {
                Err("must not hold line breaks or control characters")
            }
            Self::Printable | Self::SingleLine => Ok(()),
        }
    }

    /// Returns the same as a regular expression.
    #[must_use]
    pub fn pattern(self) -> &'static str {
        match self {
            Self::Printable => "^[!-~]*$",
            Self::SingleLine => "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
        }
    }
}

/// Whether an account has a field. Columns of fields that may be absent are nullable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Every account.
    Always,
    /// Every account whose details were typed in. An account that was connected by consent uses the platform's own
    /// application and has no such field.
    UnlessConsented,
    /// The field may be left out; [`DetailsSpec::rule`] may require it beside others.
    Optional,
}

impl Presence {
    /// Whether a person who types the details in must give the field.
    #[must_use]
    pub fn is_asked_for(self) -> bool {
        matches!(self, Self::Always | Self::UnlessConsented)
    }
}

/// What fields require of each other. An error is the field at fault and what is wrong with it, without its value.
pub type Rule = fn(&Credentials) -> Result<(), (&'static str, &'static str)>;

/// The rule of marketplaces whose fields require nothing of each other.
///
/// # Errors
/// Never.
pub fn no_rule(_: &Credentials) -> Result<(), (&'static str, &'static str)> {
    Ok(())
}

/// A marketplace's satellite table.
#[derive(Debug)]
pub struct DetailsSpec {
    /// The table's name, for the encryption's associated data and for tests.
    pub table: &'static str,
    /// Columns in the order in which all statements name them.
    pub fields: &'static [FieldSpec],
    /// The field that holds the user name at the marketplace or its equivalent. Somebody who guesses secrets guesses them for a
    /// user name, so refused checks are counted by it over all sellers. An account that was connected by consent has none.
    pub login: &'static str,
    /// The field that a check of the credentials confirms to be the account's own id, if the marketplace states it.
    pub confirmed_id: Option<&'static str>,
    /// What the fields require of each other, once each is valid by itself.
    pub rule: Rule,
    /// Inserts a row: `$1` seller id, `$2` account id, then one parameter per field (`text`, or `bytea` for secrets;
    /// null for a field that is absent).
    pub insert: &'static str,
    /// Replaces a row's fields: `$1` account id of the current seller, then one parameter per field as above. Refuses an
    /// account of another seller or of another marketplace.
    pub update: &'static str,
    /// Selects the fields in order for account `$1` of the current seller.
    pub select: &'static str,
}

/// An account's details in clear, keyed by field name. They are wiped from memory when dropped, and never printed.
#[derive(Clone, Default)]
pub struct Credentials(BTreeMap<&'static str, Zeroizing<String>>);

impl Credentials {
    /// Adds or replaces a field.
    pub fn set(&mut self, field: &'static str, value: Zeroizing<String>) {
        self.0.insert(field, value);
    }

    /// Returns a field's value.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(|value| value.as_str())
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// How many unknown details an error names, and how much of each name, because they are the client's own words.
const MAX_UNKNOWN: usize = 20;
const MAX_UNKNOWN_NAME: usize = 100;

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Path of the field, such as `details.username`.
    pub field: String,
    /// What is wrong, without the value.
    pub problem: String,
}

impl DetailsSpec {
    /// Validates details as a client sent them.
    ///
    /// # Errors
    /// Returns every missing, unknown, too long or malformed field at once; when there is none, what breaks the rule.
    pub fn parse(&self, given: &BTreeMap<String, String>) -> Result<Credentials, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut credentials = Credentials::default();
        let mut refuse = |name: &str, problem: &str| {
            errors.push(FieldError { field: format!("details.{name}"), problem: problem.to_owned() });
        };
        for field in self.fields {
            match given.get(field.name).map(String::as_str) {
                None | Some("") if field.presence.is_asked_for() => refuse(field.name, "is required"),
                None | Some("") => {}
                Some(value) if value.chars().count() > field.max_len => refuse(field.name, "is too long"),
                Some(value) => match field.form.check(value) {
                    Ok(()) => credentials.set(field.name, Zeroizing::new(value.to_owned())),
                    Err(problem) => refuse(field.name, problem),
                },
            }
        }
        let is_unknown = |name: &&String| self.fields.iter().all(|field| field.name != name.as_str());
        for name in given.keys().filter(is_unknown).take(MAX_UNKNOWN) {
            let shown: String = name.chars().take(MAX_UNKNOWN_NAME).collect();
            refuse(&shown, "is not a detail of this marketplace");
        }
        if errors.is_empty()
            && let Err((name, problem)) = (self.rule)(&credentials)
        {
            errors.push(FieldError { field: format!("details.{name}"), problem: problem.to_owned() });
        }
        if errors.is_empty() { Ok(credentials) } else { Err(errors) }
    }

    /// Returns the user name at the marketplace, if these credentials have one.
    #[must_use]
    pub fn login_of<'a>(&self, credentials: &'a Credentials) -> Option<&'a str> {
        credentials.get(self.login)
    }

    /// Whether a check of these credentials confirms that this is the account's id.
    #[must_use]
    pub fn confirms(&self, credentials: &Credentials, external_account_id: &str) -> bool {
        self.confirmed_id.is_some_and(|field| credentials.get(field) == Some(external_account_id))
    }

    /// Checks that stored credentials are complete.
    ///
    /// # Errors
    /// Returns [`AdapterError::Configuration`] naming the first field that is missing or breaks the rule.
    pub fn require_complete(&self, credentials: &Credentials) -> Result<(), AdapterError> {
        let missing = |field: &&FieldSpec| {
            field.presence == Presence::Always && credentials.get(field.name).unwrap_or_default().is_empty()
        };
        match self.fields.iter().find(missing) {
            Some(field) => Err(AdapterError::Configuration { what: field.name }),
            None => (self.rule)(credentials).map_err(|(what, _)| AdapterError::Configuration { what }),
        }
    }
}

/// A part of a [`Rule`]: two fields that need each other.
///
/// # Errors
/// Names the missing field when only one of them is there.
pub fn together(
    credentials: &Credentials,
    one: &'static str,
    other: &'static str,
) -> Result<(), (&'static str, &'static str)> {
    const MISSING: &str = "is required beside the other half of this key";
    match (credentials.get(one), credentials.get(other)) {
        (Some(_), None) => Err((other, MISSING)),
        (None, Some(_)) => Err((one, MISSING)),
        _ => Ok(()),
    }
}
