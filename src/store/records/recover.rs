//! From the faces back to facts: what a new ledger begins with where the old one is lost.
//!
//! Rules: every trial before any part, so that the order of trials stands; a trial that owns work which an earlier one
//! shares plans it first, so that the files keep their owner; the owner's word about a work counts.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::{RunStateRecord, TrialManifestRecord, WorkRecord};
use crate::domain::event::PlannedPart;
use crate::domain::work::WorkEvent;
use crate::domain::{Digest, Event, PhaseStatus, StopLevel, TrialSlug, Usd, WorkKey};
use crate::store::RunPaths;
use crate::store::error::{Result, StoreError};

/// Parts in one fact, so that no line of the ledger grows with the run.
const PARTS_PER_FACT: usize = 500;

/// The facts, with their times, that rebuild the picture which the faces show.
///
/// Fails where `run_state.json` or the manifest of one of its trials is missing, damaged or of another version.
pub fn recover(paths: &RunPaths) -> Result<Vec<(Timestamp, Event)>> {
    let state = RunStateRecord::read(paths)?;
    let manifests = state
        .trials
        .iter()
        .map(|slug| TrialManifestRecord::read(paths, slug))
        .collect::<Result<Vec<_>>>()?;
    let Some(config_hash) = state.config_hash else {
        return Err(StoreError::corrupt(
            &paths.run_state(),
            "it has no config_hash",
        ));
    };
    let begun = state.created_at.or(state.updated_at).unwrap_or_default();
    let mut facts = Facts {
        list: Vec::new(),
        now: state.updated_at.unwrap_or(begun),
    };
    facts.run(&state, config_hash, begun);
    for manifest in &manifests {
        facts.add(Event::TrialPlanned {
            trial: manifest.trial.clone(),
        });
    }
    facts.parts(&manifests);
    facts.standings(&manifests);
    let of_trials = manifests.iter().flat_map(|m| &m.stamps);
    for stamp in state.stamps.iter().chain(of_trials) {
        facts.add(Event::Stamped {
            stamp: stamp.clone(),
        });
    }
    let unnamed = state.stop_requested.then_some(StopLevel::Soft);
    if let Some(level) = state.stop_level.or(unnamed) {
        let source = "run_state.json".to_owned();
        facts.add(Event::StopRequested { level, source });
    }
    Ok(facts.list)
}

struct Facts {
    list: Vec<(Timestamp, Event)>,
    now: Timestamp,
}

impl Facts {
    fn add(&mut self, event: Event) {
        self.list.push((self.now, event));
    }

    fn run(&mut self, state: &RunStateRecord, config_hash: Digest, begun: Timestamp) {
        let created = Event::RunCreated {
            run_id: state.run_id.clone(),
            config_path: state.config_path.clone(),
            config_hash,
            budget: state.totals.budget_usd.and_then(Usd::from_dollars),
            migrated: state.migrated,
        };
        self.list.push((begun, created));
        for drift in &state.drift {
            let changes = drift.changes.clone();
            let accepted = Event::DriftAccepted {
                config_hash,
                changes,
            };
            self.list.push((drift.at, accepted));
        }
        if let Some(writer) = &state.writer {
            let started = Event::DriverStarted {
                pid: writer.pid,
                host: writer.host.clone(),
                gate: writer.gate,
            };
            self.list.push((writer.since, started));
            if let Some(exit) = writer.exit {
                self.add(Event::DriverEnded { exit });
            }
        }
        for (&phase, record) in &state.phases {
            if let Some(at) = record.started_at {
                self.list.push((at, Event::PhaseStarted { phase }));
            }
            if !matches!(
                record.status,
                PhaseStatus::NotStarted | PhaseStatus::InProgress
            ) {
                let ended = Event::PhaseEnded {
                    phase,
                    status: record.status,
                    error: record.last_error.clone(),
                };
                self.list
                    .push((record.updated_at.unwrap_or(self.now), ended));
            }
        }
    }

    fn parts(&mut self, manifests: &[TrialManifestRecord]) {
        let mut seen = HashSet::new();
        let late_owners: HashSet<_> = manifests
            .iter()
            .flat_map(|manifest| {
                seen.insert(&manifest.trial.slug);
                let owners = manifest.works.iter().filter_map(|w| w.shared_with.as_ref());
                owners
                    .filter(|owner| !seen.contains(owner))
                    .collect::<Vec<_>>()
            })
            .collect();
        for manifest in manifests {
            if late_owners.contains(&manifest.trial.slug) {
                let owned = manifest.works.iter().filter(|w| w.shared_with.is_none());
                self.plan(&manifest.trial.slug, owned);
            }
        }
        for manifest in manifests {
            self.plan(&manifest.trial.slug, manifest.works.iter());
        }
    }

    fn plan<'a>(&mut self, slug: &TrialSlug, works: impl Iterator<Item = &'a WorkRecord>) {
        let parts: Vec<PlannedPart> = works.map(WorkRecord::planned).collect();
        for (index, chunk) in parts.chunks(PARTS_PER_FACT).enumerate() {
            self.add(Event::PartsPlanned {
                trial: slug.clone(),
                first: index == 0,
                parts: chunk.to_vec(),
            });
        }
    }

    fn standings(&mut self, manifests: &[TrialManifestRecord]) {
        let mut known: HashMap<WorkKey, &WorkRecord> = HashMap::new();
        let all = || manifests.iter().flat_map(|m| &m.works);
        for record in all() {
            if record.shared_with.is_none() {
                known.insert(record.work, record);
            } else {
                known.entry(record.work).or_insert(record);
            }
        }
        for record in all() {
            if let Some(record) = known.remove(&record.work) {
                self.add(Event::Work {
                    work: record.work,
                    event: WorkEvent::Restored(Box::new(record.standing.clone())),
                });
            }
        }
    }
}
