//! stub
use crate::api::Person;
pub const PEOPLE: [Person; 2] = [
    Person { email: "meera@demo.robnu.example", password: "Local-demo-1" },
    Person { email: "arjun@demo.robnu.example", password: "Local-demo-2" },
];
pub async fn run(paths: &crate::paths::Paths, options: &crate::cli::DemoOptions) -> anyhow::Result<()> {
    crate::stack::up(paths, &options.up).await.map(drop)
}
