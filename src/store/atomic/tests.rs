//! Tests of whole and durable files.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::store::fixture::put;

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(dir)
        .expect("a folder")
        .map(|e| e.expect("an entry").file_name().to_string_lossy().into())
        .collect();
    names.sort();
    names
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn mode(path: &Path) -> u32 {
    path.metadata().expect("a file").permissions().mode() & 0o7777
}

#[test]
fn a_written_file_is_private_and_its_sum_is_of_its_bytes() {
    let dir = folder();
    let path = dir.path().join("a.json");
    let sum = write(&path, b"abc").expect("written");
    assert_eq!((sum.sha256, sum.bytes), (Digest::of(b"abc"), 3));
    assert_eq!(read(&path).expect("read"), b"abc");
    assert_eq!(mode(&path), 0o600);
    assert_eq!(names(dir.path()), ["a.json"]);
}

#[test]
fn an_unfinished_file_leaves_the_old_one_and_nothing_else() {
    let dir = folder();
    let path = dir.path().join("a.json");
    write(&path, b"old").expect("written");
    let mut file = AtomicFile::create(&path).expect("begun");
    file.write_all(&vec![7; 3 * BUFFER_BYTES]).expect("written");
    assert_eq!(names(dir.path()).len(), 2);
    drop(file);
    assert_eq!(names(dir.path()), ["a.json"]);
    assert_eq!(read(&path).expect("read"), b"old");
}

#[test]
fn a_rename_that_fails_leaves_no_temporary_file() {
    let dir = folder();
    let path = dir.path().join("taken");
    create_dir_all(&path.join("inside")).expect("made");
    let error = write(&path, b"x").expect_err("a folder has the name");
    assert!(error.to_string().contains("taken"), "{error}");
    assert_eq!(names(dir.path()), ["taken"]);
}

#[test]
fn a_folder_that_cannot_be_written_gives_path_and_cause() {
    let dir = folder();
    let path = dir.path().join("missing").join("a");
    let error = write(&path, b"x").expect_err("no folder");
    assert!(error.is_not_found() && error.to_string().contains("missing"));
    let locked = dir.path().join("locked");
    create_dir_all(&locked).expect("made");
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o500)).expect("set");
    let outcome = write(&locked.join("a"), b"x");
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o700)).expect("set");
    // Root may write anywhere, so only the others see the refusal.
    if let Err(error) = outcome {
        assert!(error.to_string().contains("locked/a"), "{error}");
        assert_eq!(names(&locked), Vec::<String>::new());
    }
}

#[test]
fn links_are_replaced_and_never_written_through() {
    let dir = folder();
    let victim = dir.path().join("victim");
    put(&victim, b"precious");
    let link = dir.path().join("state.json");
    symlink(&victim, &link).expect("linked");
    assert!(open_regular(&link).is_err());
    write(&link, b"mine").expect("written");
    assert_eq!(std::fs::read(&victim).expect("read"), b"precious");
    assert!(!link.symlink_metadata().expect("there").is_symlink());

    let elsewhere = dir.path().join("elsewhere");
    create_dir_all(&elsewhere).expect("made");
    symlink(&elsewhere, dir.path().join("results")).expect("linked");
    let error = write(&dir.path().join("results/a"), b"x").expect_err("a linked folder");
    assert!(error.to_string().contains("symbolic link"), "{error}");
    assert_eq!(names(&elsewhere), Vec::<String>::new());
}

#[test]
fn pipes_and_folders_are_not_opened_as_files() {
    let dir = folder();
    let pipe = dir.path().join("pipe");
    rustix::fs::mknodat(CWD, &pipe, rustix::fs::FileType::Fifo, FILE_MODE, 0).expect("a pipe");
    assert!(open_regular(&pipe).is_err());
    assert!(open_regular(dir.path()).is_err());
}

#[test]
fn new_folders_are_private_and_making_them_twice_is_fine() {
    let dir = folder();
    let deep = dir.path().join("a/b/c");
    create_dir_all(&deep).expect("made");
    create_dir_all(&deep).expect("made again");
    assert_eq!(mode(&dir.path().join("a")), 0o700);
    assert_eq!(mode(&deep), 0o700);
    put(&dir.path().join("f"), b"");
    assert!(create_dir_all(&dir.path().join("f/x")).is_err());
}

#[test]
fn only_temporary_files_of_this_program_are_swept() {
    let dir = folder();
    let sub = dir.path().join("sub");
    create_dir_all(&sub).expect("made");
    for name in [
        ".a.json.tmp-1-0",
        "sub/.b.tmp-99-12",
        ".keep.tmp-x-1",
        "c.tmp-1-1",
        ".tmp-1-1",
    ] {
        put(&dir.path().join(name), b"");
    }
    assert_eq!(remove_stale_temps(dir.path()).expect("swept"), 2);
    assert_eq!(
        names(dir.path()),
        [".keep.tmp-x-1", ".tmp-1-1", "c.tmp-1-1", "sub"]
    );
    assert_eq!(names(&sub), Vec::<String>::new());
}

#[test]
fn shared_results_are_one_file_with_two_names() {
    let dir = folder();
    let (from, to) = (dir.path().join("a"), dir.path().join("b"));
    write(&from, b"rows").expect("written");
    write(&to, b"older").expect("written");
    for _ in 0..2 {
        // The second round finds both names on one file already.
        link_or_copy(&from, &to).expect("linked");
        assert_eq!(read(&to).expect("read"), b"rows");
        let inode = |path: &Path| path.metadata().expect("there").ino();
        assert_eq!(inode(&from), inode(&to));
        assert_eq!(names(dir.path()), ["a", "b"]);
    }
    write(&from, b"new").expect("written");
    assert_eq!(read(&to).expect("read"), b"rows", "a rewrite parts them");
}

#[test]
fn a_link_to_another_file_system_becomes_a_copy() {
    let dir = folder();
    let Ok(other) = tempfile::tempdir_in("/dev/shm") else {
        eprintln!("skipped: no second file system");
        return;
    };
    let (from, to) = (other.path().join("a"), dir.path().join("b"));
    write(&from, b"rows").expect("written");
    link_or_copy(&from, &to).expect("copied");
    assert_eq!(read(&to).expect("read"), b"rows");
    assert_eq!(names(dir.path()), ["b"]);
}

#[test]
fn damaged_files_and_backups_never_overwrite_earlier_ones() {
    let dir = folder();
    let path = dir.path().join("m.json");
    for n in 1..=2 {
        write(&path, format!("{n}").as_bytes()).expect("written");
        backup(&path, "backup.T.json").expect("copied");
        set_aside(&path).expect("renamed");
    }
    assert_eq!(
        names(dir.path()),
        [
            "m.json.backup.T.2.json",
            "m.json.backup.T.json",
            "m.json.corrupt.1",
            "m.json.corrupt.2"
        ]
    );
    assert!(!remove(&path).expect("looked"));
    assert!(remove(&dir.path().join("m.json.corrupt.1")).expect("removed"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_pieces_make_the_file_and_the_sum_of_their_whole(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..90_000), 0..5)
    ) {
        let dir = folder();
        let path = dir.path().join("x");
        let mut file = AtomicFile::create(&path).expect("begun");
        for piece in &pieces {
            file.write_all(piece).expect("written");
        }
        let whole = pieces.concat();
        let sum = file.finish().expect("finished");
        prop_assert_eq!(sum, FileSum { sha256: Digest::of(&whole), bytes: whole.len() as u64 });
        prop_assert_eq!(read(&path).expect("read"), whole);
    }
}
