//! stub
pub async fn run(_paths: &crate::paths::Paths) -> anyhow::Result<()> {
    Ok(())
}
