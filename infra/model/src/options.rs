//! The flags of `cargo xtask model`.

use clap::Args;

use crate::defect::Defect;

/// What to search.
#[derive(Debug, Args)]
pub struct ModelOptions {
    /// Faults in every scenario, instead of each one's own number. Each further fault multiplies the states by ten or so
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=4))]
    pub faults: Option<u8>,
    /// Search only the scenario of this name
    #[arg(long, value_name = "NAME", conflicts_with = "defect")]
    pub scenario: Option<String>,
    /// Break this rule, and tell how that shows; the command then exits with 7. `all` breaks one after the other, and fails if one does
    /// not show
    #[arg(long, value_name = "NAME")]
    pub defect: Option<String>,
    /// List the scenarios and the defects, and search nothing
    #[arg(long)]
    pub list: bool,
}

impl ModelOptions {
    /// The defect of a name.
    #[must_use]
    pub fn defect_of(name: &str) -> Option<Defect> {
        clap::ValueEnum::from_str(name, false).ok()
    }
}
