//! Meesho's reports. Column names have Meesho's own misspellings, and payments have three rows of headers.

use super::{Kind, KindSpec, Marketplace, PLAIN};

pub const KINDS: &[KindSpec] = &[
    KindSpec {
        kind: Kind::MeeshoOrders,
        code: "MEESHO_ORDERS",
        title: "Meesho orders",
        marketplace: Marketplace::Meesho,
        required: &[
            "Reason for Credit Entry",
            "Sub Order No",
            "Order Date",
            "SKU",
            "Quantity",
            "Supplier Discounted Price (Incl GST and Commission)",
        ],
        optional: &[
            "Customer State",
            "Product Name",
            "Size",
            "Supplier Listed Price (Incl. GST + Commission)",
            "Packet Id",
            "Catalog ID",
            "Order source",
        ],
        dates: &["Order Date"],
        generations: &[("newer", &["Catalog ID", "Order source"]), ("classic", &[])],
        ..PLAIN
    },
    KindSpec {
        kind: Kind::MeeshoReturns,
        code: "MEESHO_RETURNS",
        title: "Meesho returns",
        marketplace: Marketplace::Meesho,
        required: &["Suborder Number", "Qty", "Return Created Date", "Type of Return", "Status"],
        optional: &[
            "Order Number",
            "Product Name",
            "SKU",
            "Variation",
            "Order Date",
            "Dispatch Date",
            "Sub Type",
            "Expected Delivery Date",
            "Delivered Date",
            "Lost Date",
            "Courier Partner",
            "AWB Number",
            "Return Reason",
            "Detailed Return Reason",
        ],
        aliases: &[("Sub Order Number", "Suborder Number"), ("Sub Order No", "Suborder Number")],
        dates: &[
            "Order Date",
            "Dispatch Date",
            "Return Created Date",
            "Expected Delivery Date",
            "Delivered Date",
            "Lost Date",
        ],
        generations: &[("delivered", &["Delivered Date"]), ("lost", &["Lost Date"]), ("all", &[])],
        ..PLAIN
    },
    KindSpec {
        kind: Kind::MeeshoPayments,
        code: "MEESHO_PAYMENTS",
        title: "Meesho payments of orders",
        marketplace: Marketplace::Meesho,
        required: &["Sub Order No", "Live Order Status", "Final Settlement Amount", "TCS", "TDS"],
        optional: &[
            "Order Date",
            "Dispatch Date",
            "Transaction ID",
            "Payment Date",
            "Catalog ID",
            "Order source",
            "Meesho Commission (Incl. GST)",
        ],
        dates: &["Order Date", "Dispatch Date", "Payment Date"],
        subheadings: 1,
        generations: &[
            ("43 columns", &["Catalog ID", "Order source"]),
            ("41 columns", &["Meesho Commission (Incl. GST)"]),
            ("without GST", &[]),
        ],
        ..PLAIN
    },
    KindSpec {
        kind: Kind::MeeshoAds,
        code: "MEESHO_ADS",
        title: "Meesho costs of advertising",
        marketplace: Marketplace::Meesho,
        required: &["Deduction Duration", "Deduction Date", "Campaign ID", "Ad Cost"],
        dates: &["Deduction Date"],
        subheadings: 1,
        ..PLAIN
    },
    KindSpec {
        kind: Kind::MeeshoReferrals,
        code: "MEESHO_REFERRALS",
        title: "Meesho referral payments",
        marketplace: Marketplace::Meesho,
        required: &["Reward Id", "Payment Date", "Store Name", "Net Referral Amount"],
        dates: &["Payment Date"],
        subheadings: 1,
        ..PLAIN
    },
    KindSpec {
        kind: Kind::MeeshoCompensations,
        code: "MEESHO_COMPENSATIONS",
        title: "Meesho compensations and recoveries",
        marketplace: Marketplace::Meesho,
        required: &["Date", "Program Name", "Reason", "Amount (inc GST) INR"],
        dates: &["Date"],
        subheadings: 1,
        ..PLAIN
    },
    KindSpec {
        kind: Kind::MeeshoInventory,
        code: "MEESHO_INVENTORY",
        title: "Meesho inventory file",
        marketplace: Marketplace::Meesho,
        required: &["CATALOG ID", "PRODUCT ID", "STYLE ID", "VARIATION ID", "YOUR STOCK COUNT"],
        ..PLAIN
    },
    KindSpec {
        kind: Kind::MeeshoTcsSales,
        code: "MEESHO_TCS_SALES",
        title: "Meesho GST sales",
        marketplace: Marketplace::Meesho,
        required: &[
            "supplier_id",
            "sub_order_num",
            "order_date",
            "total_taxable_sale_value",
            "total_invoice_value",
        ],
        dates: &["order_date"],
        ..PLAIN
    },
    KindSpec {
        kind: Kind::MeeshoTcsReturns,
        code: "MEESHO_TCS_RETURNS",
        title: "Meesho GST returns",
        marketplace: Marketplace::Meesho,
        required: &[
            "supplier_id",
            "sub_order_num",
            "order_date",
            "total_taxable_sale_value",
            "total_invoice_value",
            "cancel_return_date",
        ],
        dates: &["order_date", "cancel_return_date"],
        ..PLAIN
    },
    KindSpec {
        kind: Kind::MeeshoTaxInvoices,
        code: "MEESHO_TAX_INVOICES",
        title: "Meesho tax invoices",
        marketplace: Marketplace::Meesho,
        required: &["Type", "Order Date", "Suborder No.", "Product Description", "HSN", "Invoice No."],
        dates: &["Order Date"],
        ..PLAIN
    },
];
