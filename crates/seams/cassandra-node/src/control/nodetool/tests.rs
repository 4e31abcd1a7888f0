use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::error::{ErrorKind, NodeError};

/// A nodetool that is a shell script.
fn scripted(script: &str) -> (tempfile::TempDir, Nodetool) {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("nodetool");
    fs::write(&path, format!("{script}\n")).unwrap();
    // Read by the shell, not run itself: a process that another test starts meanwhile may still have it open for writing, and
    // then it cannot be run.
    let program = vec![
        "/bin/sh".to_owned(),
        path.display().to_string(),
        "-pw".to_owned(),
        "hush".to_owned(),
    ];
    (root, Nodetool::new(program, Duration::from_secs(5)))
}

#[tokio::test]
async fn a_failure_repeats_the_last_lines_and_never_the_password() {
    let (_root, nodetool) =
        scripted("echo 'error: Unknown keyspace x' >&2; echo '-- StackTrace --' >&2; exit 2");
    let error = nodetool
        .snapshot("t", &SnapshotScope::Keyspaces(vec!["x".into()]))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "`nodetool snapshot -t t -- x` failed with exit status: 2: error: Unknown keyspace x"
    );
}

#[tokio::test]
async fn a_tag_that_exists_or_is_being_taken_is_distinguished_from_other_failures() {
    for words in [
        "error: Snapshot t already exists.",
        "error: Tried to create duplicate hard link to /data/ks/t-1/snapshots/t/nb-1-big-Data.db",
    ] {
        let (_root, nodetool) = scripted(&format!("echo '{words}' >&2; exit 2"));
        let scope = SnapshotScope::Keyspaces(vec!["x".into()]);
        let error = nodetool.snapshot("t", &scope).await.unwrap_err();
        assert!(
            matches!(&error, ControlError::SnapshotExists { tag, .. } if tag == "t"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_node_that_is_down_is_distinguished_from_one_that_refuses() {
    let (_root, nodetool) = scripted(
        "echo \"nodetool: Failed to connect to '127.0.0.1:7199' - ConnectException: 'Connection refused'.\" >&2; exit 1",
    );
    assert!(matches!(
        nodetool.drain().await,
        Err(ControlError::Unreachable { .. })
    ));
}

#[tokio::test]
async fn wrong_credentials_are_no_sign_of_a_node_that_is_down() {
    let (_root, nodetool) = scripted(
        "echo \"nodetool: Failed to connect to '127.0.0.1:7199' - SecurityException: 'Authentication failed! Invalid username or password'.\" >&2; exit 1",
    );
    let error = nodetool.drain().await.unwrap_err();
    assert!(matches!(error, ControlError::Unusable { .. }), "{error}");
    let hint = crate::NodeError::hint(&error).unwrap();
    assert!(hint.contains("jmx_username and jmx_password"), "{hint}");
}

#[tokio::test]
async fn a_login_that_cassandra_itself_refuses_may_pass_and_is_no_sign_of_a_node_that_is_down() {
    for words in [
        "SecurityException: 'Authentication error'",
        "FailedLoginException: 'Provided username u and/or password are incorrect'",
        "LoginException: 'Unable to perform authentication: Cannot achieve consistency level QUORUM'",
    ] {
        let (_root, nodetool) = scripted(&format!(
            "echo \"nodetool: Failed to connect to '127.0.0.1:7199' - {words}.\" >&2; exit 1"
        ));
        let error = nodetool.drain().await.unwrap_err();
        assert!(matches!(error, ControlError::Login { .. }), "{error}");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        let hint = error.hint().unwrap();
        assert!(hint.contains("jmx_username and jmx_password"), "{hint}");
    }
}

#[tokio::test]
async fn a_command_that_the_release_lacks_is_unsupported() {
    let (_root, nodetool) = scripted(
        "echo 'nodetool: Found unexpected parameters: [import, k, t, /s]'; echo \"See 'nodetool help'.\"; exit 1",
    );
    let table = TableRef::new("k", "t");
    let error = nodetool.import(&table, &[], true).await.unwrap_err();
    assert_eq!(error.reason(), "CONTROL_UNSUPPORTED");
    assert!(error.hint().unwrap().contains("nodetool"), "{error}");
    let off = nodetool.not_compacted(std::slice::from_ref(&table)).await;
    assert_eq!(off.unwrap(), [], "which is not reported then");
}

#[tokio::test]
async fn a_nodetool_that_is_missing_is_hinted_at_and_its_arguments_stay_secret() {
    let program = ["/nowhere/nodetool", "-pw", "hush"].map(String::from);
    let nodetool = Nodetool::new(program.into(), Duration::from_secs(5));
    let error = nodetool.drain().await.unwrap_err();
    assert_eq!(error.reason(), "CONTROL_UNUSABLE");
    let text = error.to_string();
    assert!(text.contains("`/nowhere/nodetool`"), "{text}");
    assert!(!text.contains("hush"), "{text}");
    assert!(error.hint().unwrap().contains("`nodetool` in [cassandra]"));
}

#[tokio::test]
async fn a_command_that_hangs_is_given_up() {
    let (_root, mut nodetool) = scripted("exec sleep 60");
    nodetool.timeout = Duration::from_millis(50);
    assert!(matches!(
        nodetool.drain().await,
        Err(ControlError::Timeout { .. })
    ));
}

#[tokio::test]
async fn results_are_read_out_of_the_text_around_them() {
    let (_root, nodetool) = scripted(
        "case \"$3\" in netstats) echo 'Mode: NORMAL';; tablestats) printf 'Keyspace : k\\n\\t\\tTable: t\\n\\t\\tSSTable count: 12\\n';;
         statusautocompaction) printf 'Keyspace Table Status\\nk t not running   \\nk u running\\n';; *) exit 1;; esac",
    );
    let (t, u) = (TableRef::new("k", "t"), TableRef::new("k", "u"));
    assert_eq!(nodetool.mode().await.unwrap(), "NORMAL");
    let counts = nodetool.sstable_counts(std::slice::from_ref(&t)).await;
    assert_eq!(counts.unwrap(), [(t.clone(), 12)].into());
    assert_eq!(nodetool.not_compacted(&[t.clone(), u]).await.unwrap(), [t]);
}

#[tokio::test]
async fn tables_go_together_by_keyspace() {
    let (root, nodetool) = scripted("shift 2; echo \"$@\" >> \"$(dirname \"$0\")/calls\"");
    let tables = [("a", "t"), ("b", "u"), ("a", "v")].map(|(k, t)| TableRef::new(k, t));
    nodetool.set_autocompaction(&tables, false).await.unwrap();
    nodetool.set_autocompaction(&[], true).await.unwrap();
    let calls = fs::read_to_string(root.path().join("calls")).unwrap();
    assert_eq!(
        calls,
        "disableautocompaction -- a t v\ndisableautocompaction -- b u\n"
    );
}

#[tokio::test]
async fn tokens_are_checked_unless_that_would_refuse_what_cannot_be_cut() {
    let (root, nodetool) = scripted("shift 2; echo \"$@\" >> \"$(dirname \"$0\")/calls\"");
    let (table, folders) = (TableRef::new("k", "t"), [PathBuf::from("/staging/k/t")]);
    nodetool.import(&table, &folders, true).await.unwrap();
    nodetool.import(&table, &folders, false).await.unwrap();
    let calls = fs::read_to_string(root.path().join("calls")).unwrap();
    assert_eq!(
        calls,
        "import -- k t /staging/k/t\nimport --no-tokens -- k t /staging/k/t\n"
    );
}

/// What Cassandra 3.11 to 5.0 print, cut to what matters.
const STATS: &str = "Total number of tables: 4
----------------
Keyspace : a
\tRead Count: 0
\tPending Flushes: 0
\t\tTable (index): t.by_name
\t\tSSTable count: 7
\t\tTable: t
\t\tSSTable count: 2
\t\tOld SSTable count: 9
\t\tSSTables in each level: [1, 1, 0]

\t\tTable (index): v.by_name
\t\tSSTable count: 8
\t\tTable: v
\t\tSSTable count: 0

----------------
Keyspace: b
\tRead Count: 0
\t\tTable: t
\t\tSSTable count: 5
\t\tTable (index): t.by_age
\t\tSSTable count: 6

----------------
";

/// As 3.11, 4.0, 4.1 and 5.0 print it.
const COMPACTIONSTATS: &str = "\
pending tasks: 3
- shop.orders: 3

id                                   compaction type  keyspace table  completed  total       unit  progress
8a0e4f10-0000-11ef-8000-000000000001 Upgrade sstables shop     orders 1048576    20971520000 bytes 0.01%
8a0e4f10-0000-11ef-8000-000000000002 View build       shop     items  12         40          keys  30.00%
8a0e4f10-0000-11ef-8000-000000000003 Compaction       shop     empty  0          0           bytes n/a
Active compaction remaining time :   0h00m12s";

#[tokio::test]
async fn what_cassandra_is_at_is_read_with_how_far_it_is() {
    let (_root, nodetool) = scripted(&format!("echo '{COMPACTIONSTATS}'"));
    let found = nodetool.operations().await.unwrap();
    let found: Vec<String> = found
        .iter()
        .map(|it| {
            format!(
                "{} {} {}/{} {}",
                it.kind, it.table, it.done, it.total, it.unit
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            "Upgrade sstables shop.orders 1048576/20971520000 bytes",
            "View build shop.items 12/40 keys",
            "Compaction shop.empty 0/0 bytes",
        ]
    );
    let (_root, idle) = scripted("echo 'pending tasks: 0'");
    assert_eq!(idle.operations().await.unwrap(), []);
}

#[tokio::test]
async fn sstables_of_many_tables_are_counted_by_keyspace_and_without_indexes() {
    let (root, nodetool) = scripted(
        "shift 2; echo \"$@\" >> \"$(dirname \"$0\")/calls\"; cat \"$(dirname \"$0\")/stats\"",
    );
    fs::write(root.path().join("stats"), STATS).unwrap();
    let tables = [("a", "t"), ("b", "t"), ("a", "v")].map(|(k, t)| TableRef::new(k, t));
    let counts = nodetool.sstable_counts(&tables).await.unwrap();
    let counts: Vec<_> = counts.iter().map(|(t, n)| (t.to_string(), *n)).collect();
    let expected = [("a.t", 2), ("a.v", 0), ("b.t", 5)].map(|(t, n)| (t.to_owned(), n));
    assert_eq!(counts, expected);
    let calls = fs::read_to_string(root.path().join("calls")).unwrap();
    assert_eq!(calls, "tablestats -- a.t a.v\ntablestats -- b.t\n");
    let unknown = nodetool.sstable_counts(&[TableRef::new("b", "u")]).await;
    let error = unknown.unwrap_err().to_string();
    assert!(error.contains("`SSTable count` of `b.u`"), "{error}");
}

#[tokio::test]
async fn the_login_of_jmx_is_in_a_file_for_this_user_alone_and_never_in_arguments_or_errors() {
    let (root, nodetool) = scripted(
        "echo \"$@\" > \"${0%/*}/arguments\"; cat \"$6\" > \"${0%/*}/file\"; echo \"bad: $*\"; cat \"$6\"; exit 1",
    );
    let password = secret::Secret::new("sesame");
    let login = JmxLogin::write("me", &password, &root.path().join("state")).unwrap();
    let nodetool = nodetool.with_login(Some(login));
    let error = nodetool.drain().await.unwrap_err().to_string();
    assert!(error.contains("bad:"), "{error}");
    assert!(
        !error.contains("hush") && !error.contains("sesame"),
        "{error}"
    );

    let file = root.path().join("state/jmx-password");
    let arguments = fs::read_to_string(root.path().join("arguments")).unwrap();
    let expected = format!("-pw hush -u me -pwf {} drain\n", file.display());
    assert_eq!(arguments, expected);
    let read = fs::read_to_string(root.path().join("file")).unwrap();
    assert_eq!(read, "me sesame\n");
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    JmxLogin::remove(&root.path().join("state")).unwrap();
    JmxLogin::remove(&root.path().join("state")).unwrap();
    assert!(!file.exists());
}

#[tokio::test]
async fn gossip_is_read_as_each_release_shows_it() {
    let (_root, nodetool) = scripted(
        "echo '/10.0.0.1'; echo '  generation:1'; echo '  RACK:4:r/1'; echo 'n2.example/10.0.0.2:7000'; \
         echo '/2001:db8:0:0:0:0:0:1'; echo '/[2001:db8:0:0:0:0:0:2]:7000'",
    );
    let found = nodetool.gossip_addresses().await.unwrap();
    let expected = ["10.0.0.1", "10.0.0.2", "2001:db8::1", "2001:db8::2"];
    assert_eq!(found, expected.map(|text| text.parse().unwrap()).into());
}
