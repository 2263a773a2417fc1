//! Which parts the queue shows, and in which order.

use crate::domain::WorkStatus;
use crate::snapshot::WorkView;

/// Which parts the queue shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueueFilter {
    /// Words that a part's line must hold, in any order; `!word` excludes, `state:`, `trial:` and `part:` look in one column.
    pub text: String,
    /// Only parts that failed, expired or are in doubt.
    pub attention: bool,
}

impl QueueFilter {
    /// Whether every part passes.
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty() && !self.attention
    }

    pub(super) fn accepts(&self, work: &WorkView, status: WorkStatus) -> bool {
        if self.attention && !needs_look(status) {
            return false;
        }
        self.text.split_whitespace().all(|word| {
            let (wanted, word) = match word.strip_prefix('!') {
                Some(rest) if !rest.is_empty() => (false, rest),
                _ => (true, word),
            };
            let word = word.to_lowercase();
            let holds = |text: &str, word: &str| text.to_lowercase().contains(word);
            let found = match word.split_once(':') {
                Some(("state", v)) => holds(status.as_str(), v),
                Some(("trial", v)) => holds(work.owner.as_str(), v),
                Some(("part", v)) => holds(&work.part.key.to_string(), v),
                _ => {
                    holds(&work.part.key.to_string(), &word)
                        || holds(work.owner.as_str(), &word)
                        || holds(status.as_str(), &word)
                        || holds(&work.note, &word)
                }
            };
            found == wanted
        })
    }
}

/// Whether a part in this state deserves a look.
pub fn needs_look(status: WorkStatus) -> bool {
    matches!(
        status,
        WorkStatus::Failed | WorkStatus::Expired | WorkStatus::InDoubt
    )
}

/// A block of the queue, in the order of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Section {
    /// Failed, expired, in doubt.
    Attention,
    /// At the provider.
    Flight,
    /// Waiting for a slot.
    Waiting,
    /// Downloaded.
    Downloaded,
}

impl Section {
    /// All, in order.
    pub const ALL: [Self; 4] = [
        Self::Attention,
        Self::Flight,
        Self::Waiting,
        Self::Downloaded,
    ];

    /// The section of a state.
    pub fn of(status: WorkStatus) -> Self {
        match status {
            WorkStatus::Failed | WorkStatus::Expired | WorkStatus::InDoubt => Self::Attention,
            WorkStatus::Submitted | WorkStatus::Running | WorkStatus::Completed => Self::Flight,
            WorkStatus::Pending => Self::Waiting,
            WorkStatus::Downloaded => Self::Downloaded,
        }
    }

    /// Whether it starts as one line.
    pub fn folds(self) -> bool {
        matches!(self, Self::Waiting | Self::Downloaded)
    }
}

/// Positions into [`RunView::works`](crate::snapshot::RunView::works) by section.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueueOrder {
    /// The filter it was made with.
    pub filter: QueueFilter,
    /// Positions, in the order of [`Section::ALL`].
    pub sections: [Vec<u32>; 4],
}

impl QueueOrder {
    /// Parts of a section.
    pub fn section(&self, section: Section) -> &[u32] {
        &self.sections[section as usize]
    }
}
