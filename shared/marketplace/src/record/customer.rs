//! Who ordered. These texts name a person, so nothing shows them and their memory is cleared: only the engine reads them, in order
//! to encrypt them.

use std::fmt;

use zeroize::Zeroizing;

/// A text about a customer. Its debug output says only that there is one.
#[derive(Clone, PartialEq, Eq)]
pub struct CustomerText(Zeroizing<String>);

impl CustomerText {
    /// Takes a text over.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, to be encrypted.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CustomerText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(not shown)")
    }
}

/// What a marketplace says about the customer of an order. A field that it withholds is `None`; the stored value then stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Customer {
    /// The recipient's name, or the buyer's where there is no recipient.
    pub name: Option<CustomerText>,
    /// Phone number, as it was written.
    pub phone: Option<CustomerText>,
    /// Email address. Amazon's is an alias of its own.
    pub email: Option<CustomerText>,
    /// Company and street of the delivery address, a line each. City and state are fields of the order.
    pub address: Option<CustomerText>,
    /// Postal code of the delivery address.
    pub postal_code: Option<CustomerText>,
}

impl Customer {
    /// The fields in the order in which they are stored.
    #[must_use]
    pub fn fields(&self) -> [Option<&CustomerText>; 5] {
        [&self.name, &self.phone, &self.email, &self.address, &self.postal_code].map(Option::as_ref)
    }

    /// The customer, if anything is said about them.
    #[must_use]
    pub fn if_known(self) -> Option<Self> {
        self.fields().iter().any(Option::is_some).then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_shows_which_fields_there_are_and_no_text() {
        let name = Some(CustomerText::new("Asha Hush".to_owned()));
        let customer = Customer { name, ..Customer::default() };
        let shown = format!("{customer:?} {customer:#?}");
        assert!(shown.contains("name: Some((not shown))") && shown.contains("phone: None"), "{shown}");
        assert!(!shown.contains("Hush"), "{shown}");
    }

    #[test]
    fn a_customer_of_whom_nothing_is_said_is_none() {
        assert_eq!(Customer::default().if_known(), None);
        let phone = Customer { phone: Some(CustomerText::new("1".to_owned())), ..Customer::default() };
        assert_eq!(phone.clone().if_known(), Some(phone));
    }
}
