//! Names of columns, compared without case, blanks, punctuation and the misspellings that marketplaces are known for.

/// Misspellings and other spellings, and what they stand for, both without case and blanks.
const SPELLINGS: [(&str, &str); 5] = [
    ("commision", "commission"),
    ("fulfilment", "fulfillment"),
    ("quanity", "quantity"),
    ("recieve", "receive"),
    ("lisitng", "listing"),
];

/// A name as it is compared. A formula in a line of its own, such as `= SUM(J:R)`, is no part of the name.
pub fn folded(name: &str) -> String {
    let lines = name.split(['\n', '\r']).map(str::trim);
    let is_name = |line: &&str| !line.starts_with('=') && !line.starts_with('[');
    let mut folded: String = lines
        .filter(is_name)
        .flat_map(str::chars)
        .filter(|sign| sign.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    for (given, meant) in SPELLINGS {
        if folded.contains(given) {
            folded = folded.replace(given, meant);
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_any_spelling() {
        for name in [
            "Supplier Discounted Price (Incl GST and Commision)",
            "\u{feff}SUPPLIER DISCOUNTED PRICE (Incl. GST and Commission)*",
            " supplier_discounted\u{a0}price  (incl gst\r\nand commision) ",
        ] {
            assert_eq!(folded(name), "supplierdiscountedpriceinclgstandcommission", "{name}");
        }
        assert_eq!(folded("Marketplace Fee (Rs.)\n= SUM (V:AI)"), "marketplacefeers");
        assert_eq!(folded("Fulfilment Type"), folded("FULFILLMENT_TYPE"));
    }
}
