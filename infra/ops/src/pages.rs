//! Lists that the function answers page by page.

use serde_json::{Value, json};

/// The longest page that is asked for.
const PAGE: usize = 100;

/// A list of the function.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List {
    /// The request's name.
    pub request: &'static str,
    /// The name of the list in the response.
    pub things: &'static str,
    /// How many things at most.
    pub limit: usize,
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Found {
    list: List,
    /// The things, in the function's order.
    pub things: Vec<Value>,
    /// Where the next page begins; null after the last.
    next: Value,
}

impl List {
    /// Reads pages until the limit is reached or nothing is left.
    pub(crate) async fn read(
        self,
        request: &Value,
        mut ask: impl AsyncFnMut(&Value) -> anyhow::Result<Value>,
    ) -> anyhow::Result<Found> {
        let mut found = Found { list: self, things: Vec::new(), next: Value::Null };
        while found.things.len() < self.limit {
            let mut request = request.clone();
            request["limit"] = PAGE.min(self.limit - found.things.len()).into();
            request["after"] = found.next;
            let mut page = ask(&json!({ self.request: request })).await?;
            found.things.extend(page[self.things].as_array().cloned().unwrap_or_default());
            found.next = page["next"].take();
            if found.next.is_null() {
                break;
            }
        }
        Ok(found)
    }
}

impl Found {
    /// All of it as one document.
    pub(crate) fn to_json(&self) -> String {
        json!({ self.list.things: self.things, "next": self.next }).to_string()
    }

    /// How many there are, and whether there are more.
    pub(crate) fn count(&self, noun: &str) -> String {
        let more = if self.next.is_null() {
            ""
        } else {
            ", and there are more: raise --limit or narrow the filters"
        };
        format!("{} {noun}{more}", self.things.len())
    }
}

/// A field's text, or a dash.
pub(crate) fn text(thing: &Value, field: &str) -> String {
    match &thing[field] {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a list whose function has so many things, and returns the requests, what was found and what is said of it.
    async fn read(limit: usize, there_are: u64) -> (Vec<Value>, usize, String) {
        let list = List { request: "runs", things: "runs", limit };
        let mut asked = Vec::new();
        let found = list
            .read(&json!({"state": "FAILED"}), async |request: &Value| {
                asked.push(request.clone());
                let after = request["runs"]["after"].as_u64().unwrap_or_default();
                let end = there_are.min(after + request["runs"]["limit"].as_u64().unwrap_or_default());
                let next = if end < there_are { json!(end) } else { Value::Null };
                Ok(json!({"runs": (after..end).collect::<Vec<_>>(), "next": next}))
            })
            .await
            .expect("it answers");
        (asked, found.things.len(), found.count("runs"))
    }

    #[tokio::test]
    async fn pages_are_read_until_the_limit_or_the_end() {
        let (asked, found, said) = read(150, 1000).await;
        assert_eq!(asked[0], json!({"runs": {"state": "FAILED", "limit": 100, "after": null}}));
        assert_eq!(asked[1], json!({"runs": {"state": "FAILED", "limit": 50, "after": 100}}));
        assert_eq!((asked.len(), found), (2, 150));
        assert_eq!(said, "150 runs, and there are more: raise --limit or narrow the filters");
        let (asked, found, said) = read(500, 7).await;
        assert_eq!((asked.len(), found, said.as_str()), (1, 7, "7 runs"));
    }
}
