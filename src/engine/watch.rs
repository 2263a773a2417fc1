//! Follows a run that another process drives (or nobody): tails its ledger and its log into the same picture.
//!
//! Reads whole lines only and takes no lock. The reducer is the driver's, so both pictures are one.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::catalogue::standing_of;
use super::fleet::Standing;
use crate::domain::RunId;
use crate::snapshot::RunView;
use crate::store::{LedgerTail, LogTail, RunPaths};

/// How often the files of a watched run are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How often who drives the run is asked again, in looks.
const STANDING_EVERY: u32 = 4;

/// The picture of a run, kept up to date from its files.
#[derive(Debug)]
pub struct Follower {
    run_id: RunId,
    paths: RunPaths,
    ledger: LedgerTail,
    log: LogTail,
    view: RunView,
}

impl Follower {
    /// Begins at the first line.
    pub fn new(run_id: RunId, paths: RunPaths) -> Self {
        let (ledger, log) = (
            LedgerTail::new(paths.ledger()),
            LogTail::new(paths.events()),
        );
        Self {
            view: RunView::new(run_id.clone()),
            run_id,
            paths,
            ledger,
            log,
        }
    }

    /// Takes in what came since the last look; `true` where something did.
    pub fn look(&mut self) -> bool {
        let mut news = 0_u64;
        let view = &mut self.view;
        let state = self.ledger.poll(&mut |fact| {
            news += 1;
            // Counted as an oddity inside the picture.
            view.apply(&fact).ok();
        });
        if state.is_ok_and(|s| s.restarted) {
            // The file was replaced: the picture starts anew with the next look.
            self.view = RunView::new(self.run_id.clone());
            self.log = LogTail::new(self.paths.events());
            return true;
        }
        let view = &mut self.view;
        let log = self.log.poll(&mut |line| {
            news += 1;
            view.push_log(Arc::new(line));
        });
        // A file that cannot be read right now is looked at again; the list of runs says what is wrong with it.
        log.ok();
        news > 0
    }

    /// The picture.
    pub fn view(&self) -> &RunView {
        &self.view
    }

    /// Follows until nobody listens any more.
    pub async fn follow(
        mut self,
        view: watch::Sender<Arc<RunView>>,
        standing: watch::Sender<Standing>,
    ) {
        let mut looks = 0;
        while !view.is_closed() {
            let look = move || {
                let news = self.look();
                (self, news)
            };
            let Ok((follower, news)) = tokio::task::spawn_blocking(look).await else {
                return;
            };
            self = follower;
            if news {
                view.send_replace(Arc::new(self.view.clone()));
            }
            if looks % STANDING_EVERY == 0 {
                let now = standing_of(&self.view, &self.paths);
                standing.send_if_modified(|known| std::mem::replace(known, now) != now);
            }
            looks = looks.wrapping_add(1);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
