//! What users see when something is wrong: the message, what to do next and the exit code. Nothing may have been started or
//! installed before.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder for one test's local state. Dropping it removes it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("the folder can be made");
        Self(folder)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.0.join(name);
        fs::write(&file, text).expect("the file can be written");
        file
    }

    /// A program that prints a line.
    fn program(&self, name: &str, line: &str) {
        let file = self.write(name, &format!("#!/bin/sh\necho '{line}'\n"));
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("the file is ours");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn xtask(local: &Folder, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(arguments).env("ROBNU_LOCAL", &local.0);
    for name in ["ROBNU_POSTGRES_PORT", "ROBNU_AWS_PORT", "ROBNU_SIMULATORS_PORT"] {
        command.env_remove(name);
    }
    command
}

#[track_caller]
fn assert_fails(output: &Output, code: i32, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
    assert!(output.stdout.is_empty(), "standard output is for results");
}

#[track_caller]
fn assert_nothing_was_done(local: &Folder) {
    assert!(!local.0.join("python").exists(), "packages were installed");
    assert!(!local.0.join("postgres").exists(), "PostgreSQL was prepared");
    assert!(!local.0.join("settings.json").exists(), "settings were kept");
}

#[test]
fn a_machine_without_cargo_is_told_to_install_rust() {
    let local = Folder::new("no-cargo");
    let output = xtask(&local, &["up"]).env("PATH", &local.0).env_remove("CARGO").output().unwrap();
    assert_fails(&output, 2, &["cargo is not on the PATH", "next: install Rust"]);
    assert_nothing_was_done(&local);
}

#[test]
fn a_machine_without_a_linker_is_told_which_package_brings_one() {
    let local = Folder::new("no-linker");
    local.program("cargo", "cargo 1.95.0");
    let output = xtask(&local, &["up"]).env("PATH", &local.0).env_remove("CARGO").output().unwrap();
    assert_fails(&output, 2, &["cc is not on the PATH", "apt install build-essential"]);
}

#[test]
fn a_machine_without_python_is_told_to_install_it() {
    let local = Folder::new("no-python");
    local.program("cargo", "cargo 1.95.0");
    local.program("cc", "cc 12");
    for command in ["up", "demo", "test"] {
        let output = xtask(&local, &[command]).env("PATH", &local.0).env_remove("CARGO").output().unwrap();
        assert_fails(&output, 2, &["python3 is not on the PATH", "next: install Python 3.10 or newer"]);
    }
    assert_nothing_was_done(&local);
}

#[test]
fn an_old_python_is_named_with_its_version() {
    let local = Folder::new("old-python");
    local.program("cargo", "cargo 1.95.0");
    local.program("cc", "cc 12");
    local.program("python3", "3.9");
    let output = xtask(&local, &["up"]).env("PATH", &local.0).env_remove("CARGO").output().unwrap();
    assert_fails(&output, 2, &["python3 is version 3.9", "3.10"]);
}

#[test]
fn each_taken_port_names_its_user_and_the_flag_that_moves_it() {
    let local = Folder::new("taken-port");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let cases = [
        ("--postgres-port", "PostgreSQL"),
        ("--aws-port", "the local AWS"),
        ("--simulators-port", "the simulators"),
    ];
    for (flag, user) in cases {
        let mut arguments = vec!["up"];
        // The other ports are free, so that only this one can fail.
        let free: Vec<String> = (0..2).map(|_| free_port()).collect();
        let others = cases.iter().filter(|(other, _)| *other != flag);
        for ((other, _), port) in others.zip(&free) {
            arguments.extend([*other, port]);
        }
        arguments.extend([flag, &port]);
        let output = xtask(&local, &arguments).output().unwrap();
        assert_fails(
            &output,
            3,
            &[&format!("port {port} for {user} is taken"), &format!("another port with {flag}")],
        );
    }
    assert_nothing_was_done(&local);
}

fn free_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("a bound listener has an address").port().to_string()
}

const HEADER: &str = "order_id,purchase_date,status,fulfilment,ship_service_level,category,payment_method,size,courier_status,\
                      line_amount,quantity,currency,ship_city,ship_postal_code,b2b\n";

#[test]
fn a_bad_order_file_is_refused_with_line_and_column_before_anything_starts() {
    let local = Folder::new("bad-csv");
    let good =
        "1,2026-04-30,Shipped,Merchant,Standard,Shirt,Cash,S,Shipped,648.37,1,INR,MUMBAI,400081,false\n";
    let bad = good.replace("648.37", "six hundred");
    let file = local.write("orders.csv", &format!("{HEADER}{good}{bad}"));
    for command in ["demo", "up"] {
        let output = xtask(&local, &[command, "--orders", file.to_str().unwrap()]).output().unwrap();
        assert_fails(&output, 4, &["orders.csv", "line 3", "line_amount", "next: give --orders a CSV file"]);
    }
    assert_nothing_was_done(&local);
}

#[test]
fn a_missing_order_file_is_named() {
    let local = Folder::new("missing-csv");
    let output = xtask(&local, &["demo", "--orders", "/nowhere/orders.csv"]).output().unwrap();
    assert_fails(&output, 4, &["/nowhere/orders.csv"]);
    assert_nothing_was_done(&local);
}

#[test]
fn an_order_file_that_was_given_before_is_read_again() {
    let local = Folder::new("remembered-csv");
    local.write("settings.json", &settings(&free_port(), "\"/nowhere/remembered.csv\""));
    let output = xtask(&local, &["up"]).output().unwrap();
    assert_fails(&output, 4, &["/nowhere/remembered.csv", "or `simulators` for their own"]);
}

#[test]
fn wrong_flags_say_what_would_be_right() {
    let local = Folder::new("wrong-flags");
    let cases: [(&[&str], &str); 5] = [
        (&["up", "--postgres-port", "80"], "give a port from 1024 to 65535"),
        (&["demo", "--ajio-url", "ftp://127.0.0.1"], "give a URL such as http://127.0.0.1:8080"),
        (&["demo", "--amazon-url", "somewhere"], "give a URL such as http://127.0.0.1:8080"),
        (&["down", "--all"], "unexpected argument '--all'"),
        (&["upp"], "a similar subcommand exists: 'up'"),
    ];
    for (arguments, words) in cases {
        assert_fails(&xtask(&local, arguments).output().unwrap(), 2, &[words]);
    }
    assert_nothing_was_done(&local);
}

#[test]
fn commands_on_a_stack_that_was_never_started_say_how_to_start_it() {
    let local = Folder::new("never-started");
    let cases: [&[&str]; 4] = [&["status"], &["status", "--json"], &["db"], &["logs"]];
    for arguments in cases {
        assert_fails(&xtask(&local, arguments).output().unwrap(), 5, &["next: start", "cargo xtask up"]);
    }
}

/// The settings of a stack that was started before.
fn settings(postgres_port: &str, orders: &str) -> String {
    format!(
        r#"{{"postgres_port":{postgres_port},"aws_port":1024,"simulators_port":1025,"orders":{orders},"ajio_url":null,"amazon_url":null,
            "superuser_password":"a","master_password":"b"}}"#
    )
}

#[test]
fn a_database_that_is_down_is_named_with_its_port() {
    let local = Folder::new("database-down");
    let port = free_port();
    local.write("settings.json", &settings(&port, "null"));
    let cases: [&[&str]; 2] = [&["db"], &["status", "--json"]];
    for arguments in cases {
        let words = [&format!("PostgreSQL does not answer on 127.0.0.1:{port}"), "cargo xtask up"];
        assert_fails(&xtask(&local, arguments).output().unwrap(), 5, &words);
    }
}

#[test]
fn stopping_a_stack_that_does_not_run_succeeds() {
    let local = Folder::new("not-running");
    let output = xtask(&local, &["down"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn help_lists_the_commands_and_the_exit_codes() {
    let local = Folder::new("help");
    let output = xtask(&local, &["--help"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    for word in ["up", "down", "status", "logs", "db", "demo", "test", "Exit codes:"] {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
}
