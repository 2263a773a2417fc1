//! What the tests share: a world to run the program in, recipes for configs, pictures of folders, waiting with a deadline.

mod program;
mod recipe;
mod terminal;
mod tree;
mod world;

use std::thread;
use std::time::{Duration, Instant};

pub(crate) use program::{Finished, Running};
pub(crate) use recipe::Recipe;
pub(crate) use terminal::Terminal;
pub(crate) use tree::Tree;
pub(crate) use world::{SLUG, World, json};

/// The longest that anything may take on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(40);

/// Waits until `seen` gives something, looking often; fails with `what` after [`DEADLINE`].
pub(crate) fn wait_for<T>(what: &str, mut seen: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = seen() {
            return found;
        }
        assert!(begun.elapsed() < DEADLINE, "waited in vain for: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until `holds` is true.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    wait_for(what, || holds().then_some(()));
}
