//! What faults, checks and the engine need of a storage that is not emulated here: that what is known of it is up to date
//! before somebody looks, and that what was changed reaches it. Where regions are emulated, all of this is nothing.

use futures_util::future::join_all;

use super::World;

impl World {
    /// Reads what the storage holds.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub async fn read_storage(&self) -> Result<(), String> {
        join_all(self.sites.iter().map(|site| site.region.refresh())).await.into_iter().collect()
    }

    /// Writes what was changed since it was read last.
    ///
    /// # Errors
    /// What the storage does not let be done. What is known of it is then what it holds.
    pub async fn write_storage(&self) -> Result<(), String> {
        let written = self.sites.iter().filter_map(|site| Some((site.region.foreign()?, &site.region)));
        join_all(written.map(|(foreign, region)| foreign.write(region))).await.into_iter().collect()
    }

    /// What the storage failed at by itself, and not by a fault of the drill.
    pub fn storage_trouble(&self) -> Option<String> {
        self.sites.iter().find_map(|site| site.region.foreign()?.trouble())
    }

    /// What was asked of the storage that it does not do as a drill needs it.
    pub fn storage_limit(&self) -> Option<String> {
        self.sites.iter().find_map(|site| site.region.foreign()?.limit())
    }
}
