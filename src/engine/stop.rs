//! Stop as a value that everyone waits on: from a key, a signal, a command or a file.

use tokio::sync::watch;

use crate::domain::StopLevel;

/// Asks for a stop; never takes a more urgent request back.
#[derive(Debug, Clone)]
pub struct StopSwitch {
    sender: watch::Sender<Option<(StopLevel, &'static str)>>,
}

impl Default for StopSwitch {
    fn default() -> Self {
        Self {
            sender: watch::Sender::new(None),
        }
    }
}

impl StopSwitch {
    /// Asks for a stop and names what asked: `key`, `signal`, `command` or `file`.
    pub fn request(&self, level: StopLevel, source: &'static str) {
        self.sender.send_if_modified(|current| {
            let raise = current.is_none_or(|(known, _)| known < level);
            if raise {
                *current = Some((level, source));
            }
            raise
        });
    }

    /// A view of the switch.
    pub fn watch(&self) -> StopWatch {
        StopWatch {
            receiver: self.sender.subscribe(),
        }
    }
}

/// Sees whether a stop was asked for.
#[derive(Debug, Clone)]
pub struct StopWatch {
    receiver: watch::Receiver<Option<(StopLevel, &'static str)>>,
}

impl StopWatch {
    /// The stop asked for, if any, and what asked.
    pub fn get(&self) -> Option<(StopLevel, &'static str)> {
        *self.receiver.borrow()
    }

    /// The level asked for, if any.
    pub fn level(&self) -> Option<StopLevel> {
        self.get().map(|(level, _)| level)
    }

    /// Waits until the request changes. Never returns once the switch is gone.
    pub async fn changed(&mut self) {
        if self.receiver.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_only_ever_gets_more_urgent() {
        let switch = StopSwitch::default();
        let watch = switch.watch();
        switch.request(StopLevel::Now, "signal");
        switch.request(StopLevel::Soft, "key");
        assert_eq!(watch.get(), Some((StopLevel::Now, "signal")));
    }
}
