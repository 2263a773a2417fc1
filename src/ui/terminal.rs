//! The terminal: taken over and given back on every way out, and drawn to in whole frames.
//!
//! Built by hand, because the ready-made way panics without a terminal, restores on panics of tasks too, and asks the
//! terminal for its cursor while the reader of keys is alive.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste,
    EnableFocusChange, EnableMouseCapture,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{clipboard::CopyToClipboard, cursor, execute, queue};
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::{Mouse, UiError};

/// A full frame of 120x36 is about 20 kB: one write instead of many, which could tear.
const FRAME_BYTES: usize = 64 * 1024;

type Writer = BufWriter<Tty>;

/// Writes to the terminal and remembers a failure instead of returning it: ratatui answers an error in its `Drop` by
/// printing to standard error, which panics where that is the same dead terminal.
#[derive(Debug)]
struct Tty {
    file: File,
    lost: Arc<AtomicBool>,
}

impl Write for Tty {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.file.write(bytes) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                self.lost.store(true, Ordering::Relaxed);
                Ok(bytes.len())
            }
            other => other,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The terminal while the console has it. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Writer>>,
    lost: Arc<AtomicBool>,
}

fn failed(doing: &'static str) -> impl FnOnce(io::Error) -> UiError {
    move |source| UiError::Terminal { doing, source }
}

/// Whether keys can be read and frames be written.
pub(super) fn is_there() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

fn stdout() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

fn writer(lost: &Arc<AtomicBool>) -> io::Result<Writer> {
    let tty = Tty {
        file: stdout()?,
        lost: Arc::clone(lost),
    };
    Ok(BufWriter::with_capacity(FRAME_BYTES, tty))
}

impl Screen {
    /// Takes the terminal over.
    pub(super) fn enter(mouse: Mouse) -> Result<Self, UiError> {
        let lost = Arc::new(AtomicBool::new(false));
        let mut out = writer(&lost).map_err(failed("open"))?;
        enable_raw_mode().map_err(failed("set up"))?;
        let set_up = || -> io::Result<Terminal<CrosstermBackend<Writer>>> {
            execute!(
                out,
                EnterAlternateScreen,
                Clear(ClearType::All),
                EnableBracketedPaste,
                EnableFocusChange,
                cursor::Hide
            )?;
            if mouse == Mouse::On {
                execute!(out, EnableMouseCapture)?;
            }
            fixed(out)
        };
        match set_up() {
            Ok(terminal) => Ok(Self { terminal, lost }),
            Err(source) => {
                restore();
                Err(failed("set up")(source))
            }
        }
    }

    /// The size of the terminal now.
    pub(super) fn size(&self) -> Size {
        self.terminal.backend().size().unwrap_or_default()
    }

    /// Draws a frame: only what differs from the one before reaches the terminal, and all of it at once.
    pub(super) fn draw<T: Default>(
        &mut self,
        view: impl FnOnce(&mut Buffer) -> T,
    ) -> Result<T, UiError> {
        let mut seen = T::default();
        let begin = queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate);
        begin.map_err(failed("draw on"))?;
        self.terminal
            .draw(|frame| seen = view(frame.buffer_mut()))
            .map_err(failed("draw on"))?;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate).map_err(failed("draw on"))?;
        if self.lost.load(Ordering::Relaxed) {
            let gone = io::Error::from(io::ErrorKind::BrokenPipe);
            return Err(failed("draw on")(gone));
        }
        Ok(seen)
    }

    /// Starts from an empty screen: after a change of size, or where something else has painted over it.
    pub(super) fn renew(&mut self) -> Result<(), UiError> {
        let mut out = writer(&self.lost).map_err(failed("open"))?;
        queue!(out, BeginSynchronizedUpdate, Clear(ClearType::All)).map_err(failed("clear"))?;
        self.terminal = fixed(out).map_err(failed("clear"))?;
        Ok(())
    }

    /// Puts a text on the terminal's clipboard (OSC 52).
    pub(super) fn copy(&mut self, text: &str) -> Result<(), UiError> {
        execute!(
            self.terminal.backend_mut(),
            CopyToClipboard::to_clipboard_from(text)
        )
        .map_err(failed("copy through"))
    }
}

/// A terminal with a fixed area: it never asks for the size or the cursor by itself.
fn fixed(out: Writer) -> io::Result<Terminal<CrosstermBackend<Writer>>> {
    let backend = CrosstermBackend::new(out);
    let size = backend.size()?;
    let viewport = Viewport::Fixed(Rect::new(0, 0, size.width, size.height));
    Terminal::with_options(backend, TerminalOptions { viewport })
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back. Safe to repeat; failures are left, because there is nobody to tell.
pub(super) fn restore() {
    let raw = disable_raw_mode();
    let left = stdout().and_then(|mut out| {
        execute!(
            out,
            EndSynchronizedUpdate,
            DisableMouseCapture,
            DisableFocusChange,
            DisableBracketedPaste,
            LeaveAlternateScreen,
            cursor::Show
        )?;
        out.flush()
    });
    drop((raw, left));
}
