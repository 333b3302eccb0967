//! A connection on loan from the pool.

use deadpool_postgres::{Client, Object};

/// A pooled connection. It is closed unless its transaction is known to be over: a dropped future, a panic or an error
/// in between must not hand a scope to the next caller.
pub(crate) struct Connection {
    object: Option<Object>,
    over: bool,
}

impl Connection {
    pub(crate) fn new(object: Object) -> Self {
        Self { object: Some(object), over: false }
    }

    pub(crate) fn client(&self) -> &Client {
        self.object.as_ref().expect("taken only on drop")
    }

    /// Returns the connection to the pool. Call it only after the answer to COMMIT or ROLLBACK.
    pub(crate) fn give_back(mut self) {
        self.over = true;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let (false, Some(object)) = (self.over, self.object.take()) {
            drop(Object::take(object));
        }
    }
}
