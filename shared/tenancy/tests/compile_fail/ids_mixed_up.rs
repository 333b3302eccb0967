//! An id of one kind is not an id of another.

use robnu_tenancy::{AccountId, SellerId, SellerScope};

fn main() {
    let (seller, account) = (SellerId::new(), AccountId::new());
    let _ = SellerScope::for_job(account, seller);
    let _: AccountId = seller;
}
