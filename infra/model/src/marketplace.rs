//! A marketplace's book of orders, read page by page, and our rows of it.
//!
//! Time is a counter that moves when the book changes. A read begins at an instant, lists what changed in its window up to that
//! instant, one order a page, and vouches for the window when its last page is in. The marketplace lists an order late, by one tick at most.

/// How far behind the watermark a run begins, in ticks.
pub const OVERLAP: u8 = 1;
/// Orders in the book at most.
pub const ORDERS: usize = 3;

/// An order of the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Order {
    /// The instant of its last change.
    pub changed_at: u8,
    /// 0 is an order that nobody has placed yet.
    pub version: u8,
    /// Whether pages show it.
    pub is_listed: bool,
}

/// Where a read goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The end of its window.
    pub until: u8,
    /// The last order that it has listed: when it had changed, and which it is, from 1.
    pub after: (u8, u8),
}

/// A page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Page {
    /// Which order it shows, and in which version.
    pub order: Option<(u8, u8)>,
    /// `None` is the last page.
    pub next: Option<Position>,
    /// Up to which instant the read vouches.
    pub until: u8,
}

/// The book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Book {
    /// The present instant.
    pub now: u8,
    /// The orders, those that are yet to be placed included.
    pub orders: [Order; ORDERS],
}

impl Book {
    /// Two orders of long ago.
    #[must_use]
    pub fn new() -> Self {
        let old = Order { changed_at: 1, version: 1, is_listed: true };
        Self { now: 3, orders: [old, old, Order::default()] }
    }

    /// A book that stays empty.
    #[must_use]
    pub fn empty() -> Self {
        Self { now: 3, orders: [Order::default(); ORDERS] }
    }

    /// Reads a page of what changed since an instant.
    #[must_use]
    pub fn page(&self, since: u8, position: Option<Position>) -> Page {
        let Position { until, after } = position.unwrap_or(Position { until: self.now, after: (0, 0) });
        let mut listed = [(0, 0); ORDERS];
        let mut found = 0;
        for (place, order) in (1..).zip(&self.orders) {
            let is_in = (since..=until).contains(&order.changed_at) && (order.changed_at, place) > after;
            if order.version > 0 && order.is_listed && is_in {
                listed[found] = (order.changed_at, place);
                found += 1;
            }
        }
        listed[..found].sort_unstable();
        let first = listed[..found].first();
        Page {
            order: first.map(|&(_, place)| (place - 1, self.orders[usize::from(place - 1)].version)),
            next: first.filter(|_| found > 1).map(|&after| Position { until, after }),
            until,
        }
    }

    /// Whether the clock may move: no order may be listed later than the overlap allows for.
    #[must_use]
    pub fn may_move(&self) -> bool {
        self.orders
            .iter()
            .all(|order| order.version == 0 || order.is_listed || self.now < order.changed_at + OVERLAP)
    }

    /// The next order arrives, and is listed at once or later.
    pub fn arrive(&mut self, is_listed: bool) {
        self.now += 1;
        let changed_at = self.now;
        if let Some(order) = self.orders.iter_mut().find(|order| order.version == 0) {
            *order = Order { changed_at, version: 1, is_listed };
        }
    }

    /// The first order changes.
    pub fn change(&mut self) {
        self.now += 1;
        let order = &mut self.orders[0];
        *order = Order { changed_at: self.now, version: order.version + 1, is_listed: true };
    }

    /// What was not listed is listed now.
    pub fn list(&mut self) {
        for order in &mut self.orders {
            order.is_listed = order.version > 0;
        }
    }

    /// Whether every order is listed.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        self.orders.iter().all(|order| order.is_listed || order.version == 0)
    }
}

impl Default for Book {
    fn default() -> Self {
        Self::new()
    }
}

/// Our rows of a book's orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Rows {
    /// The version of each order that is stored; 0 for none.
    pub versions: [u8; ORDERS],
    /// How many rows each order has.
    pub copies: [u8; ORDERS],
}

impl Rows {
    /// Stores an order as the platform does: one row for each, and a newer version stays.
    pub fn store(&mut self, (order, version): (u8, u8), older_wins: bool, doubles: bool) {
        let order = usize::from(order);
        if version > self.versions[order] || older_wins {
            self.versions[order] = version;
        }
        if self.copies[order] == 0 || doubles {
            self.copies[order] += 1;
        }
    }

    /// Whether each order of a book is stored once, in its latest version.
    #[must_use]
    pub fn are_complete(self, book: &Book) -> bool {
        let stored = self.versions.iter().zip(&self.copies);
        book.orders.iter().zip(stored).all(|(order, (&version, &copies))| {
            order.version == version && copies == u8::from(order.version > 0)
        })
    }
}
