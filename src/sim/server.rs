//! Starting and ending the server, and which dialect a request goes to.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::answers::Answers;
use super::error::SimError;
use crate::domain::Digest;
use crate::sys::Clock;

/// The account that the server serves.
pub const ACCOUNT: &str = "sim";

/// How long [`SimHandle::shutdown`] lets open requests finish.
const GRACE: Duration = Duration::from_secs(2);

/// What a server needs to start.
#[derive(Debug, Clone)]
pub struct SimConfig {
    /// Folder of datasets, jobs and the record of accepted jobs; made where missing.
    pub state_dir: PathBuf,
    /// Seconds from acceptance to completion of a job, from 0.
    pub seconds_per_job: f64,
    /// Where answers come from.
    pub answers: Answers,
    /// Seed of everything that is drawn.
    pub seed: u64,
    /// Share of rows that come back as retryable errors on their first attempt, 0 to 1.
    pub row_error_rate: f64,
    /// The key that clients must send; a random one is made where absent.
    pub api_key: Option<SecretString>,
    /// The loopback address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// The embedded provider.
#[derive(Debug)]
pub struct SimServer;

impl SimServer {
    /// Starts a server on the current tokio runtime and returns once it listens.
    pub async fn start(config: SimConfig) -> Result<SimHandle, SimError> {
        let listen = config.listen;
        if !listen.ip().is_loopback() {
            return Err(SimError::NotLoopback(listen));
        }
        let api_key = config.api_key.clone().unwrap_or_else(random_key);
        let listener = TcpListener::bind(listen)
            .await
            .map_err(|source| SimError::Bind {
                addr: listen,
                source,
            })?;
        let addr = listener.local_addr().map_err(|source| SimError::Bind {
            addr: listen,
            source,
        })?;
        let router = Router::new();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
            // A dropped handle ends the server like a call of `shutdown`.
            drop(stopped.await);
        });
        let task = tokio::spawn(async move { serving.await });
        Ok(SimHandle {
            addr,
            api_key,
            stop,
            task,
        })
    }
}

/// A running server. Dropping it ends the server without waiting.
#[derive(Debug)]
pub struct SimHandle {
    /// Where it listens.
    pub addr: SocketAddr,
    /// The key that it accepts.
    pub api_key: SecretString,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl SimHandle {
    /// The base URL for clients, e.g. `http://127.0.0.1:40123`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Ends the server: no new connections, open requests get two seconds. Jobs stay on disk.
    pub async fn shutdown(self) {
        let Self { stop, mut task, .. } = self;
        drop(stop);
        if tokio::time::timeout(GRACE, &mut task).await.is_err() {
            task.abort();
        }
    }
}

fn random_key() -> SecretString {
    let bytes: [u8; 32] = rand::random();
    let hex = Digest::of(&bytes).to_string();
    format!("sim-{}", &hex[..40]).into()
}
