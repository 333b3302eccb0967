//! Applies the migrations, sets the login roles' passwords and records who is staff.

pub mod context;
pub mod custom_resource;
pub mod error;
pub mod handler;
pub mod login_roles;
pub mod master;
pub mod staff;
