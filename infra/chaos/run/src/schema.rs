//! The run's database, with the migrations of a folder: a defect that is planted in a migration needs no build.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use robnu_schema::Migration;
use robnu_testkit::TestDatabase;

/// Makes the database and applies the migrations, as its deploy does.
pub async fn database(folder: &Path) -> anyhow::Result<TestDatabase> {
    let migrations = read(folder)?;
    let database = TestDatabase::empty().await;
    let mut master = database.raw("robnu_master").await;
    let applied = robnu_schema::apply(&mut master, migrations).await.context("apply the migrations")?;
    if applied.now.len() != robnu_schema::MIGRATIONS.len() {
        return Err(anyhow!("{} has other migrations than this program was built with", folder.display()));
    }
    Ok(database)
}

fn read(folder: &Path) -> anyhow::Result<&'static [Migration]> {
    let entries = fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<_>>()?;
    files.retain(|file| file.extension() == Some(OsStr::new("sql")));
    files.sort();
    let migrations = files.iter().map(|file| {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let sql = fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
        // Migrations live as long as the program, as those do that are built into it.
        Ok(Migration { name: name.leak(), sql: sql.leak() })
    });
    Ok(migrations.collect::<anyhow::Result<Vec<_>>>()?.leak())
}
