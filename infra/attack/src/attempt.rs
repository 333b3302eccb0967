//! One attempt of the insider: what was sent, how it was answered and what was found.

/// A way into the platform that is attacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Surface {
    /// The API.
    Http,
    /// The database, as the functions' own logins.
    Sql,
    /// A connection pool that several sellers share.
    Pool,
    /// The queues.
    Messages,
}

/// One attempt and its result.
#[derive(Debug)]
pub struct Attempt {
    /// Its number in the run, from 1.
    pub number: u64,
    /// What it attacks.
    pub surface: Surface,
    /// Its row in the report's table: the operation, relation or queue.
    pub row: String,
    /// Its column in the report's table: the token, verb or form.
    pub column: String,
    /// How it was answered, in a word or two.
    pub outcome: &'static str,
    /// What was sent, as far as the attempt chose it.
    pub shown: String,
    /// Everything that must not happen and did.
    pub findings: Vec<String>,
}

impl Attempt {
    /// An attempt that has sent nothing yet.
    pub fn new(number: u64, surface: Surface) -> Self {
        let (row, column, shown) = (String::new(), String::new(), String::new());
        Self { number, surface, row, column, outcome: "", shown, findings: Vec::new() }
    }

    /// Sets its place in the report's table.
    pub fn label(&mut self, row: &str, column: &str) {
        row.clone_into(&mut self.row);
        column.clone_into(&mut self.column);
    }

    /// Sets how it was answered.
    pub fn answered(&mut self, outcome: &'static str) {
        self.outcome = outcome;
    }

    /// Adds something that must not happen and did.
    pub fn find(&mut self, finding: String) {
        self.findings.push(finding);
    }
}
