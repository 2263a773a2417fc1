//! Bodies in and out: bounded, streamed to and from disk, the same for all dialects.

use std::path::Path;

use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::disk;
use super::error::SimError;
use crate::domain::Digest;
use crate::domain::digest::Hasher;

/// Most bytes of a JSON body.
pub(super) const MAX_JSON_BYTES: usize = 4 << 20;

/// A body that was received into a file.
#[derive(Debug)]
pub(super) struct Received {
    /// The file; not yet under its name.
    pub file: NamedTempFile,
    /// Digest of its bytes.
    pub sha256: Digest,
    /// Its size.
    pub bytes: u64,
}

/// Why a body was not received.
#[derive(Debug)]
pub(super) enum NotReceived {
    /// It is larger than allowed.
    TooLarge,
    /// The client's stream broke off; says how.
    Broken(String),
    /// The server could not write.
    Server(SimError),
}

impl From<SimError> for NotReceived {
    fn from(error: SimError) -> Self {
        Self::Server(error)
    }
}

/// Writes a stream of pieces to a temporary file beside `target`, at most `limit` bytes.
#[derive(Debug)]
pub(super) struct Receiver {
    file: NamedTempFile,
    writer: tokio::fs::File,
    hasher: Hasher,
    bytes: u64,
    limit: u64,
}

impl Receiver {
    /// Makes the temporary file.
    pub(super) fn beside(target: &Path, limit: u64) -> Result<Self, SimError> {
        let file = disk::beside(target)?;
        let writer = file.reopen().map_err(SimError::file("write", target))?;
        Ok(Self {
            file,
            writer: tokio::fs::File::from_std(writer),
            hasher: Hasher::default(),
            bytes: 0,
            limit,
        })
    }

    /// Adds a piece.
    pub(super) async fn take(&mut self, piece: &Bytes) -> Result<(), NotReceived> {
        self.bytes += piece.len() as u64;
        if self.bytes > self.limit {
            return Err(NotReceived::TooLarge);
        }
        self.hasher.update(piece);
        self.writer
            .write_all(piece)
            .await
            .map_err(SimError::file("write", self.file.path()))?;
        Ok(())
    }

    /// Everything that came.
    pub(super) async fn finish(mut self) -> Result<Received, NotReceived> {
        self.writer
            .flush()
            .await
            .map_err(SimError::file("write", self.file.path()))?;
        Ok(Received {
            file: self.file,
            sha256: self.hasher.finish(),
            bytes: self.bytes,
        })
    }
}

/// A JSON answer.
pub(super) fn json(status: StatusCode, value: &serde_json::Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (status, kind, value.to_string()).into_response()
}

/// A file as an answer, streamed, with its length.
pub(super) async fn file(path: &Path) -> std::io::Result<Response> {
    const PIECE: usize = 1 << 16;
    let file = tokio::fs::File::open(path).await?;
    let bytes = file.metadata().await?.len();
    let pieces = stream::try_unfold(file.take(bytes), |mut file| async move {
        let mut piece = Vec::with_capacity(PIECE);
        let n = (&mut file)
            .take(PIECE as u64)
            .read_to_end(&mut piece)
            .await?;
        Ok::<_, std::io::Error>((n > 0).then(|| (Bytes::from(piece), file)))
    });
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, bytes.to_string()),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused_and_leaves_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join("x");
        let mut receiver = Receiver::beside(&target, 5).expect("made");
        receiver
            .take(&Bytes::from_static(b"123"))
            .await
            .expect("taken");
        let over = receiver.take(&Bytes::from_static(b"456")).await;
        assert!(matches!(over, Err(NotReceived::TooLarge)));
        drop(receiver);
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 0);
    }
}
