//! The programs: their names, their ports, and their settings as each of them reads its own.

use chassis::{ServerConfig, config};
use toml::Table;

/// A program that is shipped.
pub struct Program {
    pub name: &'static str,
    pub port: u16,
    pub metrics: u16,
}

pub const PROGRAMS: [Program; 4] = [
    Program {
        name: "node-agent",
        port: 7401,
        metrics: 9401,
    },
    Program {
        name: "storage-catalog",
        port: 7402,
        metrics: 9402,
    },
    Program {
        name: "planner",
        port: 7403,
        metrics: 9403,
    },
    Program {
        name: "task-runner",
        port: 7404,
        metrics: 9404,
    },
];

/// The program that a command starts with the settings at their usual place.
#[track_caller]
pub fn started_by(command: &[&str]) -> &'static Program {
    let found = PROGRAMS.iter().find(|program| {
        let settings = format!("/etc/ringkeep/{}.toml", program.name);
        command == [&format!("ringkeep-{}", program.name), "--config", &settings]
    });
    found.unwrap_or_else(|| panic!("{command:?} starts no program with its settings"))
}

/// Reads settings as the program itself does, and returns those of its server. Panics if it would refuse them.
#[track_caller]
pub fn check(program: &Program, path: &str) -> ServerConfig {
    let file = crate::root().join(path);
    match program.name {
        "storage-catalog" => loaded::<storage_catalog::Config>(&file).server,
        "planner" => loaded::<planner::Config>(&file).server,
        "task-runner" => {
            let config = loaded::<task_runner::Config>(&file);
            let checked = chassis::ProcessConfig::check(&config);
            checked.unwrap_or_else(|error| panic!("{path}: {error}"));
            config.server
        }
        "node-agent" => agent(path),
        other => panic!("{other} has no settings"),
    }
}

#[track_caller]
fn loaded<C: serde::Serialize + serde::de::DeserializeOwned>(file: &std::path::Path) -> C {
    let none: [(String, String); 0] = [];
    let loaded = config::load(Some(file), none);
    loaded.unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The agent's settings are put together in its `main.rs`: those that every process has, and its own.
#[track_caller]
fn agent(path: &str) -> ServerConfig {
    let mut own: Table = crate::read(path).parse().expect("TOML");
    let mut shared = Table::new();
    for section in ["server", "telemetry"] {
        if let Some(value) = own.remove(section) {
            shared.insert(section.to_owned(), value);
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, table: &Table| {
        let file = folder.path().join(name);
        std::fs::write(&file, table.to_string()).expect("written");
        file
    };
    let _: node_agent::Config = loaded(&write("own.toml", &own));
    // The planner has no settings but the shared ones.
    loaded::<planner::Config>(&write("shared.toml", &shared)).server
}
