//! Slices: together they are the whole, partition by partition, and each of them is a sound SSTable.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex};

use cassandra_formats::data::{Depth, Event, Schema, Walker};
use cassandra_formats::slice::{CreateComponents, Sliced, WriteSeek, slice, slice_reading};
use cassandra_formats::source::Components;
use cassandra_formats::statistics::Statistics;
use cassandra_formats::verify::{self, verify};
use cassandra_formats::{DataLayout, Descriptor, Uncompressed, Version};
use cassandra_tokens::{Partitioner, Token, TokenRange, TokenRanges};
use proptest::prelude::*;

use crate::folders::{self, Memory};

/// Components that are written into memory.
#[derive(Default)]
struct Written(BTreeMap<String, Arc<Mutex<Cursor<Vec<u8>>>>>);

struct Shared(Arc<Mutex<Cursor<Vec<u8>>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("one writer").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Shared {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.lock().expect("one writer").seek(to)
    }
}

impl CreateComponents for Written {
    fn create(&mut self, component: &str) -> io::Result<Box<dyn WriteSeek>> {
        let file = Arc::<Mutex<Cursor<Vec<u8>>>>::default();
        let before = self.0.insert(component.to_owned(), file.clone());
        assert!(before.is_none(), "{component} is written once");
        Ok(Box::new(Shared(file)))
    }
}

impl Written {
    fn into_memory(self) -> Memory {
        let bytes = |file: &Arc<Mutex<Cursor<Vec<u8>>>>| {
            file.lock().expect("no writer any more").get_ref().clone()
        };
        self.0
            .iter()
            .map(|(name, file)| (name.clone(), bytes(file)))
            .collect()
    }
}

/// An SSTable to slice.
#[derive(Debug, Clone)]
struct Source {
    name: String,
    descriptor: Descriptor,
    components: Memory,
    partitioner: Partitioner,
    partitions: Vec<(Token, Vec<u8>, Vec<u8>)>,
}

/// Token, key and bytes of each partition, in order.
fn partitions(components: &Memory, descriptor: &Descriptor) -> Vec<(Token, Vec<u8>, Vec<u8>)> {
    let version = Version::known(&descriptor.format).expect("a known version");
    let statistics = Statistics::parse(&components["Statistics.db"], version).expect("statistics");
    let partitioner = statistics.partitioner().expect("a partitioner");
    let open = || {
        let (layout, data) =
            DataLayout::of(components, version, Some(&statistics)).expect("a layout");
        Uncompressed::new(data, layout).expect("opens")
    };
    let schema = Arc::new(Schema::new(&statistics.header, version).expect("a schema"));
    let mut walker = Walker::new(schema, Depth::Clusterings, open(), 0);
    let (mut found, mut data) = (Vec::new(), open());
    let mut current = None;
    while let Some(event) = walker.next_event().expect("walks") {
        match event {
            Event::Partition(partition) => {
                current = Some((partition.position, partition.key.to_vec()));
            }
            Event::End(end) => {
                let (start, key) = current.take().expect("a partition began");
                data.seek(start..end.end).expect("inside");
                let mut bytes = vec![0; (end.end - start) as usize];
                data.read_exactly(&mut bytes).expect("is there");
                found.push((partitioner.token(&key), key, bytes));
            }
            _ => {}
        }
    }
    found
}

fn sources() -> Vec<Source> {
    let mut sstables = folders::own();
    sstables.extend(folders::datastax());
    sstables.extend(folders::shared("slices_of_shared_sstables"));
    let sliceable = sstables.iter().filter_map(|sstable| {
        let descriptor = sstable.descriptor().clone();
        let version = Version::known(&descriptor.format)?;
        let components = folders::load(sstable);
        let statistics = Statistics::parse(&components["Statistics.db"], version).expect("parses");
        let is_dse_slice = statistics
            .stats
            .dse
            .as_ref()
            .is_some_and(|dse| dse.zero_copy.is_some());
        let partitioner = statistics.partitioner()?;
        (!is_dse_slice && partitioner.order_is_known()).then(|| Source {
            name: sstable.path("").display().to_string(),
            partitions: partitions(&components, &descriptor),
            partitioner,
            descriptor,
            components,
        })
    });
    let sources: Vec<Source> = sliceable.collect();
    sources
}

fn cut(source: &Source, ranges: &TokenRanges) -> Option<Memory> {
    let mut written = Written::default();
    let result = slice(
        &source.components,
        &source.descriptor.format,
        ranges,
        &mut written,
    );
    let result = result.unwrap_or_else(|error| panic!("{}: {error}", source.name));
    let memory = written.into_memory();
    let Some(slice) = result else {
        assert!(memory.is_empty(), "nothing is written for no partitions");
        return None;
    };
    assert_eq!(memory.names().len(), slice.components.len());
    assert_eq!(memory["Data.db"].len() as u64, slice.data_bytes);
    Some(memory)
}

/// Slices by ranges between the given partitions, and checks each slice and all of them together.
fn check(source: &Source, cuts: &[usize]) {
    let count = source.partitions.len();
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % count.max(1)).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let tokens: Vec<Token> = cuts
        .iter()
        .map(|cut| source.partitions[*cut].0.clone())
        .collect();
    let mut ranges: Vec<TokenRange> = tokens
        .windows(2)
        .map(|pair| TokenRange::new(pair[0].clone(), pair[1].clone()))
        .collect();
    // The rest of the ring: one that wraps.
    if let (Some(first), Some(last)) = (tokens.first(), tokens.last()) {
        ranges.push(TokenRange::new(last.clone(), first.clone()));
    }
    let mut union = Vec::new();
    for range in ranges {
        let ranges = TokenRanges::new([range]);
        let expected: Vec<_> = source
            .partitions
            .iter()
            .filter(|(token, ..)| ranges.contains(token))
            .cloned()
            .collect();
        let Some(slice) = cut(source, &ranges) else {
            assert!(expected.is_empty(), "{}: {ranges:?}", source.name);
            continue;
        };
        let report = verify(
            &slice,
            &source.descriptor,
            verify::Depth::Extended,
            &mut |_| (),
        )
        .unwrap_or_else(|error| panic!("{}: {error}", source.name));
        assert_eq!(report.damage, [], "{} {ranges:?}", source.name);
        let first = report.facts.first_key.expect("a first key");
        assert_eq!(first, expected[0].1);
        let last = report.facts.last_key.expect("a last key");
        assert_eq!(last, expected[expected.len() - 1].1);
        let found = partitions(&slice, &source.descriptor);
        assert!(
            found == expected,
            "{} {ranges:?}: other partitions",
            source.name
        );
        union.extend(found);
    }
    union.sort();
    let mut whole = source.partitions.clone();
    whole.sort();
    assert!(
        union == whole,
        "{}: the slices are not the whole",
        source.name
    );
}

#[test]
fn the_slice_of_the_whole_ring_has_all_partitions() {
    for source in sources() {
        let whole = TokenRanges::whole_ring(&source.partitioner);
        let slice = cut(&source, &whole).expect("partitions");
        assert!(
            partitions(&slice, &source.descriptor) == source.partitions,
            "{}",
            source.name
        );
    }
}

#[test]
fn nothing_is_copied_if_every_partition_is_wanted() {
    for source in sources() {
        let mut tokens: Vec<i64> = Vec::new();
        for (token, ..) in &source.partitions {
            if let Token::Murmur3(token) = token {
                tokens.push(*token);
            }
        }
        tokens.dedup();
        // One range for each partition: between them there is nothing to miss.
        let each = tokens.iter().map(|token| (token - 1, *token));
        let wanted = |ranges: Vec<(i64, i64)>| {
            let mut written = Written::default();
            let ranges = ranges
                .into_iter()
                .map(|(left, right)| TokenRange::new(Token::Murmur3(left), Token::Murmur3(right)));
            let format = &source.descriptor.format;
            let ranges = TokenRanges::new(ranges);
            let sliced = slice_reading(&source.components, format, &ranges, 1, &mut written);
            let sliced = sliced.unwrap_or_else(|error| panic!("{}: {error}", source.name));
            (sliced, written.into_memory().is_empty())
        };
        let all: Vec<(i64, i64)> = each.collect();
        if all.is_empty() {
            continue;
        }
        assert_eq!(
            wanted(all.clone()),
            (Sliced::Everything, true),
            "{}",
            source.name
        );
        for left_out in [0, all.len() / 2, all.len() - 1] {
            let mut ranges = all.clone();
            ranges.remove(left_out);
            let sliced = wanted(ranges).0;
            match all.len() {
                1 => assert_eq!(sliced, Sliced::Nothing, "{}", source.name),
                _ => assert!(matches!(sliced, Sliced::Part(_)), "{}", source.name),
            }
        }
    }
}

#[test]
fn slices_by_each_single_partition_are_sound() {
    for source in sources()
        .into_iter()
        .filter(|source| source.partitions.len() <= 40)
    {
        let all: Vec<usize> = (0..source.partitions.len()).collect();
        check(&source, &all);
    }
}

#[test]
fn several_ranges_make_one_slice() {
    for source in sources() {
        let ranges = source
            .partitions
            .windows(2)
            .step_by(3)
            .map(|pair| TokenRange::new(pair[0].0.clone(), pair[1].0.clone()));
        let ranges = TokenRanges::new(ranges);
        let Some(slice) = cut(&source, &ranges) else {
            continue;
        };
        let expected: Vec<_> = source
            .partitions
            .iter()
            .filter(|(token, ..)| ranges.contains(token))
            .cloned()
            .collect();
        assert!(
            partitions(&slice, &source.descriptor) == expected,
            "{}",
            source.name
        );
        let report = verify(
            &slice,
            &source.descriptor,
            verify::Depth::Extended,
            &mut |_| (),
        );
        assert_eq!(report.expect("verifies").damage, [], "{}", source.name);
    }
}

#[test]
fn slices_by_random_ranges_are_the_whole_together() {
    let sources = sources();
    if sources.is_empty() {
        return;
    }
    let strategy = (
        0..sources.len(),
        prop::collection::vec(any::<usize>(), 1..12),
    );
    proptest!(ProptestConfig::with_cases(300), |((source, cuts) in strategy)| {
        check(&sources[source], &cuts);
    });
}

#[test]
fn data_is_checked_before_it_is_copied_and_only_if_it_is_wanted() {
    for (path, first_chunk) in [
        ("big-nb/compression/none/nb-1-big-Data.db", 65_536),
        ("big-nb/compression/lz4/nb-1-big-Data.db", 100),
    ] {
        let mut source = sources()
            .into_iter()
            .find(|source| source.name.contains(path.trim_end_matches("Data.db")))
            .expect("a fixture");
        let data = source.components.get_mut("Data.db").expect("is there");
        assert!(data.len() > first_chunk, "{path} has more than one chunk");
        data[20] ^= 1;
        let whole = TokenRanges::whole_ring(&source.partitioner);
        let mut written = Written::default();
        let error = slice(
            &source.components,
            &source.descriptor.format,
            &whole,
            &mut written,
        )
        .expect_err("it is damaged");
        assert!(error.to_string().contains("CRC32"), "{path}: {error}");
        let (last, _, _) = source.partitions.last().expect("partitions");
        let (before, _, _) = &source.partitions[source.partitions.len() - 2];
        let end = TokenRanges::new([TokenRange::new(before.clone(), last.clone())]);
        assert!(cut(&source, &end).is_some(), "{path}");
    }
}
