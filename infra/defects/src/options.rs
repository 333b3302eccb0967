//! The flags of `cargo xtask defects`.

use clap::Args;

/// Which defects.
#[derive(Debug, Args)]
pub struct DefectsOptions {
    /// Plant only this defect; may be given several times
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// List the defects and plant none
    #[arg(long)]
    pub list: bool,
}
