//! There is no default scope, and an id alone makes none.

use robnu_tenancy::{PersonScope, SellerId, SellerScope, Subject, SystemScope};

fn main() {
    let _: SellerScope = Default::default();
    let _: PersonScope = Default::default();
    let _: SystemScope = Default::default();
    let _: Subject = Default::default();
    let _: SellerScope = SellerId::new().into();
}
