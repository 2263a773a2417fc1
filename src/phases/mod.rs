//! One file for each phase that works on local files, with the same functions in the same order: `needs` (files read),
//! `makes` (files written), `knobs` (digest of the settings that matter) and `run`.
//!
//! A phase never decides whether it is done: the engine compares its stamp (`store::stamp`) and writes a new one after
//! success. Submit and poll live in `engine/queue`, because they overlap.

pub mod archive;
pub mod build;
pub mod costs;
pub mod ctx;
pub mod error;
pub mod parse;
pub mod parse_kernel;
pub mod prepare;
pub mod report;
pub mod score;
pub mod stats;

pub use ctx::{Ctx, Made, Outcome, Scope, Sink};
pub use error::PhaseError;

use std::path::PathBuf;

use crate::domain::{Digest, Phase};

/// The files a phase reads in a scope.
pub fn needs(phase: Phase, ctx: &Ctx, scope: &Scope) -> Result<Vec<PathBuf>, PhaseError> {
    Ok(match phase {
        Phase::Prepare => prepare::needs(ctx),
        Phase::Build => build::needs(ctx),
        Phase::Submit | Phase::Poll => Vec::new(),
        Phase::Parse => parse::needs(ctx, scope.trial()?),
        Phase::Score => score::needs(ctx, scope.trial()?),
        Phase::Stats => stats::needs(ctx, scope.trial()?),
        Phase::Costs => costs::needs(ctx, scope.trial()?),
        Phase::Report => report::needs(ctx, scope),
        Phase::Archive => archive::needs(ctx),
    })
}

/// The files a phase writes in a scope.
pub fn makes(phase: Phase, ctx: &Ctx, scope: &Scope) -> Result<Vec<PathBuf>, PhaseError> {
    Ok(match phase {
        Phase::Prepare => prepare::makes(ctx),
        Phase::Build => build::makes(ctx),
        Phase::Submit | Phase::Poll => Vec::new(),
        Phase::Parse => parse::makes(ctx, scope.trial()?),
        Phase::Score => score::makes(ctx, scope.trial()?),
        Phase::Stats => stats::makes(ctx, scope.trial()?),
        Phase::Costs => costs::makes(ctx, scope.trial()?),
        Phase::Report => report::makes(ctx, scope),
        Phase::Archive => archive::makes(ctx),
    })
}

/// The digest of the settings, and of the version of the method, that matter for a phase in a scope.
pub fn knobs(phase: Phase, ctx: &Ctx, scope: &Scope) -> Result<Digest, PhaseError> {
    Ok(match phase {
        Phase::Prepare => prepare::knobs(ctx),
        Phase::Build => build::knobs(ctx),
        Phase::Submit | Phase::Poll => Digest::of(b""),
        Phase::Parse => parse::knobs(),
        Phase::Score => score::knobs(ctx),
        Phase::Stats => stats::knobs(ctx),
        Phase::Costs => costs::knobs(ctx, scope.trial()?),
        Phase::Report => report::knobs(ctx, scope),
        Phase::Archive => archive::knobs(),
    })
}

/// Does a phase in a scope. Blocking; runs on a thread of its own.
pub fn run(phase: Phase, ctx: &Ctx, scope: &Scope, sink: &dyn Sink) -> Result<Outcome, PhaseError> {
    match phase {
        Phase::Prepare => prepare::run(ctx, sink),
        Phase::Build => build::run(ctx, sink),
        Phase::Submit | Phase::Poll => Ok(Outcome::default()),
        Phase::Parse => parse::run(ctx, scope.trial()?, sink),
        Phase::Score => score::run(ctx, scope.trial()?, sink),
        Phase::Stats => stats::run(ctx, scope.trial()?, sink),
        Phase::Costs => costs::run(ctx, scope.trial()?, sink),
        Phase::Report => report::run(ctx, scope, sink),
        Phase::Archive => archive::run(ctx, sink),
    }
}
