//! All ways of abuse on the deployed stack, each compared with its budget. The time of filters is left out, because tests
//! measure no times.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

use std::process::Command;

#[test]
fn abuse_by_people_with_free_accounts_stays_within_its_budgets() {
    let stack =
        std::env::var("ROBNU_STACK").expect("ROBNU_STACK is not set: run the tests with `cargo xtask test`");
    let local = std::env::temp_dir().join(format!("robnu-abuse-{}", std::process::id()));
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["attack", "--part", "abuse", "--untimed", "--stack", &stack])
        .env("ROBNU_LOCAL", &local)
        .output()
        .unwrap();
    let _ = std::fs::remove_dir_all(&local);
    let (said, progress) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{progress}\n{said}");
    assert!(said.contains("what one person causes") && said.contains(" s, 0 findings"), "{said}");
}
