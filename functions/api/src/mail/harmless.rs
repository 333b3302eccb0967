//! Makes text that somebody typed safe to include in a mail to a stranger.
//!
//! Mail programs turn text that looks like an address or a number into a link or a call, each by rules of its own. So this
//! is not a list of what looks dangerous but a list of what may stay, and where. Everything else becomes a space:
//!
//! - letters of all scripts, with at most four marks each, and the joiners that Indic and Arabic spelling needs;
//! - digits, but not seven or more of them that only short words keep apart;
//! - `& ' ( ) , ! -`, a full stop only before a space (or `)`, or `,`), and a slash only between two single letters (M/s, c/o).
//!
//! Such text cannot hold a host name, a scheme, a mail or UPI address, a hashtag, a telephone number or a line break.
//! The text is normalised (NFKC) first, so that each character has one spelling: `U+2024` is a full stop, and `U+2100` is
//! `a/c`.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Digits that may stand together. An Indian postal code has six; programs offer to call a number of seven.
const MAX_DIGITS: usize = 6;
/// A word with fewer letters does not separate digits: "98765 x 43210", "98 or 76".
const LONG_WORD: usize = 4;
/// The digits that remain of a longer number: enough for someone who knows it already.
const LAST_DIGITS: usize = 2;
/// Marks allowed on one letter. Honest spelling needs four.
const MAX_MARKS: usize = 4;

/// A name, cut to at most `longest` characters. Empty when nothing of it may stay.
pub fn harmless(text: &str, longest: usize) -> String {
    let normal: Vec<char> = text.nfkc().collect();
    cut(&without_numbers(&only_allowed(&normal)), longest)
}

/// A mail address in a form that nobody can click and everybody recognises: `ravi at example. in`.
pub fn harmless_address(address: &str, longest: usize) -> String {
    match address.rsplit_once('@') {
        Some((mailbox, domain)) => harmless(&format!("{mailbox} at {domain}"), longest),
        None => harmless(address, longest),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letter,
    Mark,
    Digit,
    Joiner,
    /// Takes no room, so it leaves none.
    Invisible,
    Other,
}

fn kind(letter: char) -> Kind {
    match letter {
        '\u{200C}' | '\u{200D}' => Kind::Joiner,
        // Invisible letters and marks: fillers, variation selectors, the grapheme joiner.
        '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' => {
            Kind::Invisible
        }
        '\u{FE00}'..='\u{FE0F}' | '\u{E0000}'..='\u{E0FFF}' => Kind::Invisible,
        // The modifier letters that Japanese, Thai and Lao need. The others include look-alikes of colons and full stops.
        '\u{30FC}' | '\u{E46}' | '\u{EC6}' => Kind::Letter,
        _ => match letter.general_category() {
            GeneralCategory::UppercaseLetter
            | GeneralCategory::LowercaseLetter
            | GeneralCategory::TitlecaseLetter
            | GeneralCategory::OtherLetter => Kind::Letter,
            GeneralCategory::NonspacingMark | GeneralCategory::SpacingMark => Kind::Mark,
            GeneralCategory::DecimalNumber => Kind::Digit,
            GeneralCategory::Format => Kind::Invisible,
            _ => Kind::Other,
        },
    }
}

fn is_word(letter: char) -> bool {
    matches!(kind(letter), Kind::Letter | Kind::Mark | Kind::Joiner)
}

/// A normalised text with a space in place of every run of characters that may not stay.
fn only_allowed(normal: &[char]) -> Vec<char> {
    let mut kept: Vec<char> = Vec::with_capacity(normal.len());
    let mut marks = 0;
    for (at, &letter) in normal.iter().enumerate() {
        let last = kept.last().copied().unwrap_or(' ');
        let kind = kind(letter);
        match kind {
            Kind::Mark if is_word(last) && marks < MAX_MARKS => kept.push(letter),
            Kind::Joiner if joins(normal, at) && is_word(last) => kept.push(letter),
            Kind::Mark | Kind::Joiner | Kind::Invisible => {}
            Kind::Letter | Kind::Digit => kept.push(letter),
            Kind::Other => keep_mark(&mut kept, letter, &normal[at + 1..]),
        }
        match kind {
            Kind::Mark => marks += 1,
            Kind::Joiner | Kind::Invisible => {}
            _ => marks = 0,
        }
    }
    let begin =
        kept.iter().position(|&letter| letter == '(' || is_word(letter) || kind(letter) == Kind::Digit);
    let mut kept = kept.split_off(begin.unwrap_or(kept.len()));
    while kept.last() == Some(&' ') {
        kept.pop();
    }
    kept
}

/// A punctuation mark where it may stay, or else a space.
fn keep_mark(kept: &mut Vec<char>, letter: char, rest: &[char]) {
    let last = kept.last().copied().unwrap_or(' ');
    let next = rest.first().copied().unwrap_or(' ');
    let mark = match letter {
        '&' | '(' | ')' | ',' | '!' => letter,
        '\'' | '\u{2018}' | '\u{2019}' | '\u{2BC}' => '\'',
        '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '.' if last.is_alphanumeric() || is_word(last) || last == ')' => '.',
        '/' if is_single(kept, rest) => '/',
        _ => ' ',
    };
    if mark == ' ' && kept.is_empty() || mark == last {
        return;
    }
    kept.push(mark);
    if mark == '.' && !matches!(next, ')' | ',') {
        kept.push(' ');
    }
}

/// Whether a slash stands between two single letters.
fn is_single(before: &[char], after: &[char]) -> bool {
    let apart = |letter: Option<&char>| letter.is_none_or(|&letter| matches!(letter, ' ' | '(' | '.' | ')'));
    let (first, second) = (before.last(), after.first());
    first.is_some_and(|&letter| kind(letter) == Kind::Letter)
        && second.is_some_and(|&letter| kind(letter) == Kind::Letter)
        && apart(before.len().checked_sub(2).and_then(|at| before.get(at)))
        && apart(after.get(1))
}

/// Whether a joiner stands inside a word of a script that needs it.
fn joins(text: &[char], at: usize) -> bool {
    let needs = |letter: &char| matches!(letter, '\u{600}'..='\u{6FF}' | '\u{900}'..='\u{DFF}');
    at > 0 && needs(&text[at - 1]) && text.get(at + 1).is_some_and(needs)
}

/// A text in which numbers that could be called are cut to their last digits.
fn without_numbers(text: &[char]) -> Vec<char> {
    let mut kept = Vec::with_capacity(text.len());
    let mut begin = 0;
    while let Some(first) = (begin..text.len()).find(|&at| kind(text[at]) == Kind::Digit) {
        kept.extend(&text[begin..first]);
        let digits = number(text, first);
        let end = digits.last().map_or(first, |last| last + 1);
        if digits.len() > MAX_DIGITS {
            kept.push('…');
            kept.extend(digits[digits.len() - LAST_DIGITS..].iter().map(|&at| text[at]));
        } else {
            kept.extend(&text[first..end]);
        }
        begin = end;
    }
    kept.extend(&text[begin..]);
    kept
}

/// The positions of the digits that form one number with the digit at `first`.
fn number(text: &[char], first: usize) -> Vec<usize> {
    let mut digits = Vec::new();
    let mut letters = 0;
    for (at, &letter) in text.iter().enumerate().skip(first) {
        match kind(letter) {
            Kind::Digit => {
                digits.push(at);
                letters = 0;
            }
            Kind::Letter => letters += 1,
            Kind::Mark | Kind::Joiner => {}
            _ => letters = 0,
        }
        if letters >= LONG_WORD {
            break;
        }
    }
    digits
}

fn cut(text: &[char], longest: usize) -> String {
    if text.len() <= longest {
        return text.iter().collect();
    }
    let shown: String = text.iter().take(longest).collect();
    // After a full stop comes a space, so it cannot match here.
    let whole = |letter: char| is_word(letter) || kind(letter) == Kind::Digit;
    format!("{}…", shown.trim_end_matches(|letter| !whole(letter)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_a_name() {
        for name in [
            "M/s. Ravi & Co.",
            "St. Mary's (India)",
            "24 x 7 Traders",
            "A-1 Shoes.",
            "Söhne, Ravi & Töchter!",
            "Shop 12, Sector 63, Noida 201301",
            "रवि टेक्सटाइल्स",
            "श्री कृष्णा वस्त्रालय २४",
            "தமிழ் நெசவாளர்",
            "বাংলা বস্ত্রালয়",
            "తెలుగు చీరలు",
            "ಕನ್ನಡ ಮಳಿಗೆ",
            "മലയാളം കട",
            "ગુજરાતી સાડી",
            "ਪੰਜਾਬੀ ਦੁਕਾਨ",
            "ଓଡ଼ିଆ ଦୋକାନ",
            // With joiners: an eyelash ra, a Bengali ya after ra, an old Malayalam chillu, an Urdu word.
            "दुकान\u{930}\u{94D}\u{200D}\u{92F}ा",
            "\u{9B0}\u{200D}\u{9CD}\u{9AF}াব",
            "അവന\u{D4D}\u{200D}ര",
            "دکان\u{200C}دار",
        ] {
            let normal: String = name.nfkc().collect();
            assert_eq!(harmless(name, 100), normal);
        }
    }

    #[test]
    fn forbidden_characters_become_a_space_and_the_rest_stays_readable() {
        for (text, shown) in [
            ("https://evil.example/login", "https evil. example login"),
            ("www.evil.example", "www. evil. example"),
            (
                "evil\u{2024}example evil\u{3002}example evil\u{B7}example",
                "evil. example evil example evil example",
            ),
            ("win@evil.example", "win evil. example"),
            ("A.B.C. Traders", "A. B. C. Traders"),
            ("Ravi (Co.), Pune", "Ravi (Co.), Pune"),
            ("ev\u{200B}il\u{AD}.\u{2060}example", "evil. example"),
            ("\u{202E}x\ny\u{2028}z\u{0}", "x y z"),
            ("a/b/c/d or/and M/s c/o", "a b c/d or and M/s c/o"),
            ("x̷̸̶̵̴͜y", "x̷̸̶̵y"),
            ("... - --- x", "x"),
            ("🌟🌟", ""),
            ("Wow!!!", "Wow!"),
        ] {
            assert_eq!(harmless(text, 100), shown, "{text:?}");
        }
    }

    #[test]
    fn only_the_last_digits_of_a_callable_number_stay() {
        for (text, shown) in [
            ("Call 98765 43210", "Call …10"),
            ("Call +91 (98765) 43-210 now", "Call …10 now"),
            ("98765x43210", "…10"),
            ("९८७६५४३२१०", "…१०"),
            ("1 2 3 4 5 6 7 Shop 560001", "…67 Shop 560001"),
            ("Shop 560001", "Shop 560001"),
        ] {
            assert_eq!(harmless(text, 100), shown);
        }
    }

    #[test]
    fn an_inviters_address_is_recognisable_and_not_a_link() {
        for (address, shown) in [
            ("ravi.k+shop@mail.example.in", "ravi. k shop at mail. example. in"),
            ("www.evil.example/login-x@redteam.example", "www. evil. example login-x at redteam. example"),
            ("9876543210@example.in", "…10 at example. in"),
            ("12345@67890.example", "…90. example"),
        ] {
            assert_eq!(harmless_address(address, 100), shown);
        }
    }

    #[test]
    fn a_name_is_cut_to_the_given_length() {
        assert_eq!(harmless("abc def", 4), "abc…");
        assert_eq!(harmless(&"\u{FDFA}".repeat(200), 100).chars().count(), 101);
    }
}
