//! What must be installed or switched on before a schema can be made.

use expect_test::expect;
use model::{SchemaKind, Severity};
use plan::plan_restore;

use crate::world::*;

#[test]
fn classes_that_no_release_brings() {
    let mut source = Side::new("cassandra 4.1.9", "10.0.0.", 0x10);
    let turbo = "compaction = {'class': 'com.example.TurboCompaction'}";
    source
        .keyspace("shop")
        .table_with("shop.orders", 1, "id int PRIMARY KEY, c text", turbo)
        .entry(
            SchemaKind::Index,
            "shop.fuzzy",
            "orders",
            &["CREATE CUSTOM INDEX fuzzy ON shop.orders (c) USING 'com.example.FuzzyIndex'"],
        );
    check_particular(
        &request(&source, &empty("cassandra 4.1.9")),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: REFUSED

            refusals (2)
              CUSTOM_COMPACTION_MISSING shop.orders (before)
                  shop.orders is compacted by com.example.TurboCompaction, which cassandra 4.1.9 does not bring and no table of the target uses
                  hint: --rewrite-schema: SizeTieredCompactionStrategy compacts it instead; or install the class on every node, make a table with it, and plan again
              CUSTOM_INDEX_MISSING shop.fuzzy (before)
                  shop.fuzzy needs the index class com.example.FuzzyIndex, and nothing on the target uses that class, so that it may not be there
                  hint: --rewrite-schema: the index is left out; or install com.example.FuzzyIndex on every node, make something with it, and plan again

            advice (3)
              SCHEMA_REWRITE_OFFERED shop.fuzzy, shop.orders (before)
                  shop.fuzzy, shop.orders could be made in another way, which the plan lists
                  hint: plan again with --rewrite-schema
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop.orders LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE        WHAT WOULD HAPPEN TO IT             ID
            shop.orders  is not there: created, then loaded  00000000-0000-0000-0000-000000000001

            MADE IN ANOTHER WAY  HOW                                                                                                                   DONE
            shop.orders          compaction = {'class': 'com.example.TurboCompaction'} becomes compaction = {'class': 'SizeTieredCompactionStrategy'}  with --rewrite-schema
            shop.fuzzy           the index is left out: CREATE CUSTOM INDEX fuzzy ON shop.orders (c) USING 'com.example.FuzzyIndex'                    with --rewrite-schema

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   1.0 GiB      1.1 GiB         2       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   1.0 GiB      1.1 GiB         2       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   1.0 GiB      1.1 GiB         2       0  00000000-0000-0000-0000-000000000013
        "#]],
    );
}

#[test]
fn views_functions_and_sasi_that_are_switched_off() {
    let (mut source, _) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source
        .view("shop.by_c", 3, "orders")
        .entry(
            SchemaKind::Index,
            "shop.like_c",
            "orders",
            &["CREATE CUSTOM INDEX like_c ON shop.orders (c) USING 'org.apache.cassandra.index.sasi.SASIIndex'"],
        )
        .entry(
            SchemaKind::Function,
            "shop.twice(int)",
            "",
            &["CREATE FUNCTION shop.twice(a int) RETURNS NULL ON NULL INPUT RETURNS int LANGUAGE java AS $$ return a * 2; $$"],
        );
    let mut request = request(&source, &empty("cassandra 4.1.9"));
    for node in &mut request.nodes {
        node.features.materialized_views = Some(false);
        node.features.user_defined_functions = Some(false);
        node.features.sasi_indexes = Some(false);
    }
    check_particular(
        &request,
        expect![[r#"
            restore of prod/nightly-1 into staging, online: REFUSED

            refusals (3)
              SETTING_DISABLED materialized_views_enabled (before)
                  the restore makes shop.by_c, and materialized views are switched off on 10.1.0.1, 10.1.0.2, 10.1.0.3
                  hint: set `materialized_views_enabled: true` in cassandra.yaml of 10.1.0.1, 10.1.0.2, 10.1.0.3, and restart one node after the other
              SETTING_DISABLED user_defined_functions_enabled (before)
                  the restore makes shop.twice(int), and user-defined functions are switched off on 10.1.0.1, 10.1.0.2, 10.1.0.3
                  hint: set `user_defined_functions_enabled: true` in cassandra.yaml of 10.1.0.1, 10.1.0.2, 10.1.0.3, and restart one node after the other
              SETTING_DISABLED sasi_indexes_enabled (before)
                  the restore makes shop.like_c, and SASI indexes are switched off on 10.1.0.1, 10.1.0.2, 10.1.0.3
                  hint: set `sasi_indexes_enabled: true` in cassandra.yaml of 10.1.0.1, 10.1.0.2, 10.1.0.3, and restart one node after the other

            warnings (1)
              MATERIALIZED_VIEW_REBUILD shop.by_c (during)
                  the view shop.by_c is made and built from shop.orders once that is loaded
                  hint: the restore has a step for it; its progress: nodetool viewbuildstatus

            advice (3)
              SCHEMA_REWRITE_OFFERED shop.by_c, shop.like_c (before)
                  shop.by_c, shop.like_c could be made in another way, which the plan lists
                  hint: plan again with --rewrite-schema
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop."Metrics_2" LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE           WHAT WOULD HAPPEN TO IT              ID
            shop.Metrics_2  is not there: created, then loaded   00000000-0000-0000-0000-000000000002
            shop.orders     is not there: created, then loaded   00000000-0000-0000-0000-000000000001
            shop.by_c       a view: rebuilt from its base table  -

            MADE IN ANOTHER WAY  HOW                    DONE
            shop.like_c          the index is left out  with --rewrite-schema
            shop.by_c            the view is left out   with --rewrite-schema

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   2.0 GiB      3.3 GiB         4       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   2.0 GiB      3.3 GiB         4       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   2.0 GiB      3.3 GiB         4       0  00000000-0000-0000-0000-000000000013
        "#]],
    );
}

#[test]
fn what_5_0_has_onto_4_1() {
    let mut source = Side::new("cassandra 5.0.5", "10.0.0.", 0x10);
    source
        .keyspace("shop")
        .table(
            "shop.orders",
            1,
            "id int PRIMARY KEY, c text MASKED WITH DEFAULT, v vector<float, 3>",
        )
        .entry(
            SchemaKind::Index,
            "shop.sai_c",
            "orders",
            &["CREATE CUSTOM INDEX sai_c ON shop.orders (c) USING 'StorageAttachedIndex'"],
        );
    check_particular(
        &request(&source, &empty("cassandra 4.1.9")),
        expect![[r#"
            restore of prod/nightly-1 into staging, online: REFUSED

            refusals (4)
              VERSION_DOWNGRADE cassandra 5.0.5 to cassandra 4.1.9 (before)
                  cassandra 4.1.9 is older than cassandra 5.0.5, and SSTables cannot be made older
                  hint: restore into the release line of cassandra 5.0.5 or a later one
              FEATURE_UNSUPPORTED shop.orders (before)
                  shop.orders needs a vector column in v, which cassandra 4.1.9 does not have
                  hint: restore into a release that has it, or leave its table out
              FEATURE_UNSUPPORTED shop.orders (before)
                  shop.orders needs a masked column in c, which cassandra 4.1.9 does not have
                  hint: --rewrite-schema: columns are no longer masked
              FEATURE_UNSUPPORTED shop.sai_c (before)
                  shop.sai_c needs a storage-attached index, which cassandra 4.1.9 does not have
                  hint: --rewrite-schema: the index is left out

            advice (3)
              SCHEMA_REWRITE_OFFERED shop.orders, shop.sai_c (before)
                  shop.orders, shop.sai_c could be made in another way, which the plan lists
                  hint: plan again with --rewrite-schema
              DATA_TO_VERIFY staging (after)
                  the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
                  hint: read rows that you know, as by `SELECT * FROM shop.orders LIMIT 10`, and run the application's own checks before users come back
              CONNECTIONS_STAY staging (after)
                  programs that use prod keep using it
                  hint: give those that are to use staging its contact points, datacenter names and credentials

            TABLE        WHAT WOULD HAPPEN TO IT             ID
            shop.orders  is not there: created, then loaded  00000000-0000-0000-0000-000000000001

            MADE IN ANOTHER WAY  HOW                                                                                               DONE
            shop.orders          columns are no longer masked                                                                      with --rewrite-schema
            shop.sai_c           the index is left out: CREATE CUSTOM INDEX sai_c ON shop.orders (c) USING 'StorageAttachedIndex'  with --rewrite-schema

            NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
            10.1.0.1   1.0 GiB      1.1 GiB         2       0  00000000-0000-0000-0000-000000000011
            10.1.0.2   1.0 GiB      1.1 GiB         2       0  00000000-0000-0000-0000-000000000012
            10.1.0.3   1.0 GiB      1.1 GiB         2       0  00000000-0000-0000-0000-000000000013
        "#]],
    );
}

/// Severity, message and hint of the findings on the setting of masks, by what each node reports of it.
fn of_masks(values: [Option<&str>; 3]) -> Vec<(Severity, String)> {
    let mut source = Side::new("cassandra 5.0.5", "10.0.0.", 0x10);
    let columns = "id int PRIMARY KEY, c text MASKED WITH DEFAULT";
    source.keyspace("shop").table("shop.orders", 1, columns);
    let mut request = request(&source, &empty("cassandra 5.0.5"));
    for (node, value) in request.nodes.iter_mut().zip(values) {
        let value = value.map(|value| ("dynamic_data_masking_enabled".into(), value.into()));
        node.setup.settings.extend(value);
    }
    let findings = plan_restore(&request).findings.into_iter();
    let about = findings
        .filter(|it| ["SETTING_DISABLED", "SCHEMA_REWRITE_OFFERED"].contains(&it.code.as_str()));
    about.map(|it| (it.severity, it.message)).collect()
}

#[test]
fn a_setting_that_every_node_reports_as_on_is_not_asked_for() {
    assert_eq!(of_masks([Some("true"); 3]), []);
    let off = of_masks([Some("true"), Some("false"), None]);
    assert_eq!(off[0].0, Severity::Refusal, "{off:?}");
    let message = "shop.orders needs a masked column, which is switched off on 10.1.0.2";
    assert_eq!(off[0].1, message);
    let unknown = of_masks([Some("true"), Some("true"), None]);
    assert_eq!(unknown[0].0, Severity::Advice, "{unknown:?}");
    assert!(
        unknown[0].1.contains("10.1.0.3 does not report"),
        "{unknown:?}"
    );
}

/// One that is in use on the target is there.
#[test]
fn an_index_class_that_the_target_uses_is_not_missing() {
    let fuzzy = "CREATE CUSTOM INDEX fuzzy ON shop.orders (c) USING 'com.example.FuzzyIndex'";
    let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source.entry(SchemaKind::Index, "shop.fuzzy", "orders", &[fuzzy]);
    assert!(
        codes(&request(&source, &target))
            .contains(&"Refusal CUSTOM_INDEX_MISSING shop.fuzzy".to_owned())
    );
    let other =
        "CREATE CUSTOM INDEX other ON shop.\"Metrics_2\" (c) USING 'com.example.FuzzyIndex'";
    target.entry(SchemaKind::Index, "shop.other", "Metrics_2", &[other]);
    let codes = codes(&request(&source, &target));
    assert!(
        !codes
            .iter()
            .any(|code| code.contains("CUSTOM_INDEX_MISSING")),
        "{codes:?}"
    );
}

#[test]
fn every_other_class_that_the_target_may_lack_is_named() {
    let mut source = Side::new("cassandra 4.1.9", "10.0.0.", 0x10);
    let squeezed = "compression = {'class': 'com.example.Squeeze'}";
    source
        .keyspace("shop")
        .table_with("shop.squeezed", 1, "id int PRIMARY KEY, c text", squeezed)
        .table("shop.typed", 2, "id int PRIMARY KEY, c 'com.example.Roman'")
        .table("shop.watched", 3, "id int PRIMARY KEY, c text")
        .also("CREATE TRIGGER audit ON shop.watched USING 'com.example.Audit'");
    check_particular(
        &request(&source, &empty("cassandra 4.1.9")),
        expect![[r#"
        restore of prod/nightly-1 into staging, online: REFUSED

        refusals (3)
          FEATURE_UNSUPPORTED shop.squeezed (before)
              shop.squeezed needs the compressor com.example.Squeeze, and nothing on the target uses that class, so that it may not be there
              hint: install com.example.Squeeze on every node, make something with it, and plan again
          FEATURE_UNSUPPORTED shop.typed (before)
              shop.typed needs the type class com.example.Roman, and nothing on the target uses that class, so that it may not be there
              hint: install com.example.Roman on every node, make something with it, and plan again
          FEATURE_UNSUPPORTED shop.watched (before)
              shop.watched needs the trigger com.example.Audit, and nothing on the target uses that class, so that it may not be there
              hint: --rewrite-schema: the trigger is left out; or install com.example.Audit on every node, make something with it, and plan again

        advice (3)
          SCHEMA_REWRITE_OFFERED shop.watched (before)
              shop.watched could be made in another way, which the plan lists
              hint: plan again with --rewrite-schema
          DATA_TO_VERIFY staging (after)
              the restore checks that the files are those of the backup and that Cassandra has opened them, not that the rows are those that are needed
              hint: read rows that you know, as by `SELECT * FROM shop.squeezed LIMIT 10`, and run the application's own checks before users come back
          CONNECTIONS_STAY staging (after)
              programs that use prod keep using it
              hint: give those that are to use staging its contact points, datacenter names and credentials

        TABLE          WHAT WOULD HAPPEN TO IT             ID
        shop.squeezed  is not there: created, then loaded  00000000-0000-0000-0000-000000000001
        shop.typed     is not there: created, then loaded  00000000-0000-0000-0000-000000000002
        shop.watched   is not there: created, then loaded  00000000-0000-0000-0000-000000000003

        MADE IN ANOTHER WAY  HOW                      DONE
        shop.watched         the trigger is left out  with --rewrite-schema

        NODE      DOWNLOAD  DISK NEEDED  SSTABLES  SLICED  FROM
        10.1.0.1   3.0 GiB      3.3 GiB         6       0  00000000-0000-0000-0000-000000000011
        10.1.0.2   3.0 GiB      3.3 GiB         6       0  00000000-0000-0000-0000-000000000012
        10.1.0.3   3.0 GiB      3.3 GiB         6       0  00000000-0000-0000-0000-000000000013
    "#]],
    );
}

/// A trigger on a table that stays as it is shows that the class is there.
#[test]
fn a_trigger_class_that_the_target_uses_is_not_missing() {
    let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    source
        .table("shop.watched", 3, "id int PRIMARY KEY, c text")
        .also("CREATE TRIGGER audit ON shop.watched USING 'com.example.Audit'");
    let refused = ["Refusal FEATURE_UNSUPPORTED shop.watched"];
    assert_eq!(codes(&request(&source, &target)), refused);
    target
        .table("shop.other", 9, "id int PRIMARY KEY, c text")
        .also("CREATE TRIGGER audit ON shop.other USING 'com.example.Audit'");
    let codes = codes(&request(&source, &target));
    assert!(
        !codes
            .iter()
            .any(|code| code.contains("FEATURE_UNSUPPORTED")),
        "{codes:?}"
    );
}

/// Into the ring of the backup it need not be known which node holds what, but the class has to be there.
#[test]
fn a_replication_class_that_no_release_brings() {
    let (mut source, mut target) = shop("cassandra 4.1.9", "cassandra 4.1.9");
    let replication = "{'class': 'com.example.MoonPhaseStrategy', 'phase': '2'}";
    source.replicate("shop", replication);
    target.entries.clear();
    target.tables.clear();
    let refused = ["Refusal FEATURE_UNSUPPORTED shop"];
    assert_eq!(codes(&request(&source, &target)), refused);
}
