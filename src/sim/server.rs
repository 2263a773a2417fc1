//! Starting and ending the server, and which dialect a request goes to.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::answers::{AnswerBook, Answers};
use super::error::SimError;
use super::exchange;
use super::fireworks::{self, Fireworks};
use super::intake::Misfires;
use super::pace::Pace;
use super::workshop::Desk;
use crate::domain::Digest;
use crate::sys::Clock;

/// The account that the server serves.
pub const ACCOUNT: &str = "sim";

/// Most bytes of a multipart body: the largest file of any dialect, and room for the form around it.
const MAX_MULTIPART_BYTES: u64 = (200 << 20) + (64 << 10);

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
        let base_url = format!("http://{addr}");
        let key = api_key.clone();
        let opening = move || Site::open(config, &key, base_url);
        let site = tokio::task::spawn_blocking(opening)
            .await
            .map_err(|source| SimError::Bind {
                addr: listen,
                source: source.into(),
            })??;
        let router = site.router();
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

/// All dialects behind one key.
#[derive(Debug)]
pub(super) struct Site {
    key: Digest,
    fireworks: Arc<Fireworks>,
}

impl Site {
    /// Opens the state of a server that is reached at `base_url`.
    pub(super) fn open(
        config: SimConfig,
        api_key: &SecretString,
        base_url: String,
    ) -> Result<Self, SimError> {
        let out_of_range = |what, value| SimError::OutOfRange { what, value };
        let pace = Pace::new(config.seconds_per_job)
            .ok_or_else(|| out_of_range("seconds_per_job", config.seconds_per_job))?;
        let rate = config.row_error_rate;
        if !(0.0..=1.0).contains(&rate) {
            return Err(out_of_range("row_error_rate", rate));
        }
        config.answers.check()?;
        let misfires = Misfires {
            seed: config.seed,
            rate,
        };
        let book = AnswerBook::new(config.answers, config.seed);
        let folder = config.state_dir;
        let desk = Arc::new(Desk::new(&folder, pace, misfires, book, config.clock));
        let secret = api_key.expose_secret().to_owned();
        Ok(Self {
            key: Digest::of(secret.as_bytes()),
            fireworks: Arc::new(Fireworks::open(&folder, desk, base_url, secret)?),
        })
    }

    /// The site as a service. Paths are read by the dialects, because some have a verb after a colon.
    pub(super) fn router(self) -> Router {
        let most = usize::try_from(MAX_MULTIPART_BYTES).unwrap_or(usize::MAX);
        Router::new()
            .fallback(serve)
            .layer(DefaultBodyLimit::max(most))
            .with_state(Arc::new(self))
    }

    fn knows(&self, headers: &HeaderMap) -> bool {
        // Digests are compared, so that the time taken tells nothing about the key.
        headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .is_some_and(|key| Digest::of(key.as_bytes()) == self.key)
    }
}

async fn serve(State(site): State<Arc<Site>>, request: Request) -> Response {
    let path = request.uri().path();
    let under = |root: &str| {
        path.strip_prefix(root)
            .is_some_and(|r| r.is_empty() || r.starts_with('/'))
    };
    if under("/signed") {
        site.fireworks.storage(request).await
    } else if under("/v1/accounts") {
        if site.knows(request.headers()) {
            site.fireworks.call(request).await
        } else {
            fireworks::unauthorized()
        }
    } else {
        let body = json!({"error": {"message": "no such path", "type": "invalid_request_error"}});
        exchange::json(StatusCode::NOT_FOUND, &body)
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
