//! JVM arguments: what each Java needs to run Cassandra at all, and what makes a small node start quickly.

use crate::java::Java;
use crate::node::Node;
use crate::release::Release;

/// Packages of `java.base` that Cassandra and its libraries reach into on Java 11 and 17.
const OPEN_BASE_PACKAGES: [&str; 16] = [
    "java.io",
    "java.lang",
    "java.lang.module",
    "java.lang.ref",
    "java.lang.reflect",
    "java.nio",
    "java.util",
    "jdk.internal.loader",
    "jdk.internal.math",
    "jdk.internal.misc",
    "jdk.internal.module",
    "jdk.internal.ref",
    "jdk.internal.reflect",
    "jdk.internal.util",
    "jdk.internal.util.jar",
    "sun.nio.ch",
];

/// The same in other modules.
const OPEN_OTHER_PACKAGES: [&str; 7] = [
    "java.management.rmi/com.sun.jmx.remote.internal.rmi",
    "java.rmi/sun.rmi.registry",
    "java.rmi/sun.rmi.server",
    "java.sql/java.sql",
    "jdk.attach/sun.tools.attach",
    "jdk.management/com.sun.management.internal",
    "jdk.unsupported/sun.misc",
];

/// Arguments of the server.
pub fn server_arguments(release: Release, node: &Node, heap_mb: u32) -> Vec<String> {
    let mut arguments = java_arguments(release.java());
    arguments.extend([
        format!("-Xmx{heap_mb}m"),
        format!("-Xms{}m", heap_mb.min(256)),
        // A lab node lives for minutes: a short start is worth more than fast code later.
        "-XX:+UseSerialGC".to_owned(),
        "-XX:TieredStopAtLevel=1".to_owned(),
        "-XX:+ExitOnOutOfMemoryError".to_owned(),
        format!("-XX:MaxDirectMemorySize={heap_mb}m"),
        "-Dcassandra-foreground=yes".to_owned(),
        format!("-Dcassandra.jmx.local.port={}", node.jmx_port),
        // A node that joins gossip gives up after this long; on a busy machine its peers need seconds to connect to it.
        "-Dcassandra.ring_delay_ms=10000".to_owned(),
        "-Dcassandra.skip_wait_for_gossip_to_settle=0".to_owned(),
        "-Dcassandra.consistent.rangemovement=false".to_owned(),
        "-Dcassandra.shutdown_announce_in_ms=200".to_owned(),
        "-Dcassandra.superuser_setup_delay_ms=0".to_owned(),
        format!(
            "-Dlogback.configurationFile=file://{}",
            node.dir.join("conf/logback.xml").display()
        ),
    ]);
    arguments.extend(node_arguments(node));
    arguments
}

/// Arguments of nodetool and the SSTable tools.
pub fn tool_arguments(release: Release, node: &Node) -> Vec<String> {
    let mut arguments = java_arguments(release.java());
    arguments.extend([
        "-Xmx256m".to_owned(),
        "-XX:+UseSerialGC".to_owned(),
        "-XX:TieredStopAtLevel=1".to_owned(),
        // The nodetool of older releases writes `rmi://[127.0.0.1]`, which newer builds of their Java refuse.
        "-Dcom.sun.jndi.rmiURLParsing=legacy".to_owned(),
        // nodetool keeps a history in the home folder.
        format!("-Duser.home={}", node.dir.join("run").display()),
        format!(
            "-Dlogback.configurationFile=file://{}",
            node.dir.join("conf/logback-tools.xml").display()
        ),
    ]);
    arguments.extend(node_arguments(node));
    arguments
}

fn node_arguments(node: &Node) -> Vec<String> {
    let temporary = node.dir.join("tmp").display().to_string();
    vec![
        format!("-Dcassandra.config=file://{}", node.config.display()),
        format!(
            "-Dcassandra-rackdc.properties=file://{}",
            node.dir.join("conf/cassandra-rackdc.properties").display()
        ),
        format!("-Dcassandra.storagedir={}", node.dir.display()),
        "-Djava.net.preferIPv4Stack=true".to_owned(),
        // Native libraries are unpacked there and go with the node's folder.
        format!("-Djava.io.tmpdir={temporary}"),
        format!("-Djna.tmpdir={temporary}"),
    ]
}

fn java_arguments(java: Java) -> Vec<String> {
    // Without shared performance data: it would be left in the temporary folder by a kill.
    let mut arguments = vec!["-XX:-UsePerfData".to_owned()];
    if java == Java::J8 {
        return arguments;
    }
    let base = OPEN_BASE_PACKAGES
        .iter()
        .map(|package| format!("java.base/{package}"));
    for package in base.chain(
        OPEN_OTHER_PACKAGES
            .iter()
            .map(|package| (*package).to_owned()),
    ) {
        arguments.push(format!("--add-exports={package}=ALL-UNNAMED"));
        arguments.push(format!("--add-opens={package}=ALL-UNNAMED"));
    }
    arguments.push("-Djdk.attach.allowAttachSelf=true".to_owned());
    arguments.push("-Dio.netty.tryReflectionSetAccessible=true".to_owned());
    if java == Java::J17 {
        arguments.push("-Djava.security.manager=allow".to_owned());
    }
    arguments
}
