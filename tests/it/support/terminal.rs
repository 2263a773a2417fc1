//! The console in a terminal of its own: keys go in, and the screen that a person would see comes out.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

use super::{World, wait_for, wait_until};

/// A terminal with the console in it; the console never outlives the test.
pub(crate) struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    screen: Arc<Mutex<vt100::Parser>>,
}

fn cells(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).expect("not zero")
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        pixel_width: 0,
        pixel_height: 0,
    }
}

impl Terminal {
    /// Opens the console in a world.
    pub(crate) fn open(world: &World, args: &[&str], (columns, rows): (u16, u16)) -> Self {
        let pair = native_pty_system()
            .openpty(size(columns, rows))
            .expect("a terminal");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_evaltui"));
        command.args(args);
        command.env_clear();
        command.env("TERM", "xterm-256color");
        command.env("PATH", "/usr/bin:/bin");
        command.cwd(world.work());
        let child = pair
            .slave
            .spawn_command(command)
            .expect("the console starts");
        drop(pair.slave);
        let screen = Arc::new(Mutex::new(vt100::Parser::new(
            cells(rows),
            cells(columns),
            0,
        )));
        let mut output = pair.master.try_clone_reader().expect("its output");
        let painted = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut bytes = [0; 8192];
            // Ends with the terminal, which goes with the console.
            while let Ok(n @ 1..) = output.read(&mut bytes) {
                painted.lock().expect("a screen").process(&bytes[..n]);
            }
        });
        Self {
            child,
            keys: pair.master.take_writer().expect("its keys"),
            master: pair.master,
            screen,
        }
    }

    /// Types a text; `\r` is Enter, `\x1b` Escape.
    pub(crate) fn types(&mut self, text: &str) {
        self.keys.write_all(text.as_bytes()).expect("typed");
        self.keys.flush().expect("typed");
    }

    /// The screen as text.
    pub(crate) fn text(&self) -> String {
        self.screen.lock().expect("a screen").screen().contents()
    }

    /// Waits until the screen shows all of these, and gives it.
    pub(crate) fn shows(&mut self, words: &[&str]) -> String {
        let begun = std::time::Instant::now();
        loop {
            let text = self.text();
            if words.iter().all(|word| text.contains(word)) {
                return text;
            }
            assert!(
                begun.elapsed() < super::DEADLINE,
                "{words:?} are not shown:\n{text}"
            );
            assert!(
                self.child.try_wait().expect("its state").is_none(),
                "the console has left before {words:?} were shown:\n{text}"
            );
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    /// Gives the terminal another size.
    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        self.screen
            .lock()
            .expect("a screen")
            .screen_mut()
            .set_size(cells(rows), cells(columns));
        self.master.resize(size(columns, rows)).expect("resized");
    }

    /// Sends the console a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = self
            .child
            .process_id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?))
            .expect("a process");
        kill_process(pid, signal).expect("signalled");
    }

    /// Waits for the console's end, checks that the terminal is as it was, and gives the exit code.
    pub(crate) fn left(mut self) -> u32 {
        let status = wait_for("the console's end", || {
            self.child.try_wait().expect("its state")
        });
        let restored = || {
            let parser = self.screen.lock().expect("a screen");
            let screen = parser.screen();
            !screen.alternate_screen()
                && !screen.hide_cursor()
                && !screen.bracketed_paste()
                && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
        };
        wait_until("a restored terminal", restored);
        assert!(!self.text().contains("panicked"), "{}", self.text());
        status.exit_code()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Already gone where the test went well.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
