//! Tests that no mail program finds a link or a telephone number in text that somebody typed. They check known tricky
//! spellings and arbitrary text with a link finder that does not know how the text was made.

use linkify::LinkFinder;
use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use super::InvitationMail;
use super::texts::{Texts, texts};
use crate::one_time_token::OneTimeToken;

const SPELLINGS: &str = include_str!("../../tests/data/mail_spellings.txt");

/// A mail and the one link in it.
fn invitation(seller_name: &str, inviter: &str) -> (Texts, String) {
    let token = OneTimeToken::generate().unwrap();
    let mail = InvitationMail { to: "guest@example.invalid", seller_name, inviter, token: &token };
    let link = format!("https://app.example/invitations/accept#token={}", token.text());
    (texts(&mail, "https://app.example"), link)
}

fn unescape(line: &str) -> String {
    let line = line.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t");
    let mut parts = line.split("\\u{");
    let mut text = parts.next().unwrap().to_owned();
    for part in parts {
        let (code, rest) = part.split_once('}').unwrap();
        text.push(char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap());
        text.push_str(rest);
    }
    text
}

fn spellings() -> Vec<String> {
    SPELLINGS.lines().filter(|line| !line.starts_with("# ")).map(unescape).collect()
}

/// Everything that a mail program could link in a text, with or without a scheme.
fn links(text: &str) -> Vec<String> {
    let mut finder = LinkFinder::new();
    finder.url_must_have_scheme(false);
    finder.links(text).map(|link| link.as_str().to_owned()).collect()
}

/// The most digits of any script in a row, with anything but letters between them.
fn longest_number(text: &str) -> usize {
    let (mut digits, mut most) = (0, 0);
    for letter in text.nfkc() {
        match letter.general_category_group() {
            GeneralCategoryGroup::Number => digits += 1,
            GeneralCategoryGroup::Letter => digits = 0,
            _ => {}
        }
        most = most.max(digits);
    }
    most
}

/// The tags of a page, and its text as a reader sees it.
fn read(html: &str) -> (Vec<&str>, String) {
    let (mut tags, mut text) = (Vec::new(), String::new());
    for piece in html.split('<').skip(1) {
        let (tag, after) = piece.split_once('>').expect("a tag ends");
        tags.push(tag);
        text.push_str(after);
        // The end of a paragraph ends a line; other tags do not.
        if tag == "/p" {
            text.push('\n');
        }
    }
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    (tags, entities.iter().fold(text, |text, (entity, letter)| text.replace(entity, letter)))
}

/// The fault in the mail for this seller and inviter, if there is one.
fn fault(seller: &str, inviter: &str) -> Option<String> {
    let (mail, link) = invitation(seller, inviter);
    let Texts { subject, plain, html } = &mail;
    let (tags, page) = read(html);
    let harmless_tags = invitation("x", "x@example.invalid");
    let sound = subject == "You are invited to Robnu"
        && links(plain) == [link.as_str()]
        && links(&plain.nfkc().collect::<String>()) == [link.as_str()]
        && links(&page).is_empty()
        && links(&page.nfkc().collect::<String>()).is_empty()
        && plain.split(['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}']).count() == 7
        && longest_number(&plain.replace(&link, "")) < 7
        && longest_number(&page) < 7
        // Except for the token.
        && tags.len() == read(&harmless_tags.0.html).0.len()
        && tags.iter().filter(|tag| tag.contains("href")).count() == 1
        && html.contains(&format!("<a href=\"{link}\">"))
        && plain.lines().next().is_some_and(is_one_sentence);
    (!sound).then(|| format!("{seller:?} by {inviter:?}:\n{plain}\n{html}"))
}

/// Whether a first line holds nothing that begins an address, a tag or a quotation in any mail program.
fn is_one_sentence(line: &str) -> bool {
    line.matches('"').count() == 2
        && line.matches(" invites you to join \"").count() >= 1
        && !line.contains([
            '@', ':', '#', '<', '>', '\\', '=', '%', '_', '[', ']', '{', '}', '|', '`', '*', '$', '~', '+',
        ])
        && line.chars().zip(line.chars().skip(1)).all(|(mark, next)| mark != '.' || " \"),".contains(next))
}

#[test]
fn no_spelling_of_the_corpus_is_a_link_or_a_call() {
    let spellings = spellings();
    assert!(spellings.len() >= 100, "{}", spellings.len());
    let mut faults = Vec::new();
    for spelling in &spellings {
        faults.extend(fault(spelling, "ravi@example.invalid"));
        faults.extend(fault("Ravi & Co.", spelling));
        faults.extend(fault("Ravi & Co.", &format!("{spelling}@example.invalid")));
        faults.extend(fault(&format!("Ravi {spelling}, Pune"), &format!("ravi@{spelling}")));
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn the_finder_would_find_them() {
    let spellings = spellings();
    let seen = |text: &&String| {
        let normal: String = text.nfkc().collect();
        !links(&normal).is_empty() || longest_number(&normal) >= 7
    };
    // The others are for programs that find more than ours does.
    assert!(spellings.iter().filter(seen).count() >= 100, "{}", spellings.iter().filter(seen).count());
}

#[test]
fn the_parts_of_a_mail_do_not_make_a_number_together() {
    assert_eq!(fault("43210", "98765@example.invalid"), None);
    assert_eq!(fault("43210", "98765"), None);
}

#[test]
fn the_mail_names_both_and_holds_the_link() {
    let (texts, link) = invitation("Ravi & Söhne", "ravi@example.in");
    assert!(texts.plain.starts_with("ravi at example. in invites you to join \"Ravi & Söhne\" on Robnu.\n"));
    assert!(texts.plain.contains(&format!("\n{link}\n")));
    let (_, page) = read(&texts.html);
    assert!(
        page.starts_with("ravi at example. in invites you to join \"Ravi & Söhne\" on Robnu.\n"),
        "{page}"
    );
    let (nameless, _) = invitation("🌟", "\u{202E}");
    assert!(nameless.plain.starts_with("Somebody invites you to join \"a seller\" on Robnu.\n"));
}

/// Text made of what links and numbers are made of.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = spellings();
    let marks = ".:/@#+-_()&'\",!?=%<>\\ \n0123456789\u{2024}\u{3002}\u{FF0E}\u{200B}\u{200D}\u{AD}\u{202E}\u{E0061}\u{B7}\u{966}\u{94D}\u{301}"
        .chars()
        .map(String::from);
    let words = ["www", "com", "in", "evil", "http", "https", "tel", "mailto", "xn--", "M/s", "Co."]
        .map(str::to_owned);
    let any: Vec<String> = marks.chain(words).chain(pieces).collect();
    prop::collection::vec(prop::sample::select(any), 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_arbitrary_text_is_a_link_or_a_call(
        seller in prop_oneof![any::<String>(), hostile()],
        inviter in prop_oneof![any::<String>(), hostile(), hostile().prop_map(|name| format!("{name}@example.invalid"))],
    ) {
        prop_assert_eq!(fault(&seller, &inviter), None);
    }
}
