//! From a checked tree to the settings: what needs more than one key, another file or a name check is decided here.
//!
//! Reading goes on after a problem, so that all of them are reported together.

use std::collections::BTreeMap;
use std::io::Read;

use crate::domain::Usd;
use crate::sys::Environment;

use super::Open;
use super::error::{Fault, Place, Problem};
use super::file::Node;
use super::overrides::Overrides;
use super::settings::{Config, Execution, Paths, Sizes, StatsSettings, UnsupportedSettings};
use super::{effective, files, pricing, service, trials};

/// Whether a config is for a new run or belongs to one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// A new run: every file must be there.
    Fresh,
    /// A run's `effective_config.yaml`: files may be gone, and digests are what they were.
    Recorded {
        /// Where the run's folder lies.
        experiments_dir: String,
    },
}

/// What a reader needs besides the tree.
pub(super) struct Ctx<'a> {
    /// The config's path, as given.
    pub(super) path: &'a str,
    /// The flags.
    pub(super) overrides: &'a Overrides,
    /// The environment.
    pub(super) env: &'a Environment,
    /// The way to other files.
    pub(super) open: Open<'a>,
    /// New or recorded.
    pub(super) origin: Origin,
}

/// Reads a tree and collects problems.
pub(super) struct Reader<'a> {
    /// The checked tree.
    pub(super) root: &'a Node,
    /// The rest.
    pub(super) ctx: &'a Ctx<'a>,
    /// Problems so far.
    pub(super) problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    /// Starts with the problems that are known already.
    pub(super) fn new(root: &'a Node, ctx: &'a Ctx<'a>, problems: Vec<Problem>) -> Self {
        Self {
            root,
            ctx,
            problems,
        }
    }

    /// Notes a problem.
    pub(super) fn report(&mut self, place: Place, key: &str, fault: Fault) {
        self.problems.push(Problem {
            place,
            key: key.to_owned(),
            fault,
        });
    }

    /// Opens a file that the config names.
    pub(super) fn open(&self, path: &str) -> std::io::Result<Box<dyn Read>> {
        (self.ctx.open)(path)
    }

    /// A section of the tree; the check has put every section with a default there.
    pub(super) fn section(&self, key: &str) -> Option<&'a Node> {
        self.root.get(key)
    }

    /// The model that a name stands for.
    pub(super) fn model_of<'n>(&self, name: &'n str) -> &'n str
    where
        'a: 'n,
    {
        self.root
            .get("model_aliases")
            .and_then(|aliases| aliases.get(name))
            .and_then(Node::text)
            .unwrap_or(name)
    }

    /// The whole config, or all its problems.
    pub(super) fn config(mut self) -> Result<Config, Vec<Problem>> {
        let trials = trials::read(&mut self);
        let prompt_sets = files::prompt_sets(&mut self, &trials);
        let instructions = files::instructions(&mut self);
        let inputs = files::inputs(&mut self);
        let service = service::read(&mut self, &prompt_sets);
        let pricing = pricing::read(&mut self, service.settings.name);
        let (Some(instructions), true) = (instructions, self.problems.is_empty()) else {
            return Err(self.problems);
        };
        let mut config = Config {
            path: self.ctx.path.to_owned(),
            trials,
            prompt_sets,
            instructions,
            datasets: inputs.datasets.iter().map(|(s, _)| s.clone()).collect(),
            sizes: sizes(self.section("sizes")),
            paths: self.paths(),
            provider: service.settings,
            execution: execution(self.section("execution")),
            budget_max_usd: self
                .section("budget")
                .and_then(|b| b.get("max_usd"))
                .and_then(Node::number)
                .and_then(Usd::from_dollars),
            pricing,
            stats: stats(self.section("stats")),
            unsupported: unsupported(self.section("unsupported")),
            sampling_seed: whole(Some(self.root), "sampling_seed"),
            effective: serde_json::Value::Null,
        };
        config.effective = effective::of(&config, &inputs, service.written_base_url.as_deref());
        Ok(config)
    }

    fn paths(&self) -> Paths {
        let paths = self.section("paths");
        Paths {
            experiments_dir: match &self.ctx.origin {
                Origin::Recorded { experiments_dir } => experiments_dir.clone(),
                Origin::Fresh => self.at_home(&text(paths, "experiments_dir")),
            },
            prepared_dir: self.prepared_dir(),
        }
    }

    /// The folder of ready items.
    pub(super) fn prepared_dir(&self) -> String {
        self.at_home(&text(self.section("paths"), "prepared_dir"))
    }

    /// Puts the home folder for a leading `~/`, as the predecessor does for its folders.
    fn at_home(&self, folder: &str) -> String {
        match (folder.strip_prefix("~/"), self.ctx.env.get("HOME")) {
            (Some(rest), Some(home)) => format!("{}/{rest}", home.trim_end_matches('/')),
            _ => folder.to_owned(),
        }
    }
}

/// A text with a default in the table.
pub(super) fn text(section: Option<&Node>, key: &str) -> String {
    let node = section.and_then(|s| s.get(key));
    node.and_then(Node::text).unwrap_or_default().to_owned()
}

/// A number with a default in the table.
pub(super) fn number(section: Option<&Node>, key: &str) -> f64 {
    let node = section.and_then(|s| s.get(key));
    node.and_then(Node::number).unwrap_or_default()
}

/// A whole number with a default in the table.
pub(super) fn whole<T: TryFrom<i128> + Default>(section: Option<&Node>, key: &str) -> T {
    maybe(section, key).unwrap_or_default()
}

/// A whole number that may be left out.
pub(super) fn maybe<T: TryFrom<i128>>(section: Option<&Node>, key: &str) -> Option<T> {
    section.and_then(|s| s.get(key)).and_then(Node::whole)
}

fn truth(section: Option<&Node>, key: &str) -> bool {
    let node = section.and_then(|s| s.get(key));
    node.and_then(Node::truth).unwrap_or_default()
}

fn sizes(section: Option<&Node>) -> Sizes {
    Sizes {
        open_book_max_items: maybe(section, "open_book_max_items"),
        closed_book_max_items: maybe(section, "closed_book_max_items"),
        triviaqa_max_items: maybe(section, "triviaqa_max_items"),
        nq_open_max_items: maybe(section, "nq_open_max_items"),
        squad_v2_max_items: maybe(section, "squad_v2_max_items"),
        limit_items: maybe(section, "limit_items"),
    }
}

fn execution(section: Option<&Node>) -> Execution {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0.05 to 3600 by the table"
    )]
    let poll_ms = (number(section, "poll_seconds") * 1000.0).round() as u64;
    Execution {
        max_concurrent_jobs: whole(section, "max_concurrent_jobs"),
        lines_per_part: whole(section, "lines_per_part"),
        parts_per_dataset: maybe(section, "parts_per_dataset"),
        poll_ms,
        max_item_retries: whole(section, "max_item_retries"),
        min_coverage: number(section, "min_coverage"),
    }
}

fn stats(section: Option<&Node>) -> StatsSettings {
    let list = section.and_then(|s| s.get("risk_thresholds"));
    let margins = section.and_then(|s| s.get("tost_margins"));
    let margins: BTreeMap<_, _> = margins
        .map_or(&[][..], Node::entries)
        .iter()
        .filter_map(|entry| Some((entry.key.clone(), entry.node.number()?)))
        .collect();
    StatsSettings {
        bootstrap_samples: whole(section, "bootstrap_samples"),
        permutation_samples: whole(section, "permutation_samples"),
        random_seed: whole(section, "random_seed"),
        enable_permutation: truth(section, "enable_permutation"),
        enable_fdr: truth(section, "enable_fdr"),
        risk_thresholds: list
            .map_or(&[][..], Node::items)
            .iter()
            .filter_map(Node::number)
            .collect(),
        tost_alpha: number(section, "tost_alpha"),
        tost_margins: margins,
    }
}

fn unsupported(section: Option<&Node>) -> UnsupportedSettings {
    UnsupportedSettings {
        strategy: text(section, "strategy"),
        threshold: number(section, "threshold"),
        min_token_overlap: number(section, "min_token_overlap"),
    }
}
