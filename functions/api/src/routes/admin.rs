//! `/v1/admin`: what those who operate the deployment do. To everybody else none of it exists.

pub mod impersonations;
pub mod sellers;
