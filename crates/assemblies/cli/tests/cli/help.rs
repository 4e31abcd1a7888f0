//! Help teaches, completions complete.

use expect_test::expect;

use crate::run::ringkeep;

async fn stdout(args: &[&str]) -> String {
    let ran = ringkeep("", args).await;
    assert_eq!(ran.exit, 0, "{}", ran.err);
    assert_eq!(ran.err, "");
    // clap fills its empty lines with blanks.
    ran.out
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

#[tokio::test]
async fn the_first_help_shows_the_first_steps() {
    expect![[r#"
        Backs up and restores Apache Cassandra, DSE and HCD clusters to object storage

        Usage: ringkeep [OPTIONS] <COMMAND>

        Commands:
          standalone   Runs the four services in one process, on embedded stores
          status       Shows services, store, agents and last backups
          cluster      Registers the clusters to work on
          backup       Makes, shows, verifies and deletes backups
          restore      Plans and runs restores
          task         Follows the work that runs in the background
          leftovers    Shows and clears what tasks have left on the nodes
          schedule     Makes backups by themselves, at set times
          retention    Sets which backups are kept, and deletes the others
          gc           Finds and deletes what is of no use in the bucket
          maintenance  Runs cleanup, upgradesstables, repair and the like on the nodes of a cluster
          apply        Runs the maintenance that documents ask for: CassandraTask and K8ssandraTask of
                       control.k8ssandra.io/v1alpha1
          get          Shows a document that was applied, with its status as Kubernetes would have it
          sstable      Inspects and verifies SSTable files in place; needs neither Cassandra nor a service
          state        Moves the state of task-runners (tasks, clusters, schedules) between redb and etcd
          compat       Shows whether a backup of one release restores into another; needs no service
          completions  Prints a script that completes ringkeep's commands in a shell
          help         Print this message or the help of the given subcommand(s)

        Options:
          -h, --help
                  Print help (see a summary with '-h')

          -V, --version
                  Print version

        Connection:
              --endpoint <ADDRESS>
                  The one address behind which all services are found

                  [env: RINGKEEP_ENDPOINT]
                  [default: http://127.0.0.1:7400]

              --tls-ca <FILE>
                  PEM file with the certificate authorities to trust; the system's without it

                  [env: RINGKEEP_TLS_CA]

              --tls-cert <FILE>
                  PEM file with this client's certificate, for mutual TLS

                  [env: RINGKEEP_TLS_CERT]

              --tls-key <FILE>
                  PEM file with the key of --tls-cert

                  [env: RINGKEEP_TLS_KEY]

              --tls-server-name <NAME>
                  The name expected in the server's certificate, if it is not the endpoint's host

        Output:
          -o, --output <FORMAT>
                  Text for people, or JSON or YAML with a stable shape for programs; either goes to stdout

                  Possible values:
                  - text: Aligned tables and sentences, for people
                  - json: One JSON document whose shape is stable
                  - yaml: The same as YAML

                  [default: text]

          -q, --quiet
                  No talk and no progress on stderr; errors and results are still shown

              --no-color
                  No colours; as with the environment variable NO_COLOR

        First steps:
          ringkeep standalone --config ringkeep.toml &       all services in one process
          ringkeep cluster add prod --agent 10.0.0.5:7401    name its agents
          ringkeep backup create prod --wait                 back everything up
          ringkeep restore plan BACKUP --into prod           what a restore would do; touches nothing

        Exit codes:
          0 done    1 failed    2 usage    3 refused by the planner    4 found damaged or incomplete
          5 not found    6 cannot reach a service
    "#]].assert_eq(&stdout(&["--help"]).await);
}

#[tokio::test]
async fn the_help_of_a_command_has_examples() {
    expect![[r#"
        Backs a cluster up: plans, and if no finding refuses it, starts a task that runs by itself

        Usage: ringkeep backup create [OPTIONS] <CLUSTER>

        Arguments:
          <CLUSTER>  The cluster, as it was registered

        Options:
              --name <N>  The backup's name; made from the cluster's name and the time if absent
              --wait      Waits until the backup is complete. Ctrl-C stops the waiting (exit code 1), not
                          the backup
          -h, --help      Print help (see more with '--help')

        What:
              --kind <KIND>              Full is self-contained; differential holds only what the last full
                                         backup does not [default: full] [possible values: full,
                                         differential]
              --base <BACKUP>            For a differential: the full backup to build on; the newest if
                                         absent
              --keyspace <K>             Only this keyspace; may be given several times. Without it and
                                         --table: every user keyspace
              --table <K.T>              Only this table, or materialized view; may be given several times,
                                         together with --keyspace or not
              --keep-damaged             Takes damaged SSTables as they are, and marks the backup; without
                                         it the first one ends the backup
              --reupload                 Has the nodes upload everything. Without it a full backup copies
                                         files that are unchanged since an earlier backup inside the store,
                                         where the store can do that, so that their bytes do not leave the
                                         nodes again
              --completeness <REPLICAS>  What of the replicas the backup may go without, because nodes are
                                         down or gone [default: all] [possible values: all, quorum, one,
                                         any]

        When:
              --queue                Waits for its turn if another task has the cluster; without it the
                                     command is refused then (CLUSTER_BUSY). `ringkeep task show` shows what
                                     it waits for
              --priority <PRIORITY>  How soon it gets its turn if several tasks wait: highest, high, normal,
                                     low or lowest. An hour of waiting counts as much as one of them. By
                                     default high for restores, normal for backups, low for maintenance

        Connection:
              --endpoint <ADDRESS>      The one address behind which all services are found [env:
                                        RINGKEEP_ENDPOINT] [default: http://127.0.0.1:7400]
              --tls-ca <FILE>           PEM file with the certificate authorities to trust; the system's
                                        without it [env: RINGKEEP_TLS_CA]
              --tls-cert <FILE>         PEM file with this client's certificate, for mutual TLS [env:
                                        RINGKEEP_TLS_CERT]
              --tls-key <FILE>          PEM file with the key of --tls-cert [env: RINGKEEP_TLS_KEY]
              --tls-server-name <NAME>  The name expected in the server's certificate, if it is not the
                                        endpoint's host

        Output:
          -o, --output <FORMAT>  Text for people, or JSON or YAML with a stable shape for programs; either
                                 goes to stdout [default: text] [possible values: text, json, yaml]
          -q, --quiet            No talk and no progress on stderr; errors and results are still shown
              --no-color         No colours; as with the environment variable NO_COLOR

        Examples:
          ringkeep backup create prod --wait
          ringkeep backup create prod --name before-upgrade --keyspace shop
          ringkeep backup create prod --completeness quorum --wait
          ringkeep backup create prod --queue --priority low
          ringkeep backup create prod --kind differential --table shop.orders --table shop.customers
    "#]].assert_eq(&stdout(&["backup", "create", "-h"]).await);
    expect![[r#"
        Restores a backup: shows the plan, asks, and starts a task that runs by itself.

        Tables that are not there are created; the data of those that are there is replaced. The question
        before the start says of how many. Nothing is replaced before every byte is on the nodes' disks and
        checked.

        Usage: ringkeep restore start [OPTIONS] --into <CLUSTER> <BACKUP>

        Arguments:
          <BACKUP>
                  NAME, or CLUSTER/NAME if several clusters have a backup of that name

        Options:
              --into <CLUSTER>
                  The registered cluster to restore into: the backup's own, or another

              --wait
                  Waits until the restore has ended. Ctrl-C stops the waiting (exit code 1), not the restore

              --yes
                  Agrees to the plan in advance; needed if there is no terminal to ask at

          -h, --help
                  Print help (see a summary with '-h')

        What:
              --keyspace <K>
                  Only this keyspace; may be given several times. Without it and --table: every user
                  keyspace

              --table <K.T>
                  Only this table, or materialized view; may be given several times, together with
                  --keyspace or not

              --rename <OLD=NEW>
                  Restores under another name, beside what is live: a keyspace as KEYSPACE=NEW, or a table
                  as KEYSPACE.TABLE=NEW_KEYSPACE.NEW_TABLE; may be given several times. Nothing else is
                  restored then, and --keyspace and --table may pick a part of it by its names in the backup

        How:
              --mode <MODE>
                  How the data is loaded

                  Possible values:
                  - auto:     The planner picks: online
                  - online:   Cassandra keeps running, and loads the SSTables
                  - in-place: Cassandra is stopped, its files are swapped, and it is started

                  [default: auto]

              --allow-unlisted-version
                  Lifts VERSION_PAIR_UNSUPPORTED; never a downgrade, never a format that the target cannot
                  read

              --datacenter <BACKUP=TARGET>
                  Which datacenter of the target takes the data of which datacenter of the backup; without
                  it those of the same name. One may feed several, by commas, and several one; datacenters
                  of the backup that are not named are left out

              --completeness <REPLICAS>
                  Which replicas the backup may lack

                  Possible values:
                  - all:    None: every replica that the ring had is there
                  - quorum: Less than half of each range's: what was written at QUORUM is there
                  - one:    All but one of each range's
                  - any:    Whatever is missing

                  [default: all]

              --rewrite-schema
                  Makes the changes to the backup's schema that the plan offers, so that the target takes it

              --skip-trial
                  Replaces live data without a trial load. Otherwise each node first loads a few SSTables
                  into a scratch keyspace (ringkeep_trial_1 and so on, dropped at once), so that what the
                  target would refuse is refused before anything is emptied

              --plan <NUMBER>
                  Starts the plan that `restore plan` showed under this number. Give the same options as
                  there; refuses if they are others, or if the plan would come out differently now

        How it is shown:
              --cql
                  Shows every statement of the plan before it asks; with --yes, prints them on stderr when
                  the restore has started

        When:
              --queue
                  Waits for its turn if another task has the cluster; without it the command is refused then
                  (CLUSTER_BUSY). `ringkeep task show` shows what it waits for

              --priority <PRIORITY>
                  How soon it gets its turn if several tasks wait: highest, high, normal, low or lowest. An
                  hour of waiting counts as much as one of them. By default high for restores, normal for
                  backups, low for maintenance

        Connection:
              --endpoint <ADDRESS>
                  The one address behind which all services are found

                  [env: RINGKEEP_ENDPOINT]
                  [default: http://127.0.0.1:7400]

              --tls-ca <FILE>
                  PEM file with the certificate authorities to trust; the system's without it

                  [env: RINGKEEP_TLS_CA]

              --tls-cert <FILE>
                  PEM file with this client's certificate, for mutual TLS

                  [env: RINGKEEP_TLS_CERT]

              --tls-key <FILE>
                  PEM file with the key of --tls-cert

                  [env: RINGKEEP_TLS_KEY]

              --tls-server-name <NAME>
                  The name expected in the server's certificate, if it is not the endpoint's host

        Output:
          -o, --output <FORMAT>
                  Text for people, or JSON or YAML with a stable shape for programs; either goes to stdout

                  Possible values:
                  - text: Aligned tables and sentences, for people
                  - json: One JSON document whose shape is stable
                  - yaml: The same as YAML

                  [default: text]

          -q, --quiet
                  No talk and no progress on stderr; errors and results are still shown

              --no-color
                  No colours; as with the environment variable NO_COLOR

        Examples:
          ringkeep restore start nightly --into prod --wait
          ringkeep restore start prod/nightly --into staging --table shop.orders --yes --wait
          ringkeep restore start nightly --into prod --plan 12 --yes --wait
          ringkeep restore start nightly --into prod --rename shop.orders=shop_copy.orders --wait
          ringkeep restore start nightly --into prod --rename shop=shop_copy --wait
    "#]].assert_eq(&stdout(&["restore", "start", "--help"]).await);
}

#[tokio::test]
async fn every_command_has_help() {
    for command in [
        "standalone",
        "status",
        "cluster add",
        "cluster list",
        "cluster show",
        "cluster remove",
        "backup create",
        "backup list",
        "backup show",
        "backup verify",
        "backup delete",
        "restore plan",
        "restore start",
        "restore accept",
        "restore rollback",
        "leftovers list",
        "leftovers clear",
        "task list",
        "task show",
        "task watch",
        "task cancel",
        "task fail",
        "task pause",
        "task resume",
        "task set-limits",
        "maintenance run",
        "maintenance list",
        "maintenance show",
        "apply",
        "get",
        "compat",
        "sstable inspect",
        "sstable verify",
        "completions",
    ] {
        let mut args: Vec<&str> = command.split(' ').collect();
        args.push("--help");
        let help = stdout(&args).await;
        assert!(
            help.contains(&format!("Usage: ringkeep {command}")),
            "{command}: {help}"
        );
        assert!(
            !help.starts_with("Usage"),
            "{command} says nothing about itself: {help}"
        );
    }
}

#[tokio::test]
async fn without_a_command_help_goes_to_stderr_and_counts_as_usage() {
    let ran = ringkeep("", &[]).await;
    assert_eq!((ran.exit, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("First steps"), "{}", ran.err);
}

#[tokio::test]
async fn the_version_is_told() {
    let version = stdout(&["--version"]).await;
    assert_eq!(version, format!("ringkeep {}\n", env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
async fn completions_are_made_for_each_shell() {
    for (shell, sign) in [
        ("bash", "complete -F _ringkeep"),
        ("zsh", "#compdef ringkeep"),
        ("fish", "complete -c ringkeep"),
    ] {
        let script = stdout(&["completions", shell]).await;
        assert!(script.contains(sign), "{shell}");
        assert!(script.contains("in-place"), "{shell} knows the modes");
    }
}
