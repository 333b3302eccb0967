//! The migrations, embedded at build time. A test compares this list with the folder.

/// One file of `migrations/`.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// File name without its ending, such as `0001_roles`. Migrations are ordered by it.
    pub name: &'static str,
    /// The statements.
    pub sql: &'static str,
}

macro_rules! migrations {
    ($($name:literal),+ $(,)?) => {
        /// Every migration, in the order in which they are applied.
        pub const MIGRATIONS: &[Migration] =
            &[$(Migration { name: $name, sql: include_str!(concat!("../../../migrations/", $name, ".sql")) }),+];
    };
}

migrations![
    "0001_roles",
    "0002_scopes",
    "0003_tenancy",
    "0004_audit",
    "0005_team",
    "0006_staff",
    "0007_requests",
    "0008_accounts",
    "0009_runs",
    "0010_orders",
    "0011_returns",
    "0012_payouts",
    "0013_listings",
    "0014_enter",
    "0015_credential_checks",
    "0016_authorizations",
    "0017_sweeps",
    "0018_lanes",
    "0019_scans",
    "0020_claims",
    "0021_objects",
    "0022_imports",
    "0023_exports",
    "0024_closing",
    "0025_raw_pages",
    "0026_new_data_keys",
    "0027_dead_letters",
    "0028_operators",
    "0029_access_tokens",
    "0030_usage",
];

#[cfg(test)]
mod tests {
    use super::MIGRATIONS;

    #[test]
    fn every_file_in_the_folder_is_listed_in_order() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".sql").map(str::to_owned))
            .collect();
        files.sort();
        let listed: Vec<&str> = MIGRATIONS.iter().map(|migration| migration.name).collect();
        assert_eq!(files, listed);
    }
}
