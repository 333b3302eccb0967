//! Makes whole returns of listed items. What a return is made of is also what is set aside of it:
//! `{"returnId": …, "source": …, "returnItems": […]}`, with the items as they came.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::bytes::BadBytes;
use crate::fields::{Id, Instant};
use crate::flipkart::assemble::RawWhole;
use crate::flipkart::page::ListPage;
use crate::lenient::{Lenient, Notes};

use super::Source;

/// A listed item, with what is needed to find its return.
struct Item {
    return_id: Option<String>,
    order_item_id: Option<String>,
    updated_at: Option<DateTime<Utc>>,
    raw: String,
    has_bad_bytes: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ids {
    #[serde(default)]
    return_id: Lenient<Id>,
    #[serde(default)]
    order_item_id: Lenient<Id>,
    #[serde(default)]
    updated_date: Lenient<Instant>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OnlyId {
    return_id: Id,
}

/// Returns a return's id, if at least that can be read.
pub fn return_id(raw: &RawValue) -> Option<String> {
    serde_json::from_str::<OnlyId>(raw.get()).ok().map(|returned| returned.return_id.0)
}

/// The returns of a page's items, each once, as far as they can be asked for.
pub fn return_ids(page: &ListPage) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for item in items(page).into_iter().filter(|item| !item.has_bad_bytes) {
        // The call takes ids separated by commas.
        ids.extend(item.return_id.filter(|id| !ids.contains(id) && !id.contains(',')));
    }
    ids
}

/// Joins the items that a page lists with all items of their returns. Of two versions of an item the newer one counts, and the
/// listed one when Flipkart does not say which is newer. An item without the id of its return stands alone, to be set aside.
pub fn returns(source: Source, page: &ListPage, whole: &[ListPage]) -> Vec<RawWhole> {
    let mut returns: Vec<(Option<String>, Vec<Item>)> = Vec::new();
    for item in items(page) {
        match returns.iter_mut().find(|(id, _)| id.is_some() && *id == item.return_id) {
            Some((_, parts)) => add(parts, item),
            None => returns.push((item.return_id.clone(), vec![item])),
        }
    }
    for item in whole.iter().flat_map(items) {
        if let Some((_, parts)) = returns.iter_mut().find(|(id, _)| id.is_some() && *id == item.return_id) {
            add(parts, item);
        }
    }
    for (_, parts) in &mut returns {
        // A return is the same record whichever of its items was listed.
        parts.sort_by(|one, other| one.order_item_id.cmp(&other.order_item_id));
    }
    returns.iter().filter_map(|(id, parts)| assembled(source, id.as_deref(), parts)).collect()
}

fn add(parts: &mut Vec<Item>, item: Item) {
    let same = parts.iter_mut().find(|known| known.order_item_id == item.order_item_id);
    match same {
        Some(known) if item.updated_at > known.updated_at => *known = item,
        Some(_) => {}
        None => parts.push(item),
    }
}

fn assembled(source: Source, id: Option<&str>, parts: &[Item]) -> Option<RawWhole> {
    let items = parts.iter().map(|part| part.raw.as_str()).collect::<Vec<_>>().join(",");
    let id = id.map(|id| format!("\"returnId\":{},", serde_json::Value::from(id))).unwrap_or_default();
    let text = format!("{{{id}\"source\":\"{}\",\"returnItems\":[{items}]}}", source.as_str());
    let raw = RawValue::from_string(text).ok()?;
    Some(RawWhole { raw, has_bad_bytes: parts.iter().any(|part| part.has_bad_bytes) })
}

fn items(page: &ListPage) -> Vec<Item> {
    page.records.iter().map(|raw| item(raw, page.bad_bytes)).collect()
}

fn item(raw: &RawValue, bad_bytes: BadBytes) -> Item {
    let has_bad_bytes = bad_bytes.are_in(raw.get());
    let raw = bad_bytes.shown(raw.get());
    // What cannot be read here is found again, and named, when the return is mapped.
    let unread = &mut Notes::default();
    let mut item = Item { return_id: None, order_item_id: None, updated_at: None, raw, has_bad_bytes };
    if let Ok(ids) = serde_json::from_str::<Ids>(&item.raw) {
        item.return_id = ids.return_id.read("", unread).map(|id| id.0);
        item.order_item_id = ids.order_item_id.read("", unread).map(|id| id.0);
        item.updated_at = ids.updated_date.read("", unread).map(|at| at.0);
    }
    item
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn item(return_id: &str, item: &str, minute: u32, status: &str) -> Value {
        json!({ "returnId": return_id, "orderItemId": item, "updatedDate": format!("2026-11-18T09:{minute:02}:00Z"),
            "status": status })
    }

    fn page(items: &[Value]) -> ListPage {
        serde_json::from_value(json!({ "returnItems": items })).unwrap()
    }

    /// Return id, and each item's id and status.
    fn joined(listed: &[Value], whole: &[Value]) -> Vec<String> {
        let returns = returns(Source::CourierReturn, &page(listed), &[page(whole)]);
        let shown = returns.iter().map(|returned| {
            let returned: Value = serde_json::from_str(returned.raw.get()).unwrap();
            assert_eq!(returned["source"], "courier_return");
            let part = |it: &Value| format!(" {}:{}", it["orderItemId"], it["status"]).replace('"', "");
            let parts: String = returned["returnItems"].as_array().unwrap().iter().map(part).collect();
            format!("{}{parts}", returned["returnId"].as_str().unwrap_or("-"))
        });
        shown.collect()
    }

    #[test]
    fn a_return_has_the_items_of_both_answers_and_the_newer_version_of_each() {
        let listed = [item("R1", "2", 5, "NEW"), item("R2", "1", 5, "NEW")];
        let older = [item("R1", "1", 1, "OLD"), item("R1", "2", 4, "OLD"), item("R9", "1", 9, "OTHER")];
        assert_eq!(joined(&listed, &older), ["R1 1:OLD 2:NEW", "R2 1:NEW"]);
        assert_eq!(joined(&listed, &[item("R2", "1", 5, "SAME")]), ["R1 2:NEW", "R2 1:NEW"]);
        assert_eq!(joined(&listed, &[item("R2", "1", 6, "NEWER")]), ["R1 2:NEW", "R2 1:NEWER"]);
    }

    #[test]
    fn items_without_a_return_stand_alone_and_are_not_asked_for() {
        let nameless = json!({ "orderItemId": "1", "status": "CREATED" });
        let listed = [nameless.clone(), item("R1", "1", 1, "A"), item("R,2", "1", 1, "A"), nameless];
        assert_eq!(return_ids(&page(&listed)), ["R1"]);
        assert_eq!(joined(&listed, &[]), ["- 1:CREATED", "R1 1:A", "R,2 1:A", "- 1:CREATED"]);
    }
}
