//! What can happen to the console from outside its loop: panics, signals, suspension, a terminal that goes away.

use std::io;
use std::panic::PanicHookInfo;
use std::sync::Arc;
use std::thread::{self, ThreadId};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Signal as Posix, getpgrp, getsid, kill_current_process_group};
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};
use tokio::sync::mpsc::UnboundedSender;

use super::event::{Event, Signal};
use super::terminal;

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// Restores the terminal where this thread panics; a panic elsewhere is told to the console. Dropping undoes it.
pub(super) struct PanicGuard {
    before: Arc<Hook>,
}

impl std::fmt::Debug for PanicGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PanicGuard")
    }
}

impl PanicGuard {
    /// Stands guard for the calling thread.
    pub(super) fn new(events: UnboundedSender<Event>) -> Self {
        let before: Arc<Hook> = Arc::new(std::panic::take_hook());
        let (inner, ui) = (Arc::clone(&before), thread::current().id());
        std::panic::set_hook(Box::new(move |info| on_panic(info, ui, (&inner, &events))));
        Self { before }
    }
}

fn on_panic(
    info: &PanicHookInfo<'_>,
    ui: ThreadId,
    (before, events): (&Hook, &UnboundedSender<Event>),
) {
    if thread::current().id() == ui {
        terminal::restore();
        before(info);
        return;
    }
    // The task's own handle reports the failure to whoever waits for it; printing here would paint over the screen.
    let payload = info.payload();
    let what = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    let place = info
        .location()
        .map_or_else(String::new, |l| format!(" at {}:{}", l.file(), l.line()));
    if events
        .send(Event::TaskDied(format!("{what}{place}")))
        .is_err()
    {
        before(info);
    }
}

impl Drop for PanicGuard {
    fn drop(&mut self) {
        // The hook cannot be changed while this thread panics.
        if !thread::panicking() {
            let before = Arc::clone(&self.before);
            std::panic::set_hook(Box::new(move |info| before(info)));
        }
    }
}

/// The signals that the console listens to.
#[derive(Debug)]
pub(super) struct Signals {
    term: Stream,
    int: Stream,
    hup: Stream,
    tstp: Stream,
}

impl Signals {
    /// Listens from now on.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            hup: signal(SignalKind::hangup())?,
            tstp: signal(SignalKind::from_raw(Posix::TSTP.as_raw()))?,
        })
    }

    /// The next signal.
    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.term.recv() => Signal::Leave,
            _ = self.int.recv() => Signal::Leave,
            _ = self.hup.recv() => Signal::HangUp,
            _ = self.tstp.recv() => Signal::Suspend,
        }
    }
}

/// Whether somebody could continue this process after it stops: not where it leads its session (as a terminal's own
/// command), because then there is no shell to type `fg` into.
pub(super) fn can_suspend() -> bool {
    getsid(None).is_ok_and(|session| session != getpgrp())
}

/// Stops the process until it is continued. The terminal must have been given back.
pub(super) fn suspend() -> io::Result<()> {
    // Not SIGTSTP: it is caught above, so that one from outside gives the terminal back first.
    kill_current_process_group(Posix::STOP)?;
    Ok(())
}

/// Tells the console when its terminal hangs up, and puts the reader of keys to sleep.
///
/// Without it the reader spins for ever on a dead terminal (crossterm issue 793): it retries end-of-file and EIO. After
/// the hang-up an empty pipe takes the place of standard input, on which it sleeps, and the runs can stop in order.
pub(super) fn watch_terminal(events: UnboundedSender<Event>) -> io::Result<()> {
    thread::Builder::new()
        .name("terminal-watch".to_owned())
        .spawn(move || watch(&events))
        .map(drop)
}

fn watch(events: &UnboundedSender<Event>) {
    loop {
        let stdin = io::stdin();
        let mut fds = [PollFd::new(&stdin, PollFlags::empty())];
        match poll(&mut fds, None) {
            Ok(_) if !fds[0].revents().is_empty() => break,
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => break,
        }
    }
    let parked = rustix::pipe::pipe().and_then(|(read, write)| {
        rustix::stdio::dup2_stdin(&read)?;
        Ok((read, write))
    });
    if events.send(Event::Signal(Signal::HangUp)).is_err() {
        return;
    }
    // The write end must stay open, or the pipe would read as ended and the reader would spin again.
    while parked.is_ok() {
        thread::park();
    }
}
