//! Searches texts for values in clear and in the disguises that a value takes by itself: hexadecimal, as PostgreSQL shows bytes, and
//! Base64, as JSON carries bytes.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// A value that nothing may hold in clear.
pub struct Planted {
    /// How a finding names it; the value itself would be one more leak.
    pub name: String,
    forms: Vec<String>,
    /// Whether it only counts with no letter, digit or point beside it. Six digits alone also occur inside ids and instants.
    is_word: bool,
}

impl Planted {
    pub fn new(name: impl Into<String>, value: &str) -> Self {
        let mut forms = vec![value.to_owned(), hex(value.as_bytes())];
        // Three bytes become four letters, so the same bytes look different at each of three places.
        for lead in 0..3 {
            let mut bytes = vec![b'x'; lead];
            bytes.extend_from_slice(value.as_bytes());
            // Letters that also carry bits of a neighbour are left out, at both ends.
            let (first, letters) = ((lead * 8).div_ceil(6), (bytes.len() * 8) / 6);
            forms.extend([&STANDARD, &URL_SAFE].map(|code| code.encode(&bytes)[first..letters].to_owned()));
        }
        Self { name: name.into(), forms, is_word: false }
    }

    pub fn word(name: impl Into<String>, value: &str) -> Self {
        Self { is_word: true, ..Self::new(name, value) }
    }

    fn is_in(&self, text: &str) -> bool {
        self.forms.iter().enumerate().any(|(number, form)| {
            let whole_words = self.is_word && number == 0;
            text.match_indices(form).any(|(at, _)| !whole_words || stands_alone(text, at, form.len()))
        })
    }
}

fn stands_alone(text: &str, at: usize, length: usize) -> bool {
    let joins = |sign: Option<char>| sign.is_some_and(|sign| sign.is_ascii_alphanumeric() || sign == '.');
    !joins(text[..at].chars().next_back()) && !joins(text[at + length..].chars().next())
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Texts with their origins.
#[derive(Default)]
pub struct Texts(Vec<(String, String)>);

impl Texts {
    pub fn add(&mut self, origin: impl Into<String>, text: impl Into<String>) {
        self.0.push((origin.into(), text.into()));
    }

    /// Whether a text of this origin holds this.
    pub fn hold(&self, origin: &str, what: &str) -> bool {
        self.0.iter().any(|(known, text)| known == origin && text.contains(what))
    }

    pub fn length(&self) -> usize {
        self.0.iter().map(|(_, text)| text.len()).sum()
    }

    /// `origin holds name` of every value that is found.
    pub fn findings(&self, planted: &[Planted]) -> Vec<String> {
        let found = |(origin, text): &(String, String)| {
            let held = planted.iter().filter(|planted| planted.is_in(text));
            held.map(|planted| format!("{origin} holds {}", planted.name)).collect::<Vec<String>>()
        };
        self.0.iter().flat_map(found).collect()
    }
}
