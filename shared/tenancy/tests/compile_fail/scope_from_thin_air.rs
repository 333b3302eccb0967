//! A scope's fields are private: nobody can write one down, or turn one into another seller's.
#![allow(unreachable_code)]

use robnu_tenancy::{PersonScope, SellerId, SellerScope};

fn another_seller(scope: SellerScope, seller: SellerId) -> SellerScope {
    SellerScope { seller, ..scope }
}

fn another_person() -> PersonScope {
    PersonScope { caller: todo!() }
}

fn main() {}
