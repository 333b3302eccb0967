//! Applies the migrations and sets the login roles' passwords.

pub mod custom_resource;
pub mod handler;
pub mod login_roles;
pub mod master;
