//! Other work than a drill: in real time, with a scratch folder of its own that is removed after it.

use std::path::Path;

use tokio::sync::watch;

use super::{Session, runtime};
use crate::{
    engine::journal::Scratch,
    error::{Error, Result},
    model::record::Way,
};

impl Session {
    /// Does other work than a drill. `None` when somebody stopped it.
    ///
    /// # Errors
    /// When a folder or a thread cannot be had, or what was made cannot be removed.
    pub(in crate::cli) fn carry_out<T>(&self, work: impl AsyncFnOnce(&Path) -> T) -> Result<Option<T>> {
        self.hold(0, async |scratch: &Path, mut stop: watch::Receiver<bool>| {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stopped| *stopped) => None,
                done = work(scratch) => Some(done),
            }
        })
    }

    /// The same for work that needs so many bytes of disk, and that ends by itself when it is told that somebody stopped
    /// it.
    ///
    /// # Errors
    /// As [`Session::carry_out`], and when the disk has no room for it.
    pub(in crate::cli) fn hold<T>(
        &self,
        needed: u64,
        work: impl AsyncFnOnce(&Path, watch::Receiver<bool>) -> T,
    ) -> Result<T> {
        let unmade = |e| Error::new("no scratch folder can be made").at(self.base.display().to_string()).because(e);
        let scratch = Scratch::new(&self.base).map_err(unmade)?;
        let done = match runtime(Way::Real) {
            // Where it is not known how much is free, it is tried.
            _ if scratch.free().is_ok_and(|free| free < needed) => Err(no_room(&self.base, needed)),
            Err(e) => Err(Error::new("no runtime could be started").because(e)),
            // The runtime ends before the folder goes, and with it whatever still reads or writes there.
            Ok(runtime) => Ok(runtime.block_on(work(scratch.path(), self.stop.clone()))),
        };
        scratch.remove().map_err(|e| Error::new("the scratch folder could not be removed").because(e))?;
        done
    }
}

fn no_room(base: &Path, needed: u64) -> Error {
    let what = format!("the scratch disk has less than {} MiB free, which may be needed", needed >> 20);
    Error::new(what).at(base.display().to_string()).help("set TMPDIR to a larger disk")
}
