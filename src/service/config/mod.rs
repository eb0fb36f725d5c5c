//! The configuration: environment files of the HookLabs platform, the people who change them, a ledger, a target. Secrets
//! stand in the files, and in the operators' secret store; a backup leaves them out.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use self::{
    files::Row,
    ledger::ChangeLedger,
    target::{FileTarget, LiveFiles},
    variables::{ADDRESSES, Change, SECRETS, TABLES},
};
use super::contract::{Directory, Export, Ledger, Platform, Service, ServiceError, Source, Target, View};
use crate::{
    emulator::operator::{Operator, stored_name},
    environment::{Salt, Secret, Variable, is_secret},
    sim::seed::Seed,
};

mod files;
mod ledger;
mod target;
mod variables;

/// The configuration as a protected service.
#[derive(Debug)]
pub struct Config {
    seed: Seed,
    salt: Salt,
    files: Arc<LiveSource>,
    ledger: Arc<ChangeLedger>,
    operator: Arc<Operator>,
    scratch: PathBuf,
    seeded_bytes: u64,
    /// Changes made so far, rotations too. Locked while writing.
    changes: Mutex<u64>,
    targets: AtomicU32,
    live: Mutex<Option<Arc<FileTarget>>>,
    provisioned: Mutex<Vec<Arc<FileTarget>>>,
}

/// The environment files before the disaster.
#[derive(Debug)]
struct LiveSource {
    folder: PathBuf,
    operator: Arc<Operator>,
    ledger: Arc<ChangeLedger>,
    lost: AtomicBool,
}

impl Config {
    /// Environment files below `scratch`, whose secrets the operator's store has as well, committed at `started_at`.
    /// Addresses are those that are live. The secret store lies in `vault`, where the disaster does not reach. Whoever
    /// gave the folders removes them.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn seed(
        seed: Seed,
        started_at: Timestamp,
        scratch: &Path,
        vault: &Path,
        operator: &Arc<Operator>,
    ) -> Result<Config, ServiceError> {
        let failed = |e: std::io::Error| ServiceError(format!("the configuration cannot be made: {e}"));
        let folder = scratch.join("source");
        fs::create_dir_all(&folder).map_err(failed)?;
        let (salt, ledger, live) = (Salt::of(seed), Arc::new(ChangeLedger::new(started_at)), operator.addresses.live());
        let stored = |table| SECRETS.map(|name| stored_name(table, name));
        let secrets = TABLES.into_iter().flat_map(stored).map(|name| {
            let secret = variables::secret(seed, &name, 0);
            (name, secret)
        });
        operator.secrets.open(vault, salt, &secrets.collect()).map_err(failed)?;
        let mut seeded_bytes = 0;
        for table in TABLES {
            let variables = variables::seeded(table, seed, &live);
            files::write(&folder, table, &variables)?;
            seeded_bytes += fs::metadata(files::path(&folder, table)).map_err(failed)?.len();
            for variable in &variables {
                let secret = is_secret(&variable.name, &variable.value);
                ledger.seed(table, variable, secret.then(|| Secret::new(variable.value.clone()).digest(salt)));
            }
        }
        let (operator, ledger_of_source) = (Arc::clone(operator), Arc::clone(&ledger));
        let source = LiveSource {
            folder,
            operator: Arc::clone(&operator),
            ledger: ledger_of_source,
            lost: AtomicBool::new(false),
        };
        Ok(Config {
            seed,
            salt,
            files: Arc::new(source),
            ledger,
            operator,
            scratch: scratch.to_owned(),
            seeded_bytes,
            changes: Mutex::new(0),
            targets: AtomicU32::new(1),
            live: Mutex::default(),
            provisioned: Mutex::default(),
        })
    }

    fn change(&self, number: u64, at: Timestamp) -> Result<(), ServiceError> {
        let source = &self.files;
        let read = |table| files::read(&source.folder, table).unwrap_or_default();
        let (table, change) = variables::change(self.seed, number, read);
        let mut variables = source.read(table)?;
        let put = |variables: &mut Vec<Variable>, new: Variable| match variables.iter_mut().find(|v| v.name == new.name)
        {
            Some(known) => *known = new,
            None => variables.push(new),
        };
        match &change {
            Change::Set(variable) => put(&mut variables, variable.clone()),
            Change::Remove(name) => variables.retain(|variable| variable.name != *name),
            Change::Rotate(name) => {
                let stored = stored_name(table, name);
                let secret = variables::secret(self.seed, &stored, number);
                // Where the store is gone nobody rotates: there is no place to keep the new one.
                if self.operator.secrets.rotate(&stored, &secret).is_err() {
                    return Ok(());
                }
                put(&mut variables, Variable { name: (*name).into(), value: secret.expose().to_owned() });
                self.ledger.rotated(table, name, secret.digest(self.salt));
                return files::write(&source.folder, table, &variables);
            }
        }
        files::write(&source.folder, table, &variables)?;
        self.ledger.acknowledge(table, &change, at.max(self.ledger.last().committed_at))
    }

    fn restored(&self) -> Option<Arc<FileTarget>> {
        locked(&self.live).clone()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LiveSource {
    fn read(&self, table: &str) -> Result<Vec<Variable>, ServiceError> {
        match self.lost.load(Ordering::SeqCst) {
            true => Err(ServiceError("the source is lost".into())),
            false => files::read(&self.folder, table),
        }
    }
}

#[async_trait]
impl Source for LiveSource {
    async fn export(&self) -> Result<Export, ServiceError> {
        let rows = |table: &'static str| {
            let hidden = |variable: &Variable| {
                is_secret(&variable.name, &variable.value)
                    && self.operator.redaction.covers(&stored_name(table, &variable.name))
            };
            let row = |variable: &Variable| Row::for_backup(variable, hidden(variable));
            Ok((Arc::from(table), self.read(table)?.iter().map(row).collect()))
        };
        let tables = TABLES.into_iter().map(rows).collect::<Result<Vec<_>, ServiceError>>()?;
        Ok(Export { position: self.ledger.last(), contents: files::contents(tables) })
    }
}

#[async_trait]
impl Platform for Config {
    fn source(&self) -> Arc<dyn Source> {
        Arc::clone(&self.files) as _
    }

    async fn provision(&self) -> Result<Arc<dyn Target>, ServiceError> {
        let number = self.targets.fetch_add(1, Ordering::Relaxed);
        let folder = self.scratch.join(format!("restored-{number}"));
        let target = Arc::new(FileTarget::new(folder, Arc::clone(&self.operator))?);
        locked(&self.provisioned).push(Arc::clone(&target));
        Ok(target)
    }

    async fn cut_over(&self, target: Arc<dyn Target>) -> Result<(), ServiceError> {
        let address = Arc::as_ptr(&target).cast::<()>();
        let ours = locked(&self.provisioned).iter().find(|ours| Arc::as_ptr(ours).cast::<()>() == address).cloned();
        *locked(&self.live) = Some(ours.ok_or_else(|| ServiceError("the target is none of this service's".into()))?);
        Ok(())
    }

    async fn follow(&self, directory: Directory) -> Result<Vec<String>, ServiceError> {
        let (Some(live), addresses) = (self.restored(), &self.operator.addresses) else { return Ok(Vec::new()) };
        let mut variables = files::read(live.folder(), TABLES[0])?;
        let known = addresses.live();
        let mut changed = Vec::new();
        for variable in variables.iter_mut().filter(|v| ADDRESSES.contains(&v.name.as_str())) {
            let right = match directory {
                Directory::Runbook => addresses.told(&variable.name),
                Directory::Provider => known.get(&variable.name).cloned(),
            };
            if let Some(right) = right.filter(|right| *right != variable.value) {
                changed.push(format!("{}={right}", variable.name));
                variable.value = right;
            }
        }
        files::write(live.folder(), TABLES[0], &variables).map(|()| changed)
    }

    async fn dead_addresses(&self) -> Result<Vec<String>, ServiceError> {
        let Some(live) = self.restored() else { return Ok(Vec::new()) };
        let variables = files::read(live.folder(), TABLES[0])?;
        let dead = |v: &&Variable| ADDRESSES.contains(&v.name.as_str()) && !self.operator.addresses.answers(&v.value);
        Ok(variables.iter().filter(dead).map(|v| format!("{}={}", v.name, v.value)).collect())
    }
}

#[async_trait]
impl Service for Config {
    async fn steady(&self) -> Result<String, ServiceError> {
        let secrets = self.operator.secrets.read().map_err(ServiceError)?;
        let mut variables = 0;
        for table in TABLES {
            let all = self.files.read(table)?;
            variables += all.len();
            for Variable { name, .. } in all.iter().filter(|v| is_secret(&v.name, &v.value)) {
                if !secrets.contains_key(&stored_name(table, name)) {
                    return Err(ServiceError(format!("the secret store has no {name} of {table}")));
                }
            }
        }
        self.files.export().await?;
        Ok(format!("{} environment files hold {variables} variables", TABLES.len()))
    }

    fn ledger(&self) -> Arc<dyn Ledger> {
        Arc::clone(&self.ledger) as _
    }

    fn live(&self) -> Option<Arc<dyn View>> {
        self.restored().map(|target| Arc::new(LiveFiles(target)) as Arc<dyn View>)
    }

    async fn write(&self, at: Timestamp, writes: u32) -> Result<(), ServiceError> {
        let mut changes = locked(&self.changes);
        for n in 0..writes {
            *changes += 1;
            let at = at.checked_add(SignedDuration::from_millis(n.into())).unwrap_or(Timestamp::MAX);
            self.change(*changes, at)?;
        }
        Ok(())
    }

    async fn lose(&self) -> Result<(), ServiceError> {
        self.files.lost.store(true, Ordering::SeqCst);
        let removed = fs::remove_dir_all(&self.files.folder);
        removed.map_err(|e| ServiceError(format!("the environment files are still there: {}", e.kind())))
    }

    fn rows(&self) -> u64 {
        TABLES.iter().map(|table| self.files.read(table).map_or(0, |variables| variables.len() as u64)).sum()
    }

    fn seeded_bytes(&self) -> u64 {
        self.seeded_bytes
    }
}
