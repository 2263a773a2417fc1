//! Tests of the lock: contended, deleted, replaced, stale, linked, inherited, across processes.

use super::*;
use crate::store::fixture::{put, run};

fn me() -> Holder {
    let began = match process_began(std::process::id()) {
        Process::Began(at) => at,
        Process::Gone | Process::Unknown => Timestamp::UNIX_EPOCH,
    };
    Holder::this_process(began + SignedDuration::from_secs(3))
}

#[test]
fn a_second_driver_is_refused_at_once_and_told_who_has_it() {
    let (_dir, paths) = run();
    let lock = RunLock::acquire(&paths, &me()).expect("taken");
    let error = RunLock::acquire(&paths, &me()).expect_err("held");
    let text = error.to_string();
    assert!(
        text.contains(&format!("pid {} on {}", std::process::id(), hostname())),
        "{text}"
    );
    assert_eq!(holder(&paths).map(|h| h.pid), Some(std::process::id()));
    assert_eq!(is_held(&paths), Some(true));
    drop(lock);
    assert_eq!(is_held(&paths), Some(false));
    assert!(paths.lock().exists(), "the file is never deleted");
    RunLock::acquire(&paths, &me()).expect("free again");
}

#[test]
fn deleting_the_lock_file_lets_nobody_else_in_and_is_noticed() {
    let (_dir, paths) = run();
    let lock = RunLock::acquire(&paths, &me()).expect("taken");
    std::fs::remove_file(paths.lock()).expect("deleted");
    assert!(!lock.still_held());
    assert!(matches!(lock.check(), Err(StoreError::LockLost { .. })));
    let error = RunLock::acquire(&paths, &me()).expect_err("the folder is locked");
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
}

#[test]
fn a_replaced_run_folder_is_noticed() {
    let (dir, paths) = run();
    let lock = RunLock::acquire(&paths, &me()).expect("taken");
    rustix::fs::rename(paths.root(), dir.path().join("old")).expect("renamed");
    assert!(!lock.still_held());
}

#[test]
fn no_stale_text_keeps_anybody_out() {
    let (_dir, paths) = run();
    let gone = Holder {
        pid: u32::MAX - 1,
        ..me()
    };
    for text in [
        serde_json::to_string(&gone).expect("JSON"),
        "{\"pid\":".to_owned(),
        "\u{1b}]52;x".to_owned(),
    ] {
        put(&paths.lock(), text);
        assert_eq!(is_held(&paths), Some(false));
        RunLock::acquire(&paths, &me()).expect("taken");
    }
    let elsewhere = Holder {
        host: "elsewhere\u{1b}[2J".to_owned(),
        ..me()
    };
    assert!(!elsewhere.to_string().contains('\u{1b}'));
    let text = serde_json::to_string(&elsewhere).expect("JSON");
    put(&paths.lock(), text);
    assert_eq!(is_held(&paths), None);
}

#[test]
fn a_reused_process_id_does_not_count_as_the_holder() {
    let (_dir, paths) = run();
    let earlier = Holder {
        since: Timestamp::UNIX_EPOCH,
        ..me()
    };
    let text = serde_json::to_string(&earlier).expect("JSON");
    put(&paths.lock(), text);
    assert_eq!(is_held(&paths), Some(false));
    let text = serde_json::to_string(&me()).expect("JSON");
    put(&paths.lock(), text);
    assert_eq!(is_held(&paths), Some(true));
}

#[test]
fn a_linked_lock_file_is_refused_and_its_target_untouched() {
    let (dir, paths) = run();
    let victim = dir.path().join("victim");
    put(&victim, b"precious");
    std::os::unix::fs::symlink(&victim, paths.lock()).expect("linked");
    assert!(RunLock::acquire(&paths, &me()).is_err());
    assert_eq!(std::fs::read(&victim).expect("read"), b"precious");
}

#[test]
fn a_child_process_does_not_inherit_the_lock() {
    let (_dir, paths) = run();
    let lock = RunLock::acquire(&paths, &me()).expect("taken");
    let mut child = std::process::Command::new("sleep")
        .arg("30")
        .spawn()
        .expect("a child");
    drop(lock);
    let again = RunLock::acquire(&paths, &me());
    child.kill().and_then(|()| child.wait()).expect("ended");
    again.expect("the child has no part in it");
}

#[test]
fn another_process_with_the_lock_keeps_us_out_until_it_is_killed() {
    let (_dir, paths) = run();
    put(&paths.lock(), b"");
    let Ok(mut other) = std::process::Command::new("flock")
        .arg(paths.lock())
        .args(["sh", "-c", "echo ready; exec sleep 30"])
        .stdout(std::process::Stdio::piped())
        .spawn()
    else {
        eprintln!("skipped: no flock(1)");
        return;
    };
    let mut ready = [0_u8; 5];
    other
        .stdout
        .as_mut()
        .expect("a pipe")
        .read_exact(&mut ready)
        .expect("it has the lock");
    assert_eq!(is_held(&paths), Some(true));
    let error = RunLock::acquire(&paths, &me()).expect_err("held");
    assert!(matches!(error, StoreError::Locked { holder: None, .. }));
    // flock(1) leaves the lock with its child, so the child has to end.
    let pids = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", other.id()));
    for pid in pids.unwrap_or_default().split_whitespace() {
        let pid = rustix::process::Pid::from_raw(pid.parse().expect("a number"));
        rustix::process::kill_process(pid.expect("a pid"), rustix::process::Signal::KILL)
            .expect("killed");
    }
    other.kill().and_then(|()| other.wait()).expect("ended");
    drop(other);
    for _ in 0..200 {
        if RunLock::acquire(&paths, &me()).is_ok() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("the lock outlived its process");
}
