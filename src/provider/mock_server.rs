//! A loopback server made of a queue of replies, for tests: it can do what a well-made server never does.
//!
//! Plain HTTP/1.1 over a socket, because a proper server crate would refuse to send half an answer.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    /// Method and target, e.g. `GET /v1/x?y=z`.
    pub(crate) line: String,
    /// Headers, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What the server does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// A proper answer.
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// These bytes, and then the connection is closed.
    Raw(Vec<u8>),
    /// These bytes one by one, with a pause before each.
    Drip(Vec<u8>, Duration),
    /// The connection is reset.
    Reset,
    /// No answer, ever.
    Hang,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::Answer(status, Vec::new(), body.to_string().into_bytes())
    }

    pub(crate) fn text(status: u16, body: &str) -> Self {
        Self::Answer(status, Vec::new(), body.as_bytes().to_vec())
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Answer(_, headers, _) = &mut self {
            headers.push((name, value.into()));
        }
        self
    }
}

type Responder = Box<dyn FnMut(&Request) -> Reply + Send>;

#[derive(Default)]
struct State {
    queue: VecDeque<Responder>,
    otherwise: Option<Responder>,
    seen: Vec<Request>,
}

/// The server. Stops when dropped.
pub(crate) struct MockServer {
    state: Arc<Mutex<State>>,
    address: String,
    task: tokio::task::JoinHandle<()>,
}

impl MockServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self {
            state,
            address,
            task,
        }
    }

    /// Where it listens, e.g. `http://127.0.0.1:4711`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Adds a reply to the queue.
    pub(crate) fn push(&self, reply: Reply) {
        self.push_fn(move |_| reply.clone());
    }

    /// Adds a reply that depends on the request.
    pub(crate) fn push_fn(&self, reply: impl FnMut(&Request) -> Reply + Send + 'static) {
        self.state.lock().unwrap().queue.push_back(Box::new(reply));
    }

    /// What is done once the queue is empty; without it, 599.
    pub(crate) fn otherwise(&self, reply: impl FnMut(&Request) -> Reply + Send + 'static) {
        self.state.lock().unwrap().otherwise = Some(Box::new(reply));
    }

    /// All requests so far.
    pub(crate) fn seen(&self) -> Vec<Request> {
        self.state.lock().unwrap().seen.clone()
    }

    /// The request lines so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|r| r.line).collect()
    }
}

impl Drop for MockServer {
    fn drop(&mut self) {
        // Ends the connections too: the set lives in the task.
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut buffer).await {
        let reply = {
            let mut state = state.lock().unwrap();
            state.seen.push(request.clone());
            match state.queue.pop_front() {
                Some(mut next) => next(&request),
                None => match &mut state.otherwise {
                    Some(otherwise) => otherwise(&request),
                    None => Reply::text(599, "no reply was prepared"),
                },
            }
        };
        if !write_reply(&mut stream, reply).await {
            return;
        }
    }
}

/// Writes a reply; false where the connection ends with it.
async fn write_reply(stream: &mut TcpStream, reply: Reply) -> bool {
    match reply {
        Reply::Answer(status, headers, body) => {
            let mut head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in headers {
                head.extend([name, ": ", &value, "\r\n"]);
            }
            let answer = [head.as_bytes(), b"\r\n", &body].concat();
            stream.write_all(&answer).await.is_ok()
        }
        Reply::Raw(bytes) => {
            stream.write_all(&bytes).await.ok();
            stream.shutdown().await.ok();
            false
        }
        Reply::Drip(bytes, pause) => {
            for byte in bytes {
                tokio::time::sleep(pause).await;
                if stream.write_all(&[byte]).await.is_err() {
                    break;
                }
            }
            false
        }
        Reply::Reset => {
            stream.set_zero_linger().ok();
            false
        }
        Reply::Hang => std::future::pending().await,
    }
}

async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Request> {
    let end = read_until(stream, buffer, b"\r\n\r\n").await?;
    let head = String::from_utf8(buffer.drain(..end).collect()).unwrap();
    let mut lines = head.split("\r\n");
    let line = lines.next()?.trim_end_matches(" HTTP/1.1").to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|l| l.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let mut request = Request {
        line,
        headers,
        body: Vec::new(),
    };
    if let Some(length) = request.header("content-length") {
        let length: usize = length.parse().unwrap();
        fill(stream, buffer, length).await?;
        request.body = buffer.drain(..length).collect();
    } else if request.header("transfer-encoding") == Some("chunked") {
        loop {
            let end = read_until(stream, buffer, b"\r\n").await?;
            let size = String::from_utf8(buffer.drain(..end).collect()).unwrap();
            let size = usize::from_str_radix(size.trim(), 16).unwrap();
            fill(stream, buffer, size + 2).await?;
            let chunk: Vec<u8> = buffer.drain(..size + 2).collect();
            request.body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                break;
            }
        }
    }
    Some(request)
}

async fn read_until(stream: &mut TcpStream, buffer: &mut Vec<u8>, mark: &[u8]) -> Option<usize> {
    loop {
        if let Some(at) = buffer.windows(mark.len()).position(|w| w == mark) {
            return Some(at + mark.len());
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

async fn fill(stream: &mut TcpStream, buffer: &mut Vec<u8>, bytes: usize) -> Option<()> {
    while buffer.len() < bytes {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    Some(())
}
