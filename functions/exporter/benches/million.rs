//! How long an export of 1,000,000 orders takes, then an archive with 256 MiB of documents, and how much memory: from the first message
//! to the finished row, with PostgreSQL and the local S3 on the same machine.
//!
//! `TEST_DATABASE_URL=… TEST_AWS_ENDPOINT=… cargo bench --package exporter --bench million` first fills a database for some minutes;
//! after `--`, `--rows N` fills less.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops where something is amiss"
)]

#[path = "../tests/kit/mod.rs"]
mod kit;

use std::time::Instant;

use exporter::Outcome;
use kit::{TestBed, noise};
use robnu_dispatch::ExportMessage;
use serde_json::json;

const ROWS: u32 = 1_000_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let rows =
        arguments.windows(2).find(|pair| pair[0] == "--rows").map_or(ROWS, |pair| pair[1].parse().unwrap());
    let bed = TestBed::new().await;
    for of in [rows / 10, rows] {
        let missing = of - bed.orders_of_ours().await.min(of);
        bed.orders(missing, 12).await;
        bed.sql("vacuum analyze").await;
        measure(&bed, bed.ask_for_orders().await).await;
    }
    bed.sql("delete from robnu.orders where external_order_id like 'N%'").await;
    for seed in 0..64 {
        bed.document(&bed.sellers.ours, "PROOF_VIDEO", "video/mp4", &noise(seed, 4 << 20)).await;
    }
    measure(&bed, bed.ask(&bed.sellers.ours, "OWNER", "everything", &json!({})).await).await;
}

async fn measure(bed: &TestBed, message: ExportMessage) {
    reset_peak();
    let (begun, before) = (Instant::now(), memory("VmRSS"));
    let mut slices = 0;
    while bed.work(message).await == Outcome::Continues {
        slices += 1;
    }
    println!(
        "{} rows, {} bytes: {:.1} s in {} slices; memory {before} kB before, {} kB at most",
        bed.column(message, "row_count").await,
        bed.column(message, "byte_count").await,
        begun.elapsed().as_secs_f64(),
        slices + 1,
        memory("VmHWM"),
    );
}

/// Makes the process's peak its present size.
fn reset_peak() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}

/// A size of this process in kB.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
