//! Where a download lands: beside its final name, checked, synced, and only then renamed to it.
//!
//! Provider and store are peers that do not see each other, and a download must be checked between its last byte and
//! its rename, so this is the one place outside `store::atomic` that renames. Nothing with a final name is ever partial.

use std::io;
use std::path::{Path, PathBuf};

use tokio::fs::{self, File, OpenOptions};
use tokio::io::{AsyncWriteExt, BufWriter};

/// What is wrong with what has landed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The first line does not begin a JSON object.
    #[error("the file does not hold JSON lines")]
    NotJsonLines,
    /// The last line has no end.
    #[error("the last line is cut")]
    CutLine,
    /// A line is longer than any answer.
    #[error("a line is longer than 64 MiB")]
    LongLine,
}

/// The longest line that is believed; a bound on memory, not on answers.
const LONGEST_LINE: usize = 64 << 20;

/// A file that is being filled beside its final name. Dropped without [`settle`](Self::settle), it leaves nothing.
#[derive(Debug)]
pub struct Landing {
    target: PathBuf,
    partial: PathBuf,
    file: BufWriter<File>,
    is_settled: bool,
    bytes: u64,
    shard_start: [u8; 4],
    shard_len: usize,
    tail: Vec<u8>,
    is_long: bool,
}

impl Landing {
    /// Opens `<target>.partial`, replacing a left-over one. Links are not followed; only the owner can read it.
    pub async fn open(target: &Path) -> io::Result<Self> {
        let mut name = target.as_os_str().to_owned();
        name.push(".partial");
        let partial = PathBuf::from(name);
        match fs::remove_file(&partial).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&partial)
            .await?;
        Ok(Self {
            target: target.to_owned(),
            partial,
            file: BufWriter::with_capacity(1 << 18, file),
            is_settled: false,
            bytes: 0,
            shard_start: [0; 4],
            shard_len: 0,
            tail: Vec::new(),
            is_long: false,
        })
    }

    /// Bytes that have landed.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds bytes of the current shard.
    pub async fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        let known = self.shard_len.min(self.shard_start.len());
        let fresh = chunk.len().min(self.shard_start.len() - known);
        self.shard_start[known..known + fresh].copy_from_slice(&chunk[..fresh]);
        self.shard_len = self.shard_len.saturating_add(chunk.len());
        match chunk.iter().rposition(|b| *b == b'\n') {
            Some(end) => chunk[end + 1..].clone_into(&mut self.tail),
            None if self.tail.len() + chunk.len() > LONGEST_LINE => self.is_long = true,
            None => self.tail.extend_from_slice(chunk),
        }
        self.put(chunk).await
    }

    /// Ends a shard: checks that it looks whole, and ends its last line if it is a whole one without its line feed.
    ///
    /// A shard that does not begin with `{` is refused where `kind` is answers, and not looked into where it is errors,
    /// because the shape of Fireworks' `error-data` is not documented.
    pub async fn end_shard(&mut self, kind: Rows) -> io::Result<Result<(), Damage>> {
        let start = self.shard_start;
        let start = &start[..self.shard_len.min(start.len())];
        let tail = std::mem::take(&mut self.tail);
        let is_empty = self.shard_len == 0;
        (self.shard_start, self.shard_len) = ([0; 4], 0);
        if is_empty {
            return Ok(Ok(()));
        }
        if self.is_long {
            return Ok(Err(Damage::LongLine));
        }
        let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
        let begins_object = start.trim_ascii_start().first() == Some(&b'{');
        if !begins_object && kind == Rows::Answers {
            return Ok(Err(Damage::NotJsonLines));
        }
        if tail.trim_ascii().is_empty() {
            return Ok(Ok(()));
        }
        if begins_object && serde_json::from_slice::<serde::de::IgnoredAny>(&tail).is_err() {
            return Ok(Err(Damage::CutLine));
        }
        self.put(b"\n").await.map(Ok)
    }

    /// Makes what has landed durable under its final name and gives its size. Nothing landed, no file.
    pub async fn settle(mut self) -> io::Result<u64> {
        self.file.flush().await?;
        if self.bytes == 0 {
            remove(&self.partial).await?;
            remove(&self.target).await?;
        } else {
            self.file.get_ref().sync_all().await?;
            fs::rename(&self.partial, &self.target).await?;
        }
        self.is_settled = true;
        sync_folder(&self.target).await?;
        Ok(self.bytes)
    }

    async fn put(&mut self, chunk: &[u8]) -> io::Result<()> {
        self.file.write_all(chunk).await?;
        self.bytes += chunk.len() as u64;
        Ok(())
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        if !self.is_settled {
            // Nobody is left to hear of a failure; the next download replaces a left-over file.
            std::fs::remove_file(&self.partial).ok();
        }
    }
}

/// Which rows a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// Answers.
    Answers,
    /// Errors.
    Errors,
}

/// Removes a file that may not exist.
async fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Makes the names in the folder of `path` durable.
async fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder).await?.sync_all().await
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn land(rows: Rows, shards: &[&[&[u8]]]) -> Result<Vec<u8>, Damage> {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("results.jsonl");
        let mut landing = Landing::open(&target).await.unwrap();
        for shard in shards {
            for chunk in *shard {
                landing.write(chunk).await.unwrap();
            }
            if let Err(damage) = landing.end_shard(rows).await.unwrap() {
                drop(landing);
                assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
                return Err(damage);
            }
        }
        let bytes = landing.settle().await.unwrap();
        let content = std::fs::read(&target).unwrap_or_default();
        assert_eq!(bytes, content.len() as u64);
        assert!(!folder.path().join("results.jsonl.partial").exists());
        Ok(content)
    }

    #[tokio::test]
    async fn shards_are_joined_at_line_ends() {
        let shards: &[&[&[u8]]] = &[&[b"{\"a\"", b":1}\n{\"b\":2}"], &[], &[b"{\"c\":3}\n"]];
        assert_eq!(
            land(Rows::Answers, shards).await.unwrap(),
            b"{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n"
        );
    }

    #[tokio::test]
    async fn a_cut_last_line_is_refused_and_leaves_nothing() {
        assert_eq!(
            land(Rows::Answers, &[&[b"{\"a\":1}\n{\"b\":", b" \"tex"]]).await,
            Err(Damage::CutLine)
        );
        assert_eq!(
            land(Rows::Errors, &[&[b"{\"a\":1"]]).await,
            Err(Damage::CutLine)
        );
    }

    #[tokio::test]
    async fn a_web_page_is_not_an_answer() {
        let page: &[&[&[u8]]] = &[&[b"<html>sign in</html>\n"]];
        assert_eq!(land(Rows::Answers, page).await, Err(Damage::NotJsonLines));
        // The shape of error rows is not documented, so they are kept as they come.
        assert_eq!(
            land(Rows::Errors, page).await.unwrap(),
            b"<html>sign in</html>\n"
        );
    }

    #[tokio::test]
    async fn nothing_landed_means_no_file_not_even_an_old_one() {
        assert_eq!(land(Rows::Errors, &[&[]]).await.unwrap(), b"");
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("errors.jsonl");
        fs::write(&target, b"{}\n").await.unwrap();
        let landing = Landing::open(&target).await.unwrap();
        assert_eq!(landing.settle().await.unwrap(), 0);
        assert!(!target.exists());
    }

    #[tokio::test]
    async fn a_link_at_the_temporary_name_is_replaced_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let victim = folder.path().join("victim");
        fs::write(&victim, b"precious").await.unwrap();
        let target = folder.path().join("results.jsonl");
        let partial = folder.path().join("results.jsonl.partial");
        std::os::unix::fs::symlink(&victim, &partial).unwrap();
        let mut landing = Landing::open(&target).await.unwrap();
        landing.write(b"{}\n").await.unwrap();
        landing.settle().await.unwrap();
        assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
        assert_eq!(std::fs::read(&target).unwrap(), b"{}\n");
    }
}
