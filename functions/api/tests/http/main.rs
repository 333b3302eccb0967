//! The API as its clients see it: events of API Gateway, the real router over a real PostgreSQL as `robnu_api`, and KMS and
//! SQS of the local cloud.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod access;
mod accounts;
mod audit;
mod authorizing;
mod bounds;
mod cases;
mod claim_terms;
mod claims;
mod closing;
mod connecting;
mod consented;
mod dispatch;
mod document;
mod documents;
mod exports;
mod guessing;
mod hostile;
mod idempotency;
mod imports;
mod invitations;
mod leaks;
mod lists;
mod logs;
mod mails;
mod problems;
mod queries;
mod reads;
mod returns;
mod roles;
mod rotating;
mod round_trips;
mod scans;
mod seller_keys;
mod selling;
mod sign_up;
mod staff;
mod start;
mod support;
mod syncing;
mod team;
mod tenancy;
mod usage;
mod user_pool;
mod versions;
