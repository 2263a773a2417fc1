//! Where a job stands, from the clock alone: no timer, so that a server that was down goes on as if it had not been.

use jiff::{SignedDuration, Timestamp};

/// The stages of a job, in order. Dialects give them their names.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(super) enum Stage {
    /// The input is checked.
    Validating,
    /// Waiting for its turn.
    Pending,
    /// Machines are made ready.
    Creating,
    /// Rows are answered; the share of them that is done, 0 to 1.
    Running(f64),
    /// Files are written.
    Writing,
    /// Over.
    Done,
}

/// The share of a job's time at which each stage ends.
const VALIDATING_UNTIL: f64 = 0.05;
const PENDING_UNTIL: f64 = 0.15;
const CREATING_UNTIL: f64 = 0.25;
const RUNNING_UNTIL: f64 = 0.9;

/// How fast jobs go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pace {
    seconds_per_job: f64,
}

impl Pace {
    /// A pace of so many seconds from acceptance to completion; `None` unless 0 to a year.
    pub(super) fn new(seconds_per_job: f64) -> Option<Self> {
        (0.0..=31_536_000.0)
            .contains(&seconds_per_job)
            .then_some(Self { seconds_per_job })
    }

    /// The stage at `now` of a job accepted at `created`. A clock that was set back shows the first stage.
    pub(super) fn stage(self, created: Timestamp, now: Timestamp) -> Stage {
        let gone = now.duration_since(created).as_secs_f64();
        if self.seconds_per_job == 0.0 || gone >= self.seconds_per_job {
            return Stage::Done;
        }
        match gone / self.seconds_per_job {
            share if share < VALIDATING_UNTIL => Stage::Validating,
            share if share < PENDING_UNTIL => Stage::Pending,
            share if share < CREATING_UNTIL => Stage::Creating,
            share if share < RUNNING_UNTIL => {
                Stage::Running((share - CREATING_UNTIL) / (RUNNING_UNTIL - CREATING_UNTIL))
            }
            _ => Stage::Writing,
        }
    }

    /// When a stage of a job accepted at `created` has been reached.
    pub(super) fn reached(self, created: Timestamp, stage: Stage) -> Timestamp {
        let share = match stage {
            Stage::Validating => 0.0,
            Stage::Pending => VALIDATING_UNTIL,
            Stage::Creating => PENDING_UNTIL,
            Stage::Running(share) => CREATING_UNTIL + share * (RUNNING_UNTIL - CREATING_UNTIL),
            Stage::Writing => RUNNING_UNTIL,
            Stage::Done => 1.0,
        };
        self.later(created, share)
    }

    /// When the cleaning up after a job deleted or cancelled at `ended` is over: a quarter of a job's time later.
    pub(super) fn cleaned_up(self, ended: Timestamp) -> Timestamp {
        self.later(ended, 0.25)
    }

    fn later(self, from: Timestamp, share: f64) -> Timestamp {
        let by = SignedDuration::from_secs_f64(self.seconds_per_job * share);
        from.saturating_add(by).unwrap_or(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Timestamp {
        Timestamp::UNIX_EPOCH
            .saturating_add(SignedDuration::from_secs_f64(seconds))
            .expect("in range")
    }

    #[test]
    fn stages_follow_each_other_and_never_go_back() {
        let pace = Pace::new(100.0).expect("a pace");
        let start = at(0.0);
        assert_eq!(pace.stage(start, at(-5.0)), Stage::Validating);
        let mut last = Stage::Validating;
        for second in 0..120 {
            let stage = pace.stage(start, at(f64::from(second)));
            assert!(stage >= last, "{last:?} then {stage:?}");
            last = stage;
        }
        assert_eq!(pace.stage(start, at(10.0)), Stage::Pending);
        assert_eq!(pace.stage(start, at(95.0)), Stage::Writing);
        assert_eq!(last, Stage::Done);
    }

    #[test]
    fn a_pace_of_zero_ends_a_job_at_once_and_nonsense_is_refused() {
        let pace = Pace::new(0.0).expect("a pace");
        assert_eq!(pace.stage(at(1.0), at(1.0)), Stage::Done);
        assert!(Pace::new(-1.0).is_none() && Pace::new(f64::NAN).is_none());
    }
}
