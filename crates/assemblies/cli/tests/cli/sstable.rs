//! `ringkeep sstable …`, which needs nobody, on tables that a real Cassandra has written.

use std::fs;
use std::path::{Path, PathBuf};

use cassandra_formats::parse_file_name;
use expect_test::expect;

use crate::run::{Ran, ringkeep};

/// A table's folder as a node has it: `shop/orders-<id>`.
struct Table {
    root: tempfile::TempDir,
    folder: PathBuf,
}

impl Table {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root
            .path()
            .join("shop/orders-1b255f4def2540a60000000000000005");
        fs::create_dir_all(&folder).expect("a folder");
        Self { root, folder }
    }

    /// Copies the SSTables of a table, for example `big-nb/layouts/simple`.
    fn of(fixture: &str) -> Self {
        let table = Self::new();
        let fixtures = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../facts/cassandra-formats/tests/fixtures"
        );
        for entry in fs::read_dir(Path::new(fixtures).join(fixture)).expect("a fixture") {
            let from = entry.expect("an entry").path();
            let name = from.file_name().and_then(|name| name.to_str());
            let name = name.expect("a name");
            if parse_file_name(name).is_ok() {
                fs::copy(&from, table.folder.join(name)).expect("a copy");
            }
        }
        table
    }

    fn flip(&self, name: &str, at: usize) {
        let path = self.folder.join(name);
        let mut bytes = fs::read(&path).expect("a component");
        bytes[at] ^= 1;
        fs::write(path, bytes).expect("written");
    }

    async fn run(&self, command: &[&str]) -> Ran {
        let mut args = vec!["sstable"];
        args.extend(command);
        let folder = self.folder.to_str().expect("a path");
        args.push(folder);
        ringkeep("", &args).await
    }

    /// Without the name of the temporary folder.
    fn transcript(&self, ran: &Ran) -> String {
        let root = self.root.path().to_str().expect("a path");
        ran.transcript("").replace(root, "DATA")
    }
}

#[tokio::test]
async fn inspect_tells_what_an_sstable_is() {
    let table = Table::of("big-nb/compression/lz4");
    let ran = table.run(&["inspect", "-q"]).await;
    expect![[r#"
        exit 0
        --- stdout
        DATA/shop/orders-1b255f4def2540a60000000000000005/nb-1-big  big-nb
          table          shop.orders
          data           5.2 KiB, 9.2 KiB uncompressed, LZ4Compressor
          partitioner    Murmur3Partitioner
          tokens         -9157060164899361011 to 9010454139840013625
          keys           00000017 to 00000003
          timestamps     1704067200000000 to 1704067223000000
          rows           24
          level          0
          repaired       no
          written by     75335b98-0698-44ee-a8fa-9bb32647dca2
          digest         2893241406
          components     CompressionInfo.db Data.db Digest.crc32 Filter.db Index.db Statistics.db Summary.db TOC.txt
        --- stderr
    "#]].assert_eq(&table.transcript(&ran));
    let ran = table.run(&["inspect", "-q", "-o", "json"]).await;
    expect![[r#"
        exit 0
        --- stdout
        [
          {
            "path": "DATA/shop/orders-1b255f4def2540a60000000000000005/nb-1-big",
            "keyspace": "shop",
            "table": "orders",
            "format": "big",
            "version": "nb",
            "id": "1",
            "components": [
              "CompressionInfo.db",
              "Data.db",
              "Digest.crc32",
              "Filter.db",
              "Index.db",
              "Statistics.db",
              "Summary.db",
              "TOC.txt"
            ],
            "compressor": "LZ4Compressor",
            "partitioner": "Murmur3Partitioner",
            "first_token": "-9157060164899361011",
            "last_token": "9010454139840013625",
            "min_timestamp": 1704067200000000,
            "max_timestamp": 1704067223000000,
            "data_bytes": 5374,
            "uncompressed_bytes": 9386,
            "digest": 2893241406,
            "first_key": "00000017",
            "last_key": "00000003",
            "rows": 24,
            "level": 0,
            "repaired_at": 0,
            "originating_host_id": "75335b98-0698-44ee-a8fa-9bb32647dca2"
          }
        ]
        --- stderr
    "#]]
    .assert_eq(&table.transcript(&ran));
}

#[tokio::test]
async fn inspect_tells_of_a_trie_format_too() {
    let table = Table::of("bti-da/compression/none");
    let ran = table.run(&["inspect", "-q"]).await;
    expect![[r#"
        exit 0
        --- stdout
        DATA/shop/orders-1b255f4def2540a60000000000000005/da-1-bti  bti-da
          table          shop.orders
          data           69.4 KiB, not compressed
          partitioner    Murmur3Partitioner
          tokens         -9157060164899361011 to 9010454139840013625
          keys           00000017 to 00000003
          timestamps     1704067200000000 to 1704067223000000
          rows           24
          level          0
          repaired       no
          written by     f906e3c6-96b2-4037-908c-a2870343315f
          digest         3639941209
          components     CRC.db Data.db Digest.crc32 Filter.db Partitions.db Rows.db Statistics.db TOC.txt
        --- stderr
    "#]].assert_eq(&table.transcript(&ran));
}

#[tokio::test]
async fn sound_sstables_verify_with_0() {
    let table = Table::of("big-nb/layouts/simple");
    for depth in [&["verify", "-q"][..], &["verify", "-q", "--extended"]] {
        let ran = table.run(depth).await;
        assert_eq!((ran.exit, ran.err.as_str()), (0, ""), "{depth:?}");
    }
    let ran = table.run(&["verify", "-q"]).await;
    expect![[r#"
        exit 0
        --- stdout
        ok  DATA/shop/orders-1b255f4def2540a60000000000000005/nb-1-big
        ok  DATA/shop/orders-1b255f4def2540a60000000000000005/nb-2-big
        2 SSTables, 3.6 KiB of data, 0 damaged
        --- stderr
    "#]]
    .assert_eq(&table.transcript(&ran));
    let ran = table.run(&["verify", "-q", "-o", "json"]).await;
    let verified = ran.json();
    for sstable in verified.as_array().expect("an array") {
        assert_eq!(sstable["ok"], true, "{sstable}");
        assert_eq!(sstable["damage"], serde_json::json!([]), "{sstable}");
    }
}

#[tokio::test]
async fn damage_is_told_with_its_place_and_exits_with_4() {
    let table = Table::of("big-nb/compression/tiny_chunks");
    table.flip("nb-1-big-Data.db", 3000);
    let ran = table.run(&["verify", "-q"]).await;
    expect![[r#"
        exit 4
        --- stdout
        DAMAGED  DATA/shop/orders-1b255f4def2540a60000000000000005/nb-1-big
            Data.db at byte 2549: chunk 4 has CRC32 83cf96c9, expected 77e1316f
            Data.db: its CRC32 is 2053227424 where Digest.crc32 says 1573401317
        1 SSTable, 5.6 KiB of data, 1 damaged
        --- stderr
        error: 1 of 1 SSTables are damaged
        hint: take them away and run a full repair, so that other replicas bring the data; `nodetool scrub` instead drops what it cannot read, and on 5.0.5 sound partitions with range tombstones too
    "#]].assert_eq(&table.transcript(&ran));
    let ran = table.run(&["verify", "-q", "-o", "json"]).await;
    assert_eq!(ran.exit, 4);
    let verified = ran.json();
    assert_eq!(verified[0]["ok"], false);
    let damage = serde_json::to_string_pretty(&verified[0]["damage"]).expect("JSON");
    expect![[r#"
        [
          {
            "component": "Data.db",
            "offset": 2549,
            "what": "chunk 4 has CRC32 83cf96c9, expected 77e1316f"
          },
          {
            "component": "Data.db",
            "offset": null,
            "what": "its CRC32 is 2053227424 where Digest.crc32 says 1573401317"
          }
        ]"#]]
    .assert_eq(&damage);
}

#[tokio::test]
async fn damaged_statistics_cannot_be_inspected_and_exit_with_4() {
    let table = Table::of("big-nb/compression/lz4");
    table.flip("nb-1-big-Statistics.db", 900);
    let ran = table.run(&["inspect", "-q"]).await;
    expect![[r#"
        exit 4
        --- stdout
        DATA/shop/orders-1b255f4def2540a60000000000000005/nb-1-big  big-nb
          table          shop.orders
          data           5.2 KiB
          components     CompressionInfo.db Data.db Digest.crc32 Filter.db Index.db Statistics.db Summary.db TOC.txt
          error          Statistics.db at byte 4683: the checksum of STATS is 1939defe, its bytes give 1d7481af
        --- stderr
        error: 1 of 1 SSTables are damaged
        hint: take them away and run a full repair, so that other replicas bring the data; `nodetool scrub` instead drops what it cannot read, and on 5.0.5 sound partitions with range tombstones too
    "#]].assert_eq(&table.transcript(&ran));
}

#[tokio::test]
async fn where_there_is_no_sstable_the_exit_is_5() {
    let table = Table::new();
    fs::write(table.folder.join("manifest.json"), "{}").expect("written");
    for command in ["inspect", "verify"] {
        let ran = table.run(&[command]).await;
        assert_eq!((ran.exit, ran.out.as_str()), (5, ""), "{}", ran.err);
    }
    let ran = table.run(&["verify", "-q"]).await;
    expect![[r#"
        exit 5
        --- stdout
        --- stderr
        error: there are no SSTables in DATA/shop/orders-1b255f4def2540a60000000000000005
        hint: name a data folder, a table's folder, a snapshot or a component such as nb-1-big-Data.db
    "#]].assert_eq(&table.transcript(&ran));
}
