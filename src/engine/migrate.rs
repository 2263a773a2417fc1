//! Rebuilds the ledger of a run that lost it from what the faces say. `resume` does the same on its way.

use serde::Serialize;

use super::error::EngineError;
use super::launch::{Host, exists, read_view};
use crate::domain::{RunId, WorkStatus};
use crate::store::{Holder, Ledger, RunLock, StoreError, records};

/// What a migration found and did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Migration {
    /// The run.
    pub run_id: RunId,
    /// Facts written into the new ledger; 0 where it needed none.
    pub facts: u64,
    /// Parts of the run.
    pub parts: u64,
    /// Parts whose results are recorded as downloaded.
    pub parts_done: u64,
    /// Parts whose last submission has no recorded outcome: `resume` asks the provider.
    pub parts_in_doubt: u64,
}

/// Rebuilds the ledger where it is missing; changes nothing where it is there.
pub fn migrate(host: &Host, run_id: &RunId) -> Result<Migration, EngineError> {
    let paths = host.experiments.run(run_id);
    if !exists(&paths) {
        let dir = host.experiments.path().to_path_buf();
        return Err(StoreError::NoSuchRun {
            run_id: run_id.clone(),
            dir,
        }
        .into());
    }
    if !paths.effective_config().exists() {
        let message = format!(
            "run {run_id} has no effective_config.yaml, so it was not made by this program; run folders of the predecessor cannot be taken in by this version"
        );
        return Err(EngineError::Usage { message });
    }
    let (view, recovered) = read_view(run_id, &paths)?;
    let mut migration = Migration {
        run_id: run_id.clone(),
        facts: 0,
        parts: view.totals.all(),
        parts_done: view.totals.with(WorkStatus::Downloaded),
        parts_in_doubt: view.totals.with(WorkStatus::InDoubt),
    };
    if recovered {
        let lock = RunLock::acquire(&paths, &Holder::this_process(host.clock.now()))?;
        let (mut ledger, _) = Ledger::open(&lock, &paths)?;
        migration.facts = ledger.append_dated(records::recover(&paths)?)?.len() as u64;
    }
    Ok(migration)
}
