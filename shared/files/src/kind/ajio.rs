//! AJIO's reports. Headers come in any case, with blanks or underscores.

use super::{Kind, KindSpec, Marketplace, PLAIN};

pub const KINDS: &[KindSpec] = &[
    KindSpec {
        kind: Kind::AjioOrders,
        code: "AJIO_ORDERS",
        title: "AJIO order report",
        marketplace: Marketplace::Ajio,
        required: &["Cust Order No", "Cust Order Date", "Status", "Seller SKU", "Order Qty", "Selling Price"],
        optional: &[
            "Order Item ID",
            "JioCode",
            "Description",
            "HSN",
            "FWD Carrier",
            "FWD AWB",
            "Shipped QTY",
            "Estimated Dispatch Date",
            "Cancelled Qty",
            "Customer Cancelled QTY",
            "Seller Cancelled QTY",
            "Base Price",
            "CGST_PERCENTAGE",
            "CGST_AMOUNT",
            "SGST_PERCENTAGE",
            "SGST_AMOUNT",
            "IGST_PERCENTAGE",
            "IGST_AMOUNT",
            "FWD PO NO",
        ],
        aliases: &[("Order Date", "Cust Order Date")],
        dates: &["Cust Order Date", "Estimated Dispatch Date"],
        ..PLAIN
    },
    KindSpec {
        kind: Kind::AjioReturns,
        code: "AJIO_RETURNS",
        title: "AJIO RTV report",
        marketplace: Marketplace::Ajio,
        required: &[
            "Return Order Number",
            "Return Status",
            "Return Created Date",
            "Return QTY",
            "Cust Order No",
        ],
        optional: &[
            "Return Item ID",
            "Order Item ID",
            "JioCode",
            "Seller SKU",
            "Return Carrier Name",
            "Return AWB No",
            "Return Delivered Date",
            "Return Type",
            "Cust Return Reason",
            "Credit Note Number",
        ],
        dates: &["Return Created Date", "Return Delivered Date"],
        ..PLAIN
    },
    KindSpec {
        kind: Kind::AjioPayments,
        code: "AJIO_PAYMENTS",
        title: "AJIO payment report",
        marketplace: Marketplace::Ajio,
        required: &["Journey Type", "Clearing doc no", "Internal Document no", "Order No", "Value"],
        optional: &["Clearing date", "Expected settlement date", "Order Date", "Status", "Credit Note No"],
        dates: &["Clearing date", "Expected settlement date", "Order Date"],
        ..PLAIN
    },
];
