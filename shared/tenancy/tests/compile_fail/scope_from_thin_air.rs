//! A scope's fields are private: nobody can write one down, or turn one into another seller's.

use robnu_tenancy::{PersonScope, SellerId, SellerScope, Subject};

fn another_seller(scope: SellerScope, seller: SellerId) -> SellerScope {
    SellerScope { seller, ..scope }
}

fn another_person(subject: Subject) -> PersonScope {
    PersonScope { subject }
}

fn main() {}
