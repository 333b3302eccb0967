//! Lists that can be read from either end. The statement in the file goes downwards, from the newest or largest row. The
//! upward statement is the same without its `desc`; it is made from the file's text at compile time.
//!
//! This holds because a list's bounds are the same both ways: each page lies between two keys
//! (`Start` makes a `Window` of them in `routes/paging.rs`).
//!
//! Every list of this kind is declared here and cannot be made elsewhere, so that [`BOTH_WAYS`] names them all. The test
//! kit compiles this file too: it prepares both statements of each list and looks at their plans.

/// A list's statements.
#[derive(Debug, Clone, Copy)]
pub struct BothWays {
    /// The name of the file, in `sql/`, without its ending.
    pub down_name: &'static str,
    /// The text of the file.
    pub down: &'static str,
    /// The name of the upward statement in tests.
    pub up_name: &'static str,
    /// The text of the upward statement.
    pub up: &'static str,
}

/// Reverses a statement. An index sorted `desc nulls last` reads `nulls first` from its other end.
macro_rules! upwards {
    ($down:expr) => {
        const_str::replace!(const_str::replace!($down, " desc nulls last", " nulls first"), " desc", "")
    };
}

macro_rules! both_ways {
    ($($(#[$doc:meta])* $name:ident = $down:literal => $up:literal;)*) => {
        $(
            $(#[$doc])*
            pub const $name: BothWays = {
                const DOWN: &str = include_str!(concat!("sql/", $down, ".sql"));
                BothWays { down_name: $down, down: DOWN, up_name: $up, up: upwards!(DOWN) }
            };
        )*

        /// All lists that are read from either end.
        pub const BOTH_WAYS: &[BothWays] = &[$($name),*];
    };
}

both_ways! {
    /// Orders.
    ORDERS = "orders/newest" => "orders/oldest";
    /// Orders of some accounts.
    ORDERS_OF_ACCOUNTS = "orders/newest_of_accounts" => "orders/oldest_of_accounts";
    /// Orders with one status.
    ORDERS_OF_STATUS = "orders/newest_of_status" => "orders/oldest_of_status";
    /// Shipments.
    SHIPMENTS = "shipments/newest" => "shipments/oldest";
    /// Shipments with one status.
    SHIPMENTS_OF_STATUS = "shipments/newest_of_status" => "shipments/oldest_of_status";
    /// Shipments of one order.
    SHIPMENTS_OF_ORDER = "shipments/newest_of_order" => "shipments/oldest_of_order";
    /// Shipments with one tracking number.
    SHIPMENTS_TRACKED = "shipments/newest_tracked" => "shipments/oldest_tracked";
    /// Returns.
    RETURNS = "returns/newest" => "returns/oldest";
    /// Returns of some accounts.
    RETURNS_OF_ACCOUNTS = "returns/newest_of_accounts" => "returns/oldest_of_accounts";
    /// Returns with one status.
    RETURNS_OF_STATUS = "returns/newest_of_status" => "returns/oldest_of_status";
    /// Returns with one internal status.
    RETURNS_OF_RECEIPT = "returns/newest_of_receipt" => "returns/oldest_of_receipt";
    /// Claims.
    CLAIMS = "claims/newest" => "claims/oldest";
    /// Claims of some accounts.
    CLAIMS_OF_ACCOUNTS = "claims/newest_of_accounts" => "claims/oldest_of_accounts";
    /// Claims with one status.
    CLAIMS_OF_STATUS = "claims/newest_of_status" => "claims/oldest_of_status";
    /// Payouts, by when they were settled.
    PAYOUTS = "payouts/newest" => "payouts/oldest";
    /// Payouts of some accounts, by when they were settled.
    PAYOUTS_OF_ACCOUNTS = "payouts/newest_of_accounts" => "payouts/oldest_of_accounts";
    /// Payouts, by their net amount.
    PAYOUTS_BY_AMOUNT = "payouts/largest" => "payouts/smallest";
    /// Listings.
    LISTINGS = "listings/newest" => "listings/oldest";
    /// Listings of some accounts.
    LISTINGS_OF_ACCOUNTS = "listings/newest_of_accounts" => "listings/oldest_of_accounts";
    /// Listings of one article.
    LISTINGS_OF_SKU = "listings/newest_of_sku" => "listings/oldest_of_sku";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reversed_list_differs_only_in_its_sort_order() {
        for list in BOTH_WAYS {
            assert_eq!(list.down.lines().count(), list.up.lines().count());
            for (down, up) in list.down.lines().zip(list.up.lines()) {
                let orders = down.contains("order by");
                assert_eq!(down != up, orders, "{}: {down}", list.down_name);
                assert!(!orders || !up.contains(" desc"), "{}: {up}", list.up_name);
            }
        }
        let status = ORDERS_OF_STATUS;
        assert!(status.down.contains("order by o.placed_at desc nulls last, o.id desc nulls last\n"));
        assert!(status.up.contains("order by o.placed_at nulls first, o.id nulls first\n"));
    }
}
