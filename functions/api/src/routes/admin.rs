//! `/v1/admin`: operations for the staff who operate the deployment. For everybody else these routes do not exist.

pub mod impersonations;
pub mod sellers;
