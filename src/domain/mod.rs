//! Plain values: the words of the contract as types. No input or output, no clock, no provider.
//!
//! Read in this order: names and numbers first ([`ids`], [`units`], [`digest`]), then what an experiment is made of
//! ([`item`], [`trial`], [`request`]), then how it moves ([`phase`], [`work`], [`job`], [`event`]), and how it is judged
//! done ([`freshness`], [`decision`]).

pub mod decision;
pub mod digest;
pub mod event;
pub mod exit;
pub mod freshness;
pub mod ids;
pub mod item;
pub mod job;
pub mod json;
pub mod phase;
pub mod request;
pub mod restored;
pub mod source;
pub mod text;
pub mod trial;
pub mod units;
pub mod work;

pub use decision::{Decision, PhaseDecision, Plan, Quote, TrialDecision, WorklistEntry};
pub use digest::Digest;
pub use event::{Event, LogLevel, LogLine, Recorded, StopLevel};
pub use exit::ExitCode;
pub use freshness::{FileMark, Freshness, StaleReason, Stamp};
pub use ids::{ItemKey, PartKey, RemoteId, RunId, SubmissionKey, TrialSlug, WorkKey};
pub use item::{Item, ScorerName};
pub use job::{JobCounts, JobParams, JobState};
pub use phase::{Gate, Phase, PhaseStatus, Stage};
pub use request::{Condition, CustomId, ItemType};
pub use restored::Restored;
pub use source::{DatasetFormat, FieldMap, SourceSpec};
pub use trial::{MaxNewTokens, Trial};
pub use units::{Temperature, TokenUsage, Usd};
pub use work::{WorkState, WorkStatus};
