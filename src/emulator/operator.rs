//! What the people who run the platform hold outside of it: the secret store, what they know of addresses, and the list
//! by which secrets are redacted. Faults take or spoil it; the disaster alone does not.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::addresses::Addresses;
use crate::environment::{self, Salt, Secret};

/// Name of the secret store's file.
pub const STORE_FILE: &str = "secrets.env";

/// The name under which the store keeps a secret of an environment: `PRODUCTION__CLERK_SECRET_KEY`.
pub fn stored_name(environment: &str, name: &str) -> String {
    format!("{}__{name}", environment.to_ascii_uppercase().replace('-', "_"))
}

/// What the operators hold.
#[derive(Debug, Default)]
pub struct Operator {
    /// Secrets, in a file of their own.
    pub secrets: SecretStore,
    /// Where services are.
    pub addresses: Addresses,
    /// What is redacted from backups.
    pub redaction: Redaction,
}

/// The secret store: a dotenv file that its owner alone may read. Beside it stands what the issuers of the secrets
/// accept, which no store can change.
#[derive(Debug, Default)]
pub struct SecretStore(Mutex<Store>);

#[derive(Default)]
struct Store {
    path: Option<PathBuf>,
    /// The file as it was when it was made.
    first: Vec<u8>,
    salt: Option<Salt>,
    /// Digest of the secret that its issuer accepts, by name.
    accepted: BTreeMap<String, String>,
    /// How often the store was asked while something was wrong with it.
    failed: u32,
    spoiled: bool,
    /// Whether it rejects the operators' key.
    denies: bool,
}

impl std::fmt::Debug for Store {
    /// Without the file's bytes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("accepted", &self.accepted)
            .field("spoiled", &self.spoiled)
            .finish_non_exhaustive()
    }
}

impl Store {
    fn read(&self) -> Result<BTreeMap<String, Secret>, String> {
        let path = self.path.as_ref().ok_or("there is no secret store")?;
        if self.denies {
            return Err("the secret store rejects the operators' key".into());
        }
        let mode = fs::metadata(path).map_err(|e| format!("the secret store cannot be read: {}", e.kind()))?;
        if mode.permissions().mode() & 0o077 != 0 {
            return Err("the secret store can be read by others; its mode must be 0600".into());
        }
        let text = fs::read_to_string(path).map_err(|e| format!("the secret store cannot be read: {}", e.kind()))?;
        let variables = environment::parse(&text).map_err(|e| format!("the secret store, {e}"))?;
        Ok(variables.into_iter().map(|variable| (variable.name, Secret::new(variable.value))).collect())
    }
}

impl SecretStore {
    fn state(&self) -> MutexGuard<'_, Store> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the store in a folder, with these secrets in it.
    ///
    /// # Errors
    /// When the folder or the file cannot be written.
    pub fn open(&self, folder: &Path, salt: Salt, secrets: &BTreeMap<String, Secret>) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let path = folder.join(STORE_FILE);
        write(&path, secrets)?;
        let accepted = secrets.iter().map(|(name, secret)| (name.clone(), secret.digest(salt))).collect();
        let first = fs::read(&path)?;
        *self.state() =
            Store { path: Some(path), first, salt: Some(salt), accepted, failed: 0, spoiled: false, denies: false };
        Ok(())
    }

    /// All secrets, by name.
    ///
    /// # Errors
    /// Why the store gives none.
    pub fn read(&self) -> Result<BTreeMap<String, Secret>, String> {
        let mut state = self.state();
        if state.spoiled || state.denies {
            state.failed += 1;
        }
        state.read()
    }

    /// Whether it would give its secrets; counts as nobody's asking.
    ///
    /// # Errors
    /// Why it would give none.
    pub fn look(&self) -> Result<(), String> {
        self.state().read().map(drop)
    }

    /// Rotates a secret: its issuer accepts the new one alone, and the store has it.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn rotate(&self, name: &str, secret: &Secret) -> Result<(), String> {
        let mut secrets = self.read()?;
        secrets.insert(name.to_owned(), secret.clone());
        let mut state = self.state();
        let (Some(path), Some(salt)) = (&state.path, state.salt) else { return Err("there is no secret store".into()) };
        write(path, &secrets).map_err(|e| format!("the secret store cannot be written: {}", e.kind()))?;
        state.accepted.insert(name.to_owned(), secret.digest(salt));
        Ok(())
    }

    /// Whether the issuer of that secret accepts the one with this digest; `None` where nobody issues it.
    pub fn accepts(&self, name: &str, digest: &str) -> Option<bool> {
        self.state().accepted.get(name).map(|accepted| accepted == digest)
    }

    /// The salt of digests; `None` where there is no store.
    pub fn salt(&self) -> Option<Salt> {
        self.state().salt
    }

    /// The file as it is; `None` where there is none.
    pub fn file(&self) -> Option<Vec<u8>> {
        self.state().path.as_ref().and_then(|path| fs::read(path).ok())
    }

    /// The file as it was when the store was made, before anything was rotated.
    pub fn first_file(&self) -> Vec<u8> {
        self.state().first.clone()
    }

    /// Puts other contents into the file, or takes it away; `spoiled` says whether that is a fault.
    ///
    /// # Errors
    /// When there is no store, or the file cannot be changed.
    pub fn replace(&self, contents: Option<&[u8]>, spoiled: bool) -> Result<(), String> {
        let mut state = self.state();
        let path = state.path.as_ref().ok_or("there is no secret store")?;
        let done = match contents {
            Some(contents) => write_private(path, contents),
            None => fs::remove_file(path),
        };
        done.map_err(|e| format!("the secret store cannot be changed: {e}"))?;
        state.spoiled = spoiled;
        Ok(())
    }

    /// Lets it reject the operators' key, or accept it again.
    ///
    /// # Errors
    /// When there is no store.
    pub fn deny(&self, denies: bool) -> Result<(), String> {
        let mut state = self.state();
        state.path.as_ref().ok_or("there is no secret store")?;
        state.denies = denies;
        Ok(())
    }

    /// How often it was asked since something is wrong with it.
    pub fn asked_in_vain(&self) -> u32 {
        self.state().failed
    }
}

fn write(path: &Path, secrets: &BTreeMap<String, Secret>) -> io::Result<()> {
    let pairs = secrets.iter().map(|(name, secret)| (name.as_str(), secret.expose()));
    write_private(path, environment::render(pairs).as_bytes())
}

/// Writes a file that its owner alone may read, at once or not at all.
fn write_private(path: &Path, contents: &[u8]) -> io::Result<()> {
    let next = path.with_extension("next");
    let _ = fs::remove_file(&next);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&next)?;
    io::Write::write_all(&mut file, contents)?;
    fs::rename(&next, path)
}

/// The list by which secrets are redacted before anything leaves the source. People keep it, and forget.
#[derive(Debug, Default)]
pub struct Redaction(Mutex<List>);

#[derive(Debug, Default)]
struct List {
    forgotten: BTreeSet<String>,
    missed: u32,
}

impl Redaction {
    fn list(&self) -> MutexGuard<'_, List> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a secret of that name is on the list; counts where it should be and is not.
    pub fn covers(&self, name: &str) -> bool {
        let mut list = self.list();
        let forgotten = list.forgotten.contains(name);
        list.missed += u32::from(forgotten);
        !forgotten
    }

    /// Takes a name off the list, or puts it back.
    pub fn forget(&self, name: &str, forgotten: bool) {
        let mut list = self.list();
        match forgotten {
            true => list.forgotten.insert(name.to_owned()),
            false => list.forgotten.remove(name),
        };
    }

    /// How often a secret was exported that had been forgotten.
    pub fn missed(&self) -> u32 {
        self.list().missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::seed::Seed;

    #[test]
    fn a_store_keeps_its_secrets_to_its_owner_and_an_issuer_accepts_the_newest_alone() {
        let scratch = tempfile::tempdir().unwrap();
        let (store, salt) = (SecretStore::default(), Salt::of(Seed(1)));
        let secret = |text: &str| Secret::new(text.to_owned());
        let secrets = [("A_KEY".to_owned(), secret("one $two \"three\""))].into();
        store.open(scratch.path(), salt, &secrets).unwrap();
        assert_eq!(store.read().unwrap(), secrets);
        let (bytes, shown) = (format!("{:?}", b"one "), format!("{store:?}"));
        assert!(!shown.contains(bytes.trim_matches(['[', ']'])) && !shown.contains("one "), "{shown}");
        let mode = fs::metadata(scratch.path().join(STORE_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        store.rotate("A_KEY", &secret("next")).unwrap();
        assert_eq!(store.accepts("A_KEY", &secret("next").digest(salt)), Some(true));
        assert_eq!(store.accepts("A_KEY", &secrets["A_KEY"].digest(salt)), Some(false));
        assert_eq!(store.accepts("B_KEY", "any"), None);
        fs::set_permissions(scratch.path().join(STORE_FILE), fs::Permissions::from_mode(0o644)).unwrap();
        assert!(store.read().unwrap_err().contains("0600"));
        store.replace(None, true).unwrap();
        assert!(store.read().is_err());
        assert_eq!(store.asked_in_vain(), 1);
    }
}
