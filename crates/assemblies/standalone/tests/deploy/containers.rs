//! The image has every program.

use crate::programs::PROGRAMS;
use crate::read;

#[test]
fn the_image_has_every_program_and_names_every_port() {
    let file = read("deploy/containers/Containerfile");
    let one_line = file.replace("\\\n", " ");
    let build = one_line
        .lines()
        .find(|line| line.contains("cargo build"))
        .expect("a build");
    let exposed = one_line
        .lines()
        .find_map(|line| line.strip_prefix("EXPOSE "))
        .expect("ports");
    let exposed: Vec<&str> = exposed.split_whitespace().collect();
    assert!(build.contains("--bin ringkeep "), "{build}");
    for program in PROGRAMS {
        let name = format!("ringkeep-{}", program.name);
        assert!(build.split_whitespace().any(|word| word == name), "{name}");
        for port in [program.port, program.metrics] {
            assert!(exposed.contains(&port.to_string().as_str()), "{port}");
        }
    }
}

#[test]
fn it_is_built_with_the_release_of_rust_that_the_workspace_asks_for() {
    let workspace: toml::Table = read("Cargo.toml").parse().expect("TOML");
    let version = workspace["workspace"]["package"]["rust-version"].as_str();
    let from = format!(
        "FROM docker.io/library/rust:{}-",
        version.expect("a version")
    );
    assert!(
        read("deploy/containers/Containerfile").contains(&from),
        "{from}"
    );
}

#[test]
fn what_is_built_here_is_not_sent_to_the_build() {
    // Docker and podman both read a file of this name.
    let ignored = read(".dockerignore");
    for folder in ["/target", "/.git"] {
        assert!(ignored.lines().any(|line| line == folder), "{folder}");
    }
}

#[test]
fn it_does_not_run_as_root() {
    let file = read("deploy/containers/Containerfile");
    let user = file.lines().rfind(|line| line.starts_with("USER "));
    assert_eq!(user, Some("USER 999:999"));
}
