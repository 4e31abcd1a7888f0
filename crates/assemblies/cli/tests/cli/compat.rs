//! `ringkeep compat`, which needs nobody.

use expect_test::expect;

use crate::run::ringkeep;

async fn compat(from: &str, to: &str, more: &[&str]) -> crate::run::Ran {
    let mut args = vec!["compat", "--from", from, "--to", to];
    args.extend(more);
    ringkeep("", &args).await
}

#[tokio::test]
async fn a_supported_pair_says_what_comes_with_it() {
    let ran = compat("cassandra 3.11.19", "cassandra 4.1.9", &["-o", "json"]).await;
    expect![[r#"
        exit 0
        --- stdout
        {
          "from": {
            "product": "cassandra",
            "version": "3.11.19"
          },
          "to": {
            "product": "cassandra",
            "version": "4.1.9"
          },
          "supported": true,
          "findings": [
            {
              "code": "UPGRADE_SSTABLES_REQUIRED",
              "severity": "advice",
              "when": "after",
              "subject": "cassandra 3.11.19 to cassandra 4.1.9",
              "message": "restored SSTables stay in the format of cassandra 3.11.19 until they are upgraded",
              "hint": "the restore has a step for it; later: `ringkeep maintenance run upgradesstables CLUSTER`; by hand: nodetool upgradesstables"
            }
          ]
        }
        --- stderr
    "#]].assert_eq(&ran.transcript(""));
    let ran = compat("cassandra 3.11.19", "cassandra 4.1.9", &[]).await;
    expect![[r#"
        exit 0
        --- stdout
        a backup of cassandra 3.11.19 into cassandra 4.1.9: supported

        advice (1)
          UPGRADE_SSTABLES_REQUIRED cassandra 3.11.19 to cassandra 4.1.9 (after)
              restored SSTables stay in the format of cassandra 3.11.19 until they are upgraded
              hint: the restore has a step for it; later: `ringkeep maintenance run upgradesstables CLUSTER`; by hand: nodetool upgradesstables
        --- stderr
    "#]]
    .assert_eq(&ran.transcript(""));
}

#[tokio::test]
async fn a_downgrade_is_refused_with_its_finding() {
    let ran = compat("cassandra 5.0.5", "cassandra 4.1.9", &["--output", "json"]).await;
    assert_eq!(ran.exit, 3);
    let compat = ran.json();
    assert_eq!(compat["supported"], false);
    assert_eq!(compat["findings"][0]["code"], "VERSION_DOWNGRADE");
    assert_eq!(compat["from"]["product"], "cassandra");
    assert_eq!(compat["to"]["version"], "4.1.9");
}

#[tokio::test]
async fn a_release_that_is_none_is_a_usage_error() {
    for (from, to) in [
        ("cassandra", "cassandra 4.1.9"),
        ("scylla 5.0", "cassandra 4.1.9"),
        ("cassandra 4.1.9", "cassandra four"),
    ] {
        let ran = compat(from, to, &[]).await;
        assert_eq!((ran.exit, ran.out.as_str()), (2, ""), "{from} {to}");
        assert!(ran.err.starts_with("error: "), "{}", ran.err);
    }
}
