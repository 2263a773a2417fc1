//! What can go wrong when the embedded provider starts or works. What clients get to see is `reply::Refusal`.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A failure of the embedded provider itself.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The address is not a loopback address.
    #[error("the embedded provider listens on loopback only, not on {0}")]
    NotLoopback(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}")]
    Bind {
        /// The wanted address.
        addr: SocketAddr,
        /// The cause.
        source: io::Error,
    },
    /// A number of the configuration is out of range.
    #[error("{what} is out of range: {value}")]
    OutOfRange {
        /// What was set.
        what: &'static str,
        /// Its value.
        value: f64,
    },
    /// A file or folder cannot be used.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried, e.g. `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file holds something else than it should.
    #[error("{}: line {line}: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The line, from 1; 0 where it is about the file as a whole.
        line: u64,
        /// What is wrong, safe to print.
        problem: String,
    },
}

impl SimError {
    /// Turns an I/O error into one that names what was tried and where.
    pub(super) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File {
            action,
            path,
            source,
        }
    }
}
