//! Every file of the corpus holds its reader to its promise. A file is worth keeping if it once broke a reader, or if it leads a fuzzer
//! to where others do not.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use tidemill_testing::readers::READERS;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

#[test]
fn every_reader_takes_or_refuses_every_file_of_its_corpus() {
    for (name, read) in READERS {
        let files: Vec<_> = fs::read_dir(corpus().join(name)).unwrap().map(|file| file.unwrap().path()).collect();
        assert!(!files.is_empty(), "the corpus of `{name}` is empty");
        for file in files {
            let bytes = fs::read(&file).unwrap();
            let outcome = std::panic::catch_unwind(|| read(&bytes));
            assert!(outcome.is_ok(), "{} breaks its reader", file.display());
        }
    }
}

#[test]
fn every_reader_has_a_fuzz_target_and_every_target_a_reader() {
    let readers: BTreeSet<String> = READERS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let targets = fs::read_dir(corpus().with_file_name("fuzz/targets")).unwrap();
    let targets: BTreeSet<String> =
        targets.map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect();

    assert_eq!(readers, targets);
}
