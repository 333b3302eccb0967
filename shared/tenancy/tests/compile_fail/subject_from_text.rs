//! A subject cannot be made from a string.

use robnu_tenancy::{Access, Permission, SellerId, SellerScope, Subject};

fn main() {
    let _ = Subject("somebody else".to_owned());
    let _ = Subject::from("somebody else");
    let _ = SellerScope::for_member("somebody else", SellerId::new(), Permission::Read, Access::Read);
}
