//! `events.jsonl`: the log for people. Nothing is ever decided from it, so it is not made durable line by line.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use rustix::fs::{CWD, OFlags};

use super::atomic::FILE_MODE;
use super::error::{Result, StoreError};
use super::tail::LineTail;
use super::{RunPaths, TailState};
use crate::domain::LogLine;

/// The log, open for appending.
#[derive(Debug)]
pub struct EventLog {
    path: PathBuf,
    file: File,
}

impl EventLog {
    /// Opens (or begins) the log of a run.
    pub fn open(paths: &RunPaths) -> Result<Self> {
        let path = paths.events();
        let flags = OFlags::RDWR
            | OFlags::CREATE
            | OFlags::APPEND
            | OFlags::NOFOLLOW
            | OFlags::NONBLOCK
            | OFlags::CLOEXEC;
        let mut file = rustix::fs::openat(CWD, &path, flags, FILE_MODE)
            .map(File::from)
            .map_err(|errno| StoreError::io("open", &path)(errno.into()))?;
        // A line torn by a crash gets its end, so that the next one stands alone.
        let mut last = [b'\n'];
        let size = file
            .seek(SeekFrom::End(0))
            .map_err(StoreError::io("read", &path))?;
        if size > 0 {
            file.seek(SeekFrom::End(-1))
                .and_then(|_| file.read_exact(&mut last))
                .map_err(StoreError::io("read", &path))?;
        }
        if last != *b"\n" {
            file.write_all(b"\n")
                .map_err(StoreError::io("write", &path))?;
        }
        Ok(Self { path, file })
    }

    /// Appends a line. It survives a kill, not a power cut.
    pub fn append(&mut self, line: &LogLine) -> Result<()> {
        let mut text = serde_json::to_vec(line).map_err(|source| StoreError::Json {
            path: self.path.clone(),
            source,
        })?;
        text.push(b'\n');
        self.file
            .write_all(&text)
            .map_err(StoreError::io("write", &self.path))
    }
}

/// Follows the log of a run.
#[derive(Debug)]
pub struct LogTail(LineTail<LogLine>);

impl LogTail {
    /// Begins at the first line.
    pub fn new(path: PathBuf) -> Self {
        Self(LineTail::new(path))
    }

    /// Hands over the whole lines that came since the last poll.
    pub fn poll(&mut self, take: &mut dyn FnMut(LogLine)) -> Result<TailState> {
        self.0.poll(take)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::LogLevel;
    use crate::store::fixture;
    use jiff::Timestamp;

    fn line(message: &str) -> LogLine {
        LogLine {
            at: Timestamp::UNIX_EPOCH,
            level: LogLevel::Info,
            phase: None,
            trial: None,
            part: None,
            message: message.to_owned(),
        }
    }

    #[test]
    fn a_torn_line_costs_one_line_and_a_watcher_sees_the_rest() {
        let (_dir, paths) = fixture::run();
        let mut tail = LogTail::new(paths.events());
        let mut seen = Vec::new();
        let mut poll = |tail: &mut LogTail| {
            let state = tail
                .poll(&mut |l: LogLine| seen.push(l.message))
                .expect("polled");
            (state, seen.clone())
        };
        assert_eq!(poll(&mut tail).0, TailState::default());
        let mut log = EventLog::open(&paths).expect("opened");
        log.append(&line("one")).expect("appended");
        log.file.write_all(b"{\"at\":").expect("torn");
        assert_eq!(poll(&mut tail).0.lines, 1);
        let mut log = EventLog::open(&paths).expect("opened again");
        log.append(&line("two\u{2028}")).expect("appended");
        let (state, seen) = poll(&mut tail);
        assert_eq!((state.lines, state.damaged), (1, 1));
        assert_eq!(seen, ["one", "two\u{2028}"]);
    }
}
