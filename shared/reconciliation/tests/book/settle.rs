//! What each marketplace books for an order, in its own shape.

use chrono::{DateTime, Duration, Utc};
use robnu_reconciliation::LineType::{
    CollectionFee, Commission, FeeTax, FixedFee, Refund, RefundTax, ReturnFee, ReverseShippingFee, Sale,
    SaleTax, ShippingFee, Tcs, Tds,
};
use robnu_reconciliation::facts::{Entry, Order};

use super::rates::{Numbers, bp, gst, half_up, numbers};
use super::{Book, Fate};

/// TCS and TDS in hundredths of a percent.
const TCS: i64 = 50;
const TDS: i64 = 10;

/// The entries of an order with one line.
pub fn entries(book: &mut Book, marketplace: &str, order: &Order, fate: Fate) -> Vec<Entry> {
    let n = numbers(order, &order.items[0]);
    let item = order.items[0].external_item_id.clone();
    let sold_at = order.placed_at + Duration::days(9);
    let back_at = sold_at + Duration::days(12);
    match (marketplace, fate) {
        ("AMAZON_IN", Fate::Kept) => vec![amazon_sale(book, &item, sold_at, n)],
        ("AMAZON_IN", Fate::Returned(units)) => {
            vec![
                amazon_sale(book, &item, sold_at, n),
                amazon_refund(book, &item, back_at, n, i64::from(units)),
            ]
        }
        ("FLIPKART", Fate::Kept) => vec![flipkart_sale(book, &item, sold_at, n)],
        ("FLIPKART", Fate::Returned(units)) => {
            vec![
                flipkart_sale(book, &item, sold_at, n),
                flipkart_refund(book, &item, back_at, n, i64::from(units)),
            ]
        }
        ("FLIPKART", Fate::Rto) => {
            let lines = vec![
                (Sale, "Sale Amount", n.price),
                (Refund, "Refund", -n.price),
                (ReverseShippingFee, "Reverse Shipping Fee", -2_000),
                (FeeTax, "GST on MP Fees", -gst(2_000)),
            ];
            vec![book.entry(marketplace, Some(&item), sold_at, lines)]
        }
        ("MEESHO", Fate::Kept) => vec![meesho_sale(book, &item, sold_at, n)],
        ("MEESHO", Fate::Returned(_)) => meesho_return(book, &item, sold_at, n),
        (_, Fate::Kept) => vec![book.entry("AJIO", Some(&item), sold_at, vec![(Sale, "RV", n.price)])],
        (_, Fate::Returned(units)) => {
            let back = half_up(n.price * i64::from(units), n.quantity);
            let sale = book.entry("AJIO", Some(&item), sold_at, vec![(Sale, "RV", n.price)]);
            vec![sale, book.entry("AJIO", Some(&item), back_at, vec![(Refund, "DG", -back)])]
        }
        (_, Fate::Rto | Fate::Cancelled) => Vec::new(),
    }
}

fn amazon_sale(book: &mut Book, item: &str, at: DateTime<Utc>, n: Numbers) -> Entry {
    let (net, commission, closing, shipping) =
        (n.price - n.tax, n.amazon_commission(), n.amazon_closing(), n.amazon_shipping());
    let lines = vec![
        (Sale, "Principal", net),
        (SaleTax, "Product Tax", n.tax),
        (Commission, "Commission", -commission),
        (FixedFee, "Fixed closing fee", -closing),
        (ShippingFee, "Easy Ship weight handling fees", -shipping),
        (FeeTax, "Commission IGST", -gst(commission)),
        (FeeTax, "Fixed closing fee IGST", -gst(closing)),
        (FeeTax, "Easy Ship IGST", -gst(shipping)),
        (Tcs, "TCS-IGST", -bp(net, TCS)),
        (Tds, "TDS (Section 194-O)", -bp(net, TDS)),
    ];
    book.entry("AMAZON_IN", Some(item), at, lines)
}

fn amazon_refund(book: &mut Book, item: &str, at: DateTime<Utc>, n: Numbers, units: i64) -> Entry {
    let share = |amount: i64| half_up(amount * units, n.quantity);
    let (gross, tax, commission) = (share(n.price), share(n.tax), share(n.amazon_commission()));
    let net = gross - tax;
    let lines = vec![
        (Refund, "Principal", -net),
        (RefundTax, "Product Tax", -tax),
        (Commission, "Commission", commission),
        (ReturnFee, "Refund commission", -3_500),
        (FeeTax, "Commission IGST", gst(commission)),
        (FeeTax, "Refund commission IGST", -gst(3_500)),
        (Tcs, "TCS-IGST", bp(net, TCS)),
        (Tds, "TDS (Section 194-O)", bp(net, TDS)),
    ];
    book.entry("AMAZON_IN", Some(item), at, lines)
}

fn flipkart_sale(book: &mut Book, item: &str, at: DateTime<Utc>, n: Numbers) -> Entry {
    let (commission, fixed, collection, shipping) =
        (n.flipkart_commission(), 1_400 * n.quantity, n.flipkart_collection(), n.flipkart_shipping());
    let lines = vec![
        (Sale, "Sale Amount", n.price),
        (Commission, "Commission", -commission),
        (FixedFee, "Fixed Fee", -fixed),
        (CollectionFee, "Collection Fee", -collection),
        (ShippingFee, "Shipping Fee", -shipping),
        (FeeTax, "GST on MP Fees", -gst(commission + fixed + collection + shipping)),
        (Tcs, "TCS", -bp(n.price - n.tax, TCS)),
        (Tds, "TDS", -bp(n.price - n.tax, TDS)),
    ];
    book.entry("FLIPKART", Some(item), at, lines)
}

fn flipkart_refund(book: &mut Book, item: &str, at: DateTime<Utc>, n: Numbers, units: i64) -> Entry {
    let share = |amount: i64| half_up(amount * units, n.quantity);
    let (back, commission, collection) =
        (share(n.price), share(n.flipkart_commission()), share(n.flipkart_collection()));
    let tax_on = |points: i64| half_up(back * (n.price - n.tax) * points, n.price * 10_000);
    let lines = vec![
        (Refund, "Refund", -back),
        (Commission, "Commission", commission),
        (CollectionFee, "Collection Fee", collection),
        (ReverseShippingFee, "Reverse Shipping Fee", -7_500),
        (FeeTax, "GST on MP Fees", gst(commission + collection) - gst(7_500)),
        (Tcs, "TCS", tax_on(TCS)),
        (Tds, "TDS", tax_on(TDS)),
    ];
    book.entry("FLIPKART", Some(item), at, lines)
}

/// Fixed fee and reverse shipping with GST: 7.50 + 1.35, 139.83 + 25.17.
const MEESHO_FIXED: i64 = 885;
const MEESHO_REVERSE: i64 = 16_500;

fn meesho_sale(book: &mut Book, item: &str, at: DateTime<Utc>, n: Numbers) -> Entry {
    let net = n.price - n.tax;
    let lines = vec![
        (Sale, "Total Sale Amount", n.price),
        (Commission, "Meesho Commission", -n.meesho_commission()),
        (FixedFee, "Fixed Fee", -MEESHO_FIXED),
        (Tcs, "TCS", -bp(net, TCS)),
        (Tds, "TDS", -bp(net, TDS)),
    ];
    book.entry("MEESHO", Some(item), at, lines)
}

/// In one row that nets everything or, for odd prices, in a row of the sale and a later one of the return.
fn meesho_return(book: &mut Book, item: &str, at: DateTime<Utc>, n: Numbers) -> Vec<Entry> {
    let back = [
        (Refund, "Total Sale Return Amount", -n.price),
        (ReverseShippingFee, "Return Shipping Charge", -MEESHO_REVERSE),
    ];
    if n.price % 2 == 0 {
        let lines = [vec![(Sale, "Total Sale Amount", n.price)], back.to_vec()].concat();
        return vec![book.entry("MEESHO", Some(item), at, lines)];
    }
    let net = n.price - n.tax;
    let given_back = vec![
        (Commission, "Meesho Commission", n.meesho_commission()),
        (FixedFee, "Fixed Fee", MEESHO_FIXED),
        (Tcs, "TCS", bp(net, TCS)),
        (Tds, "TDS", bp(net, TDS)),
    ];
    let later = [back.to_vec(), given_back].concat();
    let sale = meesho_sale(book, item, at, n);
    vec![sale, book.entry("MEESHO", Some(item), at + Duration::days(15), later)]
}
