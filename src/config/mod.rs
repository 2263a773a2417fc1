//! From file, environment and flags to one validated [`Config`].
//!
//! Two layers: what was written (a tree with line and column for every node) and what was validated ([`settings`]). Only
//! the second reaches the rest of the program. The flow: `file` (text to tree) -> `overrides` (flags and environment laid
//! over it) -> `check` (against the one table of `keys`) -> `read` (tree to settings) -> `effective`.

mod check;
mod decoding;
mod diff;
mod effective;
mod error;
mod file;
mod files;
mod keys;
mod overrides;
mod pricing;
mod read;
mod schema;
mod service;
pub mod settings;
mod table;
#[cfg(test)]
mod tests;
mod trials;
mod yaml;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde_json::Value;

use crate::sys::Environment;

use self::file::Node;
use self::read::{Ctx, Origin, Reader};

pub use diff::{Change, diff};
pub use error::{ConfigErrors, Fault, Place, Problem};
pub use overrides::{Overrides, Throughput};
pub use schema::schema;
pub use settings::Config;

/// The largest config file, in bytes.
pub const MAX_CONFIG_BYTES: u64 = 4 << 20;

/// Opens a file that the config names; the one way to the disk, so that tests need none.
pub type Open<'a> = &'a dyn Fn(&str) -> io::Result<Box<dyn Read>>;

/// The config that a run was made with.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The config as it is now: recorded settings, present files, the given throughput flags.
    pub config: Config,
    /// The effective config as recorded; differs from `config.effective` where files changed since.
    pub effective: Value,
}

/// Loads a config for a new run. Fails with every problem of the file, the flags and the environment.
pub fn load(path: &Path, overrides: &Overrides, env: &Environment) -> Result<Config, ConfigErrors> {
    let shown = path.to_string_lossy();
    let text = read_config(path)?;
    parse(&text, &shown, overrides, env, &open_file)
}

/// Reads the text of a config for a new run; `open` is asked for every file that it names.
pub fn parse(
    text: &str,
    path: &str,
    overrides: &Overrides,
    env: &Environment,
    open: Open<'_>,
) -> Result<Config, ConfigErrors> {
    let ctx = Ctx {
        path,
        overrides,
        env,
        open,
        origin: Origin::Fresh,
    };
    build(tree(text, path)?, &ctx)
}

/// Reads the `effective_config.yaml` of a run back.
///
/// Of the flags only the throughput ones may differ from the recorded run. Prompt and dataset files are digested again; one
/// that is gone keeps its recorded digest (and a prompt its `text: None`). `paths.experiments_dir` is where the run lies.
pub fn load_effective(
    path: &Path,
    throughput: Throughput,
    env: &Environment,
) -> Result<Recorded, ConfigErrors> {
    let shown = path.to_string_lossy();
    let root = tree(&read_config(path)?, &shown)?;
    let effective = file::to_json(&root);
    let overrides = Overrides {
        throughput,
        ..Overrides::default()
    };
    let ctx = Ctx {
        path: &shown,
        overrides: &overrides,
        env,
        open: &open_file,
        origin: Origin::Recorded {
            experiments_dir: experiments_dir_of(path),
        },
    };
    let config = build(root, &ctx)?;
    Ok(Recorded { config, effective })
}

impl Config {
    /// The effective config as YAML with sorted keys; reads back to the identical value.
    pub fn effective_yaml(&self) -> String {
        yaml::write(&self.effective)
    }
}

fn tree(text: &str, path: &str) -> Result<Node, ConfigErrors> {
    if text.len() as u64 > MAX_CONFIG_BYTES {
        let max = MAX_CONFIG_BYTES;
        return Err(whole_file(path, Fault::TooLarge { max }));
    }
    file::parse(text).map_err(|problems| ConfigErrors::new(path, problems))
}

fn build(mut root: Node, ctx: &Ctx<'_>) -> Result<Config, ConfigErrors> {
    overrides::lay(&mut root, ctx.overrides, ctx.env);
    let mut problems = Vec::new();
    let checked = check::check(&root, table::ROOT, &mut problems);
    Reader::new(&checked, ctx, problems)
        .config()
        .map_err(|problems| ConfigErrors::new(ctx.path, problems))
}

fn read_config(path: &Path) -> Result<String, ConfigErrors> {
    let shown = path.to_string_lossy();
    let mut bytes = Vec::new();
    // One byte more than allowed tells that the limit is passed.
    open_file(&shown)
        .and_then(|file| file.take(MAX_CONFIG_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| {
            let reason = error.to_string();
            whole_file(&shown, Fault::Unreadable { reason })
        })?;
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()]
            .split(|byte| *byte == b'\n')
            .count();
        let place = Place::File { line, column: 1 };
        let problem = Problem {
            place,
            key: String::new(),
            fault: Fault::NotText,
        };
        ConfigErrors::new(&shown, vec![problem])
    })
}

fn whole_file(path: &str, fault: Fault) -> ConfigErrors {
    let problem = Problem {
        place: Place::WholeFile,
        key: String::new(),
        fault,
    };
    ConfigErrors::new(path, vec![problem])
}

/// Opens a regular file: a pipe or device could keep its reader waiting for ever.
fn open_file(path: &str) -> io::Result<Box<dyn Read>> {
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    if !metadata.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "is not a regular file",
        ));
    }
    Ok(Box::new(File::open(path)?))
}

/// `<experiments_dir>` of `<experiments_dir>/run_<id>/effective_config.yaml`.
fn experiments_dir_of(path: &Path) -> String {
    let folder = path.parent().and_then(Path::parent);
    match folder.map(|folder| folder.to_string_lossy().into_owned()) {
        Some(folder) if !folder.is_empty() => folder,
        _ => ".".to_owned(),
    }
}
