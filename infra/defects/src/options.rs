//! The flags of `cargo xtask defects`.

use clap::Args;

/// Which defects.
#[derive(Debug, Args)]
pub struct DefectsOptions {
    /// Only this one; may be given several times
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// Print what there is and plant nothing
    #[arg(long)]
    pub list: bool,
}
