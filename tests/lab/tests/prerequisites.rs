//! What `make` says and does about programs that this machine lacks, with a fake `apt-get` in a `PATH` of its own.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};

/// Writes a program that runs these lines.
fn program(folder: &Path, name: &str, lines: &str) {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{lines}\n")).expect("a program");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
}

/// A `PATH` with a shell, an `apt-get` that makes `mvn` when asked for `maven`, and a user id.
fn machine(id: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["sh", "env", "chmod"] {
        let real = ["/bin", "/usr/bin"].map(|bin| Path::new(bin).join(name));
        let real = real.iter().find(|path| path.exists()).expect("a tool");
        symlink(real, folder.path().join(name)).expect("a link");
    }
    program(folder.path(), "id", &format!("echo {id}"));
    let made = folder.path().join("mvn");
    let log = folder.path().join("log");
    let (made, log) = (made.display(), log.display());
    program(
        folder.path(),
        "apt-get",
        &format!(
            "echo \"$*\" >> '{log}'\ncase \"$*\" in install*maven*) echo '#!/bin/sh' > '{made}'; chmod +x '{made}';; esac"
        ),
    );
    folder
}

fn ask(machine: &Path, yes: Option<&str>, wanted: &[&str]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("prerequisites.sh");
    let mut command = Command::new(script);
    command.args(wanted).env_clear().env("PATH", machine);
    if let Some(yes) = yes {
        command.env("YES", yes);
    }
    command
        .stdin(std::process::Stdio::null())
        .output()
        .expect("it runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn what_is_missing_is_named_with_what_to_do_and_nothing_is_installed_unasked() {
    let machine = machine("0");
    let output = ask(machine.path(), None, &["sh", "mvn", "cargo"]);
    assert!(!output.status.success());
    assert_eq!(
        said(&output),
        "mvn is missing: apt-get install maven (YES=1 does it for you)\n\
         cargo is missing: install Rust with rustup (https://rustup.rs)\n"
    );
    assert!(!machine.path().join("log").exists());
}

#[test]
fn with_leave_packages_are_installed_and_the_rest_is_named() {
    let machine = machine("0");
    let output = ask(machine.path(), Some("1"), &["mvn"]);
    assert!(output.status.success(), "{}", said(&output));
    let log = fs::read_to_string(machine.path().join("log")).expect("apt-get was run");
    assert!(log.contains("--no-install-recommends maven"), "{log}");
    let output = ask(machine.path(), Some("1"), &["mvn", "go"]);
    assert!(!output.status.success());
    assert_eq!(
        said(&output),
        "go is missing: install Go 1.24 or newer (https://go.dev/dl)\n"
    );
}

#[test]
fn without_root_or_sudo_nothing_is_installed() {
    let machine = machine("1000");
    let output = ask(machine.path(), Some("1"), &["mvn"]);
    assert!(!output.status.success());
    assert!(!machine.path().join("log").exists());
}
