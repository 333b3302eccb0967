//! Flipkart writes article codes and titles as for a web page: `&quot;` stands for a quotation mark.

/// Returns the text with its HTML entities replaced. What is no entity that is known stays as it is.
pub fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        plain.push_str(&rest[..start]);
        rest = &rest[start..];
        let entity = rest.split_once(';').and_then(|(name, after)| Some((character(&name[1..])?, after)));
        let (sign, after) = entity.unwrap_or(('&', &rest[1..]));
        plain.push(sign);
        rest = after;
    }
    plain.push_str(rest);
    plain
}

/// The character of an entity. A control character is none, because the database could not store every one of them.
fn character(name: &str) -> Option<char> {
    let code = match name {
        "quot" => return Some('"'),
        "amp" => return Some('&'),
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "apos" => return Some('\''),
        "nbsp" => return Some(' '),
        _ => name.strip_prefix('#')?,
    };
    let number = match code.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => code.parse().ok()?,
    };
    char::from_u32(number).filter(|sign| !sign.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_become_characters_once_and_everything_else_stays() {
        for (given, expected) in [
            ("Shelf 12&quot; &amp; bracket", "Shelf 12\" & bracket"),
            ("a &lt; b &gt; c &#39;d&#x27; &apos;e&nbsp;f", "a < b > c 'd' 'e f"),
            ("&amp;quot;", "&quot;"),
            ("M&S; R&D & co", "M&S; R&D & co"),
            ("&#0; &#x110000; &#zz; &", "&#0; &#x110000; &#zz; &"),
            ("ключ &quot;", "ключ \""),
            ("", ""),
        ] {
            assert_eq!(unescape(given), expected);
        }
    }
}
