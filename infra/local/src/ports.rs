//! Checks whether a port is free. If it is not, the failure names its holder and what to do.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use anyhow::Context;

use crate::failure::{Exit, Failure};

/// Fails when the port is taken. `flag` is the flag that chooses another port.
pub fn require_free(port: u16, user: &str, flag: &str) -> Result<(), Failure> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(error) => {
            let holder = match holder(port) {
                Some(holder) => format!("by {holder}"),
                None => {
                    format!("by another program; `ss -ltnp 'sport = :{port}'` or `lsof -i :{port}` names it")
                }
            };
            Err(Failure::new(
                Exit::PortTaken,
                format!("port {port} for {user} is taken {holder} ({error})"),
                format!("stop that program, or choose another port with {flag}"),
            ))
        }
    }
}

/// The port if it is free, otherwise another free one.
pub fn free_or_other(port: u16) -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    let address = listener.and_then(|listener| listener.local_addr()).context("find a free port")?;
    Ok(address.port())
}

/// The process that listens on a port. Only Linux tells, and only about our own processes.
fn holder(port: u16) -> Option<String> {
    let inode = listening_inode(port)?;
    let wanted = format!("socket:[{inode}]");
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let name = process.file_name();
        let Some(pid) = name.to_str().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())) else {
            continue;
        };
        let Ok(handles) = fs::read_dir(process.path().join("fd")) else { continue };
        let holds = |handle: fs::DirEntry| {
            fs::read_link(handle.path()).is_ok_and(|target| target.to_str() == Some(wanted.as_str()))
        };
        if handles.flatten().any(holds) {
            let command = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(format!("process {pid} ({})", command.trim()));
        }
    }
    None
}

fn listening_inode(port: u16) -> Option<String> {
    let suffix = format!(":{port:04X}");
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let listens = fields.get(3) == Some(&"0A") && fields.get(1)?.ends_with(&suffix);
        listens.then(|| fields.get(9).map(ToString::to_string))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_names_its_holder_and_the_flag() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let message = require_free(port, "PostgreSQL", "--postgres-port").unwrap_err().to_string();
        assert!(message.contains(&format!("port {port} for PostgreSQL is taken")), "{message}");
        assert!(message.contains("--postgres-port"), "{message}");
        #[cfg(target_os = "linux")]
        assert!(message.contains(&format!("process {}", std::process::id())), "{message}");
    }

    #[test]
    fn a_free_port_is_fine() {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        require_free(port, "PostgreSQL", "--postgres-port").unwrap();
    }
}
