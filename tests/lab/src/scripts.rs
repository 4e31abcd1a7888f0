//! Writes the shell scripts of a node: `nodetool`, `start`, `stop` and `sstable-tool`.
//!
//! They are what an agent on the host is given as its commands, so they know nothing of the lab:
//! each can be run by anybody, at any time, more than once.

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::jvm;
use crate::node::Node;
use crate::release::Release;

/// What the scripts of one node are made from.
pub struct Scripts<'a> {
    pub release: Release,
    pub node: &'a Node,
    pub java: PathBuf,
    pub jars: PathBuf,
    pub heap_mb: u32,
}

impl Scripts<'_> {
    pub fn write(&self) -> Result<()> {
        let bin = self.node.dir.join("bin");
        fs::create_dir_all(&bin)?;
        for (name, body) in [
            ("process", PROCESS.to_owned()),
            ("run", self.run()),
            ("start", self.start()),
            ("stop", STOP.to_owned()),
            ("tool", self.tool()),
            ("nodetool", self.nodetool()),
            ("sstable-tool", SSTABLE_TOOL.to_owned()),
        ] {
            let path = bin.join(name);
            let node = quoted(&self.node.dir);
            fs::write(&path, format!("#!/bin/sh\nnode={node}\n{body}"))
                .with_context(|| format!("could not write {}", path.display()))?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        }
        Ok(())
    }

    fn java_command(&self, arguments: &[String]) -> String {
        let arguments: Vec<String> = arguments
            .iter()
            .map(|argument| format!("    {} \\\n", quoted(argument)))
            .collect();
        let class_path = quoted(self.jars.join("*"));
        format!(
            "exec {} \\\n{}    -cp {class_path} \\\n",
            quoted(&self.java),
            arguments.concat()
        )
    }

    fn run(&self) -> String {
        let arguments = jvm::server_arguments(self.release, self.node, self.heap_mb);
        let command = self.java_command(&arguments);
        format!("{RUN}{command}    org.apache.cassandra.service.CassandraDaemon\n")
    }

    fn start(&self) -> String {
        let socket = listening_socket(self.node.address, self.node.native_port);
        START.replace("@SOCKET@", &socket)
    }

    fn tool(&self) -> String {
        let arguments = jvm::tool_arguments(self.release, self.node);
        let command = self.java_command(&arguments);
        format!("# Runs a main class of Cassandra with its arguments.\n{command}    \"$@\"\n")
    }

    fn nodetool(&self) -> String {
        let port = self.node.jmx_port;
        format!(
            "# The nodetool of this node.\nexec \"$node/bin/tool\" org.apache.cassandra.tools.NodeTool \
             -h 127.0.0.1 -p {port} \"$@\"\n"
        )
    }
}

/// Shared by the others: who is the recorded process, and does it still run?
const PROCESS: &str = r#"# State and start time of a process; the start time tells a recycled id apart.
state_and_start() { sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f1,20; }

# Sets $pid, and succeeds while the recorded process lives.
running() {
    pid='' recorded=''
    read -r pid recorded 2>/dev/null < "$node/run/pid" || return 1
    set -- $(state_and_start "$pid")
    [ "${2:-}" = "$recorded" ] && [ "$1" != Z ]
}
"#;

/// `exec` keeps the id, so the shell can record itself for the JVM that it becomes.
const RUN: &str = r#"# Becomes the server.
. "$node/bin/process"
set -- $(state_and_start $$)
echo "$$ $2" > "$node/run/pid.new" && mv "$node/run/pid.new" "$node/run/pid"

# Where the starter asked for it, the node ends with him, however he ends.
if read -r owner owner_start 2>/dev/null < "$node/run/owner"; then
    server=$$
    (
        while set -- $(state_and_start "$owner"); [ "${2:-}" = "$owner_start" ] && [ "$1" != Z ]; do
            sleep 2
            running && [ "$pid" = "$server" ] || exit 0
        done
        # No file any more: he has let go of the node before he ended.
        [ -e "$node/run/owner" ] && running && [ "$pid" = "$server" ] && kill -KILL "$server"
    ) > /dev/null 2>&1 &
fi
cd "$node/run" || exit 1
"#;

const START: &str = r#"# Starts the node unless it runs, and waits until it listens for CQL.
. "$node/bin/process"
listening() {
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -qiE '@SOCKET@ [0-9A-F]+:0000 0A '
}

exec 9> "$node/run/lock"
flock 9
if ! running; then
    setsid "$node/bin/run" < /dev/null >> "$node/logs/output.log" 2>&1 9>&- &
    child=$!
    # Its absence means nothing before it has recorded itself.
    tries=0
    until running && [ "$pid" = "$child" ] || [ "$tries" -ge 100 ]; do
        tries=$((tries + 1))
        sleep 0.05
    done
fi
flock -u 9
deadline=$(($(date +%s) + ${LAB_START_SECONDS:-240}))
until listening; do
    if ! running; then
        echo "node $node ended while it started; its last words:" >&2
        tail -n 25 "$node/logs/output.log" "$node/logs/system.log" >&2
        exit 1
    fi
    if [ "$(date +%s)" -gt "$deadline" ]; then
        echo "node $node does not listen for CQL yet; its last words:" >&2
        tail -n 25 "$node/logs/system.log" >&2
        exit 1
    fi
    sleep 0.2
done
"#;

const STOP: &str = r#"# Ends the node and waits until it is gone; does nothing where it does not run.
. "$node/bin/process"
running || exit 0
kill -TERM "$pid"
tries=0
while running; do
    tries=$((tries + 1))
    # After a minute it is stuck.
    [ "$tries" -lt 300 ] || kill -KILL "$pid"
    sleep 0.2
done
"#;

const SSTABLE_TOOL: &str = r#"# Runs a class of org.apache.cassandra.tools, such as SSTableMetadataViewer.
name=$1
shift
exec "$node/bin/tool" "org.apache.cassandra.tools.$name" "$@"
"#;

/// The socket as `/proc/net/tcp` and `tcp6` write it: the address bytes backwards, in hex.
fn listening_socket(address: IpAddr, port: u16) -> String {
    let octets = match address {
        IpAddr::V4(address) => address.octets(),
        IpAddr::V6(_) => [127, 0, 0, 1],
    };
    let backwards: String = octets
        .iter()
        .rev()
        .map(|octet| format!("{octet:02X}"))
        .collect();
    format!("{backwards}:{port:04X}")
}

fn quoted(text: impl AsRef<Path>) -> String {
    format!(
        "'{}'",
        text.as_ref().display().to_string().replace('\'', r"'\''")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_written_as_the_kernel_writes_it() {
        assert_eq!(
            listening_socket("127.64.1.2".parse().unwrap(), 9042),
            "0201407F:2352"
        );
    }

    #[test]
    fn a_quote_in_a_path_does_not_end_the_word() {
        assert_eq!(quoted("/a'b"), r"'/a'\''b'");
    }
}
