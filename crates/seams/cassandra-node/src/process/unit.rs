//! Whether Cassandra would be started as a part of the agent's own systemd unit, which ends with the agent.

/// Programs that ask a manager to start Cassandra elsewhere.
const MANAGERS: &[&str] = &[
    "systemctl",
    "systemd-run",
    "service",
    "rc-service",
    "docker",
    "podman",
    "nerdctl",
    "kubectl",
    "machinectl",
    "ssh",
    "supervisorctl",
];
/// Programs that run another, which is their first argument that is no option.
const WRAPPERS: &[&str] = &["sudo", "doas", "env", "nice", "ionice"];
const THIS_PROCESS: &str = "/proc/self/cgroup";

/// The systemd unit that Cassandra would be a part of if this command starts it; none if there is no such unit, or if a
/// manager starts it.
pub fn starts_within_own_unit(start_command: &[String]) -> Option<String> {
    let cgroups = std::fs::read_to_string(THIS_PROCESS).ok()?;
    within(&cgroups, start_command)
}

fn within(cgroups: &str, start_command: &[String]) -> Option<String> {
    let unit = unit_of(cgroups)?;
    let program = program_of(start_command)?;
    (!MANAGERS.contains(&program)).then(|| unit.to_owned())
}

/// The unit in the lines of `/proc/PID/cgroup`: of version 2, or of systemd's own hierarchy of version 1.
fn unit_of(cgroups: &str) -> Option<&str> {
    let paths = cgroups.lines().filter_map(|line| {
        let older = || Some(line.split_once(":name=systemd:")?.1);
        line.strip_prefix("0::").or_else(older)
    });
    paths
        .flat_map(|path| path.rsplit('/'))
        .find(|part| part.ends_with(".service"))
}

fn program_of(command: &[String]) -> Option<&str> {
    let names = command
        .iter()
        .filter(|word| !word.starts_with('-') && !word.contains('='));
    names
        .map(|word| word.rsplit('/').next().unwrap_or(word))
        .find(|name| !WRAPPERS.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_starts_cassandra_itself_is_told_from_one_that_asks_a_manager() {
        let agent = "0::/system.slice/ringkeep-node-agent.service\n";
        let older = "12:cpu:/\n1:name=systemd:/system.slice/ringkeep-node-agent.service\n0::/\n";
        for (cgroups, command, is_within) in [
            (agent, &["cassandra", "-p", "/run/pid"][..], true),
            (
                agent,
                &["/usr/bin/sudo", "-n", "/opt/cassandra/bin/cassandra"],
                true,
            ),
            (agent, &["sh", "-c", "systemctl start cassandra"], true),
            (older, &["cassandra"], true),
            (agent, &["systemctl", "start", "cassandra"], false),
            (
                agent,
                &["sudo", "-n", "/bin/systemctl", "start", "cassandra"],
                false,
            ),
            (agent, &["systemd-run", "cassandra", "-f"], false),
            (agent, &[], false),
            ("0::/user.slice/session-3.scope\n", &["cassandra"], false),
            ("0::/\n", &["cassandra"], false),
        ] {
            let command: Vec<String> = command.iter().map(ToString::to_string).collect();
            let expected = is_within.then_some("ringkeep-node-agent.service");
            assert_eq!(
                within(cgroups, &command).as_deref(),
                expected,
                "{command:?}"
            );
        }
    }
}
