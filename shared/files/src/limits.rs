//! How much a file may hold. The limits are far beyond what marketplaces send, and within what a function can hold.

/// The longest file. A month of a large seller's orders has about 20 MB; the file, its unpacked form and its sorted rows must
/// fit a function's disk together.
pub const MAX_FILE: u64 = 128 << 20;

/// The most bytes that a file may unpack to, all members together, for the same disk.
pub const MAX_UNPACKED: u64 = 512 << 20;

/// How many times its size a file may unpack to, once it unpacks to more than [`RATIO_FROM`]. Sheets of spreadsheet
/// programs pack 10 to 60 times, a bomb about 1,000 times.
pub const MAX_RATIO: u64 = 250;

/// A file may unpack to so many bytes at any ratio: a short sheet of equal rows packs very well.
pub const RATIO_FROM: u64 = 16 << 20;

/// Members of an archive or workbook. Workbooks have tens, panels' archives a few.
pub const MAX_MEMBERS: usize = 1_000;

/// Tables in an archive, and sheets in a workbook.
pub const MAX_SHEETS: usize = 50;

/// A workbook's table of texts, which is held in memory while the workbook is read.
pub const MAX_SHARED_STRINGS: u64 = 64 << 20;

/// What belongs to one cell of a workbook, in bytes. A spreadsheet's cell has at most 32,767 characters.
pub const MAX_CELL: usize = 512 << 10;

/// One row in bytes. A quotation mark that is never closed makes the rest of a file one row.
pub const MAX_ROW: usize = 1 << 20;

/// Columns. The widest report that is known, AJIO's raw dump, has 122.
pub const MAX_COLUMNS: usize = 1_000;

/// In how many rows the header is looked for: the longest preamble that is known has 8 lines.
pub const HEADER_ROWS: usize = 20;

/// Rows of one order or return. Larger groups are misread files.
pub const MAX_GROUP_ROWS: usize = 1_000;

/// Bytes of one order's or return's rows, and about how much a page of them holds.
pub const MAX_GROUP: usize = 4 << 20;

/// How much is sorted in memory at once.
pub const SORT_MEMORY: usize = 16 << 20;
