//! Where everything is: the only file that spells the names of files and folders of a run.
//!
//! Every name is built from types that cannot hold a separator, so no path leaves the run (guarantees, G20).

use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use super::error::{Result, StoreError};
use crate::domain::ids::{NameError, PromptSetName};
use crate::domain::{Condition, PartKey, RunId, Temperature, TrialSlug};

const RUN_PREFIX: &str = "run_";

/// The folder that holds all runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExperimentsDir(PathBuf);

impl ExperimentsDir {
    /// The experiments folder at a path; it need not exist yet.
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The paths of a run, whether it exists or not.
    pub fn run(&self, run_id: &RunId) -> RunPaths {
        RunPaths {
            root: self.0.join(format!("{RUN_PREFIX}{run_id}")),
        }
    }

    /// The ids of the runs that have a folder, in alphabetical order. Links and odd names are not runs.
    pub fn run_ids(&self) -> Result<Vec<RunId>> {
        let entries = match std::fs::read_dir(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(StoreError::io("list", &self.0))?,
        };
        let mut ids = Vec::new();
        for entry in entries {
            let entry = entry.map_err(StoreError::io("list", &self.0))?;
            let name = entry.file_name();
            let id = name
                .to_str()
                .and_then(|name| name.strip_prefix(RUN_PREFIX))
                .and_then(|id| RunId::new(id).ok());
            // `file_type` does not follow links.
            if let (Some(id), Ok(kind)) = (id, entry.file_type())
                && kind.is_dir()
            {
                ids.push(id);
            }
        }
        ids.sort();
        Ok(ids)
    }
}

/// The paths of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunPaths {
    root: PathBuf,
}

impl RunPaths {
    /// The run's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What the run was made with.
    pub fn effective_config(&self) -> PathBuf {
        self.root.join("effective_config.yaml")
    }

    /// The run's face.
    pub fn run_state(&self) -> PathBuf {
        self.root.join("run_state.json")
    }

    /// The truth about parts and jobs.
    pub fn ledger(&self) -> PathBuf {
        self.root.join("ledger.jsonl")
    }

    /// The log for people.
    pub fn events(&self) -> PathBuf {
        self.root.join("events.jsonl")
    }

    /// The lock file. Never deleted.
    pub fn lock(&self) -> PathBuf {
        self.root.join(".state.lock")
    }

    /// Exists where a soft stop is asked for.
    pub fn stop_requested(&self) -> PathBuf {
        self.root.join("STOP_REQUESTED")
    }

    /// Exists where a stop without waiting is asked for.
    pub fn stop_now(&self) -> PathBuf {
        self.root.join("STOP_NOW")
    }

    /// Normalised items.
    pub fn prepared_dir(&self) -> PathBuf {
        self.root.join("prepared")
    }

    /// Items with a passage.
    pub fn open_book(&self) -> PathBuf {
        self.prepared_dir().join("open_book.jsonl")
    }

    /// Items without a passage.
    pub fn closed_book(&self) -> PathBuf {
        self.prepared_dir().join("closed_book.jsonl")
    }

    /// Sizes and digests of the prepared files.
    pub fn prepared_manifest(&self) -> PathBuf {
        self.prepared_dir().join("prepared_manifest.json")
    }

    /// Rows of the sources that were not taken, each with its reason.
    pub fn rejects(&self) -> PathBuf {
        self.prepared_dir().join("rejects.jsonl")
    }

    /// Inputs of the jobs.
    pub fn batch_inputs_dir(&self) -> PathBuf {
        self.root.join("batch_inputs")
    }

    /// One input by its file name, as [`batch_input_name`] made it. Fails where the name is not plain.
    pub fn batch_input(&self, name: &str) -> Result<PathBuf> {
        Ok(self.batch_inputs_dir().join(plain(name)?))
    }

    /// Lines and digests of the inputs.
    pub fn build_manifest(&self) -> PathBuf {
        self.batch_inputs_dir().join("build_manifest.json")
    }

    /// The paths of a trial.
    pub fn trial(&self, slug: &TrialSlug) -> TrialPaths {
        TrialPaths {
            root: self.root.join(slug.as_str()),
        }
    }

    /// The report over all trials.
    pub fn aggregate_report(&self) -> PathBuf {
        self.root.join("aggregate_report.md")
    }

    /// The list of trials and their main artifacts.
    pub fn multi_trial_manifest(&self) -> PathBuf {
        self.root.join("multi_trial_manifest.json")
    }

    /// Every artifact with size and digest; made by archive.
    pub fn archive_manifest(&self) -> PathBuf {
        self.root.join("archive_manifest.json")
    }

    /// The form, in manifests, of the path of a part's results.
    pub fn results_name(slug: &TrialSlug, key: PartKey) -> String {
        let here = Self {
            root: PathBuf::new(),
        };
        let path = here.trial(slug).part(key).results();
        path.to_string_lossy().into_owned()
    }

    /// The form of a path in stamps and manifests: relative to the run's folder; outside of it absolute, or with a
    /// leading `./` or `../` from the working folder, so that [`Self::resolve`] can tell them apart.
    pub fn relative(&self, path: &Path) -> String {
        let text = |path: &Path| {
            path.components()
                .map(|part| part.as_os_str().to_string_lossy())
                .collect::<Vec<_>>()
                .join("/")
        };
        if let Ok(inside) = path.strip_prefix(&self.root) {
            return text(inside);
        }
        match path.components().next() {
            Some(Component::Normal(_)) => format!("./{}", text(path)),
            Some(Component::RootDir) => format!("/{}", text(path).trim_start_matches('/')),
            _ => text(path),
        }
    }

    /// The path that [`Self::relative`] wrote.
    pub fn resolve(&self, text: &str) -> PathBuf {
        if text.starts_with("./") || text.starts_with("../") || text.starts_with('/') {
            PathBuf::from(text)
        } else {
            self.root.join(text)
        }
    }
}

fn plain(name: &str) -> Result<&str> {
    let ok = !name.is_empty()
        && name.len() <= 255
        && !name.starts_with(['.', '-'])
        && !name.contains("..")
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    if ok {
        return Ok(name);
    }
    Err(StoreError::Name(NameError {
        kind: "file name",
        text: name.chars().take(80).collect(),
        problem: "is not a plain name",
    }))
}

/// The file name of a batch input, e.g. `t0_operational_only_control.p01.jsonl`.
pub fn batch_input_name(
    temp: Temperature,
    prompt_set: &PromptSetName,
    condition: Condition,
    number: u32,
) -> String {
    format!(
        "{}_{prompt_set}_{condition}.p{number:02}.jsonl",
        temp.label()
    )
}

/// The paths of one trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialPaths {
    root: PathBuf,
}

impl TrialPaths {
    /// The trial's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Results, scores and statistics.
    pub fn results_dir(&self) -> PathBuf {
        self.root.join("results")
    }

    /// The trial's face.
    pub fn trial_manifest(&self) -> PathBuf {
        self.results_dir().join("trial_manifest.json")
    }

    /// The paths of a part.
    pub fn part(&self, key: PartKey) -> PartPaths {
        PartPaths {
            dir: self.results_dir().join(key.to_string()),
        }
    }

    /// The results of all parts, one line for each request.
    pub fn results_combined(&self) -> PathBuf {
        self.results_dir().join("results_combined.jsonl")
    }

    /// Answers as a table.
    pub fn predictions(&self) -> PathBuf {
        self.results_dir().join("predictions.csv")
    }

    /// Scores as a table.
    pub fn per_item_scores(&self) -> PathBuf {
        self.results_dir().join("per_item_scores.csv")
    }

    /// The statistics.
    pub fn significance(&self) -> PathBuf {
        self.results_dir().join("significance.json")
    }

    /// Tokens and money.
    pub fn costs(&self) -> PathBuf {
        self.results_dir().join("costs.json")
    }

    /// Reports and plots.
    pub fn reports_dir(&self) -> PathBuf {
        self.root.join("reports")
    }

    /// The report as Markdown.
    pub fn report_md(&self) -> PathBuf {
        self.reports_dir().join("report.md")
    }

    /// The report as HTML.
    pub fn report_html(&self) -> PathBuf {
        self.reports_dir().join("report.html")
    }
}

/// The paths of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartPaths {
    dir: PathBuf,
}

impl PartPaths {
    /// The part's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// One line for each answered request, in the order of the input.
    pub fn results(&self) -> PathBuf {
        self.dir.join("results.jsonl")
    }

    /// One line for each failed or missing request.
    pub fn errors(&self) -> PathBuf {
        self.dir.join("errors.jsonl")
    }

    /// The provider's last word about the job.
    pub fn job_json(&self) -> PathBuf {
        self.dir.join("job.json")
    }

    /// The provider's name of the output.
    pub fn output_dataset_id(&self) -> PathBuf {
        self.dir.join("OUTPUT_DATASET_ID.txt")
    }

    /// What a follow-up attempt sends; the first sends the part itself.
    pub fn attempt_input(&self, number: u32) -> PathBuf {
        self.dir.join(format!("attempt_{number:02}.input.jsonl"))
    }

    /// What an attempt's job answered, as downloaded.
    pub fn attempt_results(&self, number: u32) -> PathBuf {
        self.dir.join(format!("attempt_{number:02}.results.jsonl"))
    }

    /// What an attempt's job could not answer, as downloaded.
    pub fn attempt_errors(&self, number: u32) -> PathBuf {
        self.dir.join(format!("attempt_{number:02}.errors.jsonl"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fixture::put;

    fn paths(root: &str) -> RunPaths {
        ExperimentsDir::new(PathBuf::from(root)).run(&RunId::new("r1").expect("plain"))
    }

    #[test]
    fn only_real_folders_with_plain_ids_are_runs() {
        let dir = tempfile::tempdir().expect("a folder");
        let at = |name: &str| dir.path().join(name);
        for name in ["run_b", "run_a", "run_", "run_a b", "other"] {
            std::fs::create_dir(at(name)).expect("made");
        }
        put(&at("run_file"), b"");
        std::os::unix::fs::symlink(at("run_a"), at("run_link")).expect("linked");
        let list = ExperimentsDir::new(dir.path().to_path_buf());
        let ids: Vec<_> = list.run_ids().expect("listed");
        assert_eq!(
            ids.iter().map(RunId::as_str).collect::<Vec<_>>(),
            ["a", "b"]
        );
        let none = ExperimentsDir::new(at("missing"));
        assert_eq!(none.run_ids().expect("listed"), []);
    }

    #[test]
    fn every_path_in_a_stamp_reads_back_as_the_same_file() {
        for (root, file, text) in [
            ("experiments", "experiments/run_r1/prepared/x", "prepared/x"),
            ("/e", "/e/run_r1/prepared/x", "prepared/x"),
            ("experiments", "data/dev.json", "./data/dev.json"),
            ("experiments", "../data/dev.json", "../data/dev.json"),
            ("experiments", "/data/dev.json", "/data/dev.json"),
            (
                "experiments",
                "experiments/run_r2/x",
                "./experiments/run_r2/x",
            ),
        ] {
            let paths = paths(root);
            assert_eq!(paths.relative(Path::new(file)), text);
            let back = paths.resolve(text);
            assert_eq!(back.strip_prefix(".").unwrap_or(&back), Path::new(file));
        }
    }

    #[test]
    fn names_are_the_contracts_and_never_leave_the_run() {
        let paths = paths("e");
        let set = PromptSetName::new("operational_only").expect("plain");
        let temp = Temperature::new(0.25).expect("a temperature");
        let name = batch_input_name(temp, &set, Condition::Control, 1);
        assert_eq!(name, "t025_operational_only_control.p01.jsonl");
        assert!(paths.batch_input(&name).is_ok());
        for bad in ["", "..", "a/b", "../x", ".hidden", "a\0b", "a..b"] {
            assert!(paths.batch_input(bad).is_err(), "{bad:?}");
        }
        let slug = TrialSlug::new("m-p").expect("plain");
        let key = "t0_control_p107".parse().expect("a key");
        assert_eq!(
            RunPaths::results_name(&slug, key),
            "m-p/results/t0_control_p107/results.jsonl"
        );
    }
}
