//! Flipkart's reports. Settled transactions have a preamble, a row of groups above the names and one of names below.

use super::{Kind, KindSpec, Marketplace, PLAIN};

pub const KINDS: &[KindSpec] = &[
    KindSpec {
        kind: Kind::FlipkartOrders,
        code: "FLIPKART_ORDERS",
        title: "Flipkart orders",
        marketplace: Marketplace::Flipkart,
        required: &[
            "Ordered On",
            "Shipment ID",
            "ORDER ITEM ID",
            "Order Id",
            "FSN",
            "Order State",
            "Quantity",
        ],
        optional: &["Dispatch After date", "Dispatch by date", "Invoice Amount", "SKU", "Tracking ID"],
        dates: &["Ordered On", "Dispatch After date", "Dispatch by date"],
        ..PLAIN
    },
    KindSpec {
        kind: Kind::FlipkartReturns,
        code: "FLIPKART_RETURNS",
        title: "Flipkart returns",
        marketplace: Marketplace::Flipkart,
        required: &["Return ID", "Order Id", "ORDER ITEM ID", "Return Type", "Return Status", "FSN"],
        optional: &[
            "Return Approval Date",
            "Return Requested Date",
            "Completed Date",
            "Tracking Id",
            "Quantity",
        ],
        dates: &["Return Approval Date", "Return Requested Date", "Completed Date"],
        ..PLAIN
    },
    KindSpec {
        kind: Kind::FlipkartSales,
        code: "FLIPKART_SALES",
        title: "Flipkart sales report",
        marketplace: Marketplace::Flipkart,
        required: &[
            "Seller GSTIN",
            "Order ID",
            "Order Item ID",
            "Event Type",
            "Event Sub Type",
            "Buyer Invoice ID",
        ],
        optional: &["Order Date", "Order Approval Date", "Buyer Invoice Date", "Item Quantity"],
        dates: &["Order Date", "Order Approval Date", "Buyer Invoice Date"],
        ..PLAIN
    },
    KindSpec {
        kind: Kind::FlipkartSettled,
        code: "FLIPKART_SETTLED",
        title: "Flipkart settled transactions",
        marketplace: Marketplace::Flipkart,
        required: &["NEFT ID", "Neft Type", "Payment Date", "Order ID", "Order item ID", "Sale Amount (Rs.)"],
        optional: &["Order Date", "Dispatch Date", "Invoice Date", "TCS (Rs.)", "TDS (Rs.)"],
        dates: &["Payment Date", "Order Date", "Dispatch Date", "Invoice Date"],
        subheadings: 1,
        ..PLAIN
    },
    KindSpec {
        kind: Kind::FlipkartSettledOld,
        code: "FLIPKART_SETTLED_OLD",
        title: "Flipkart settled transactions in their old form",
        marketplace: Marketplace::Flipkart,
        required: &["Settlement Ref No.", "Order ID/FSN", "Settlement Value (Rs.)", "Order Item Value (Rs.)"],
        ..PLAIN
    },
    KindSpec {
        kind: Kind::FlipkartFbfLedger,
        code: "FLIPKART_FBF_LEDGER",
        title: "Flipkart FBF stock ledger",
        marketplace: Marketplace::Flipkart,
        required: &[
            "Start Date",
            "End Date",
            "FSN",
            "Opening Warehouse Sellable Balance",
            "Closing Warehouse Sellable Balance",
        ],
        dates: &["Start Date", "End Date"],
        ..PLAIN
    },
];
