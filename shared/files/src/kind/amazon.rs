//! Amazon India's reports: flat files between tabs, and tables of Seller Central.

use super::{Kind, KindSpec, Marketplace, PLAIN};

pub const KINDS: &[KindSpec] = &[
    KindSpec {
        kind: Kind::AmazonOrders,
        code: "AMAZON_ORDERS",
        title: "Amazon order report",
        marketplace: Marketplace::AmazonIn,
        required: &[
            "amazon-order-id",
            "purchase-date",
            "order-status",
            "fulfillment-channel",
            "sku",
            "quantity",
            "item-price",
        ],
        optional: &[
            "order-item-id",
            "last-updated-date",
            "latest-ship-date",
            "sales-channel",
            "product-name",
            "asin",
            "item-status",
            "currency",
            "item-tax",
            "ship-city",
            "ship-state",
            "ship-postal-code",
            "payment-method",
        ],
        aliases: &[("order-id", "amazon-order-id")],
        dates: &["purchase-date", "last-updated-date", "latest-ship-date"],
        ..PLAIN
    },
    KindSpec {
        kind: Kind::AmazonReturns,
        code: "AMAZON_RETURNS",
        title: "Amazon returns by return date",
        marketplace: Marketplace::AmazonIn,
        required: &["Order ID", "Return request date", "Amazon RMA ID", "Merchant SKU", "Return quantity"],
        optional: &[
            "Order date",
            "Return delivery date",
            "Return request status",
            "Return type",
            "Refunded Amount",
        ],
        dates: &["Order date", "Return request date", "Return delivery date"],
        ..PLAIN
    },
    KindSpec {
        kind: Kind::AmazonSettlement,
        code: "AMAZON_SETTLEMENT",
        title: "Amazon settlement report V2",
        marketplace: Marketplace::AmazonIn,
        required: &[
            "settlement-id",
            "total-amount",
            "transaction-type",
            "amount-type",
            "amount-description",
            "amount",
        ],
        optional: &[
            "settlement-start-date",
            "settlement-end-date",
            "deposit-date",
            "posted-date",
            "order-id",
        ],
        dates: &["settlement-start-date", "settlement-end-date", "deposit-date", "posted-date"],
        ..PLAIN
    },
    KindSpec {
        kind: Kind::AmazonPayments,
        code: "AMAZON_PAYMENTS",
        title: "Amazon unified payments",
        marketplace: Marketplace::AmazonIn,
        required: &[
            "date/time",
            "settlement id",
            "type",
            "order id",
            "product sales",
            "selling fees",
            "total",
        ],
        optional: &["Transaction Status", "Transaction Release Date", "TDS (Section 194-O)"],
        dates: &["date/time", "Transaction Release Date"],
        ..PLAIN
    },
    KindSpec {
        kind: Kind::AmazonMtrB2c,
        code: "AMAZON_MTR_B2C",
        title: "Amazon tax report (MTR B2C)",
        marketplace: Marketplace::AmazonIn,
        required: &[
            "Seller Gstin",
            "Invoice Number",
            "Transaction Type",
            "Order Id",
            "Invoice Amount",
            "Tax Exclusive Gross",
            "Total Tax Amount",
        ],
        optional: &["Invoice Date", "Shipment Date", "Order Date", "Credit Note No", "Credit Note Date"],
        dates: &["Invoice Date", "Shipment Date", "Order Date", "Credit Note Date"],
        ..PLAIN
    },
    KindSpec {
        kind: Kind::AmazonMtrB2b,
        code: "AMAZON_MTR_B2B",
        title: "Amazon tax report (MTR B2B)",
        marketplace: Marketplace::AmazonIn,
        required: &[
            "Seller Gstin",
            "Invoice Number",
            "Transaction Type",
            "Order Id",
            "Invoice Amount",
            "Tax Exclusive Gross",
            "Total Tax Amount",
            "Customer Bill To Gstid",
        ],
        optional: &["Invoice Date", "Shipment Date", "Order Date"],
        dates: &["Invoice Date", "Shipment Date", "Order Date"],
        ..PLAIN
    },
    KindSpec {
        kind: Kind::AmazonFbaLedger,
        code: "AMAZON_FBA_LEDGER",
        title: "Amazon FBA inventory ledger",
        marketplace: Marketplace::AmazonIn,
        required: &[
            "Date",
            "FNSKU",
            "MSKU",
            "Disposition",
            "Starting Warehouse Balance",
            "Ending Warehouse Balance",
        ],
        dates: &["Date"],
        ..PLAIN
    },
];
