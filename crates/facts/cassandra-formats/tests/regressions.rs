//! What fuzzing found once is never found again: its inputs run through the fuzzers' own entries.

use std::fs;
use std::path::Path;

use fuzz_entries::TARGETS;

#[test]
fn what_fuzzing_found_does_no_harm() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../fuzz/regressions");
    let mut inputs = 0;
    for (target, entry) in TARGETS {
        let Ok(found) = fs::read_dir(folder.join(target)) else {
            continue;
        };
        for input in found {
            let path = input.expect("a folder that can be read").path();
            println!("{}", path.display());
            entry(&fs::read(&path).expect("an input that can be read"));
            inputs += 1;
        }
    }
    println!("{inputs} inputs");
}
