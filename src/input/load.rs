//! Plans and scenarios from their files: typed, digested, and with the place of each value.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_saphyr::{MergeKeyPolicy, options::DuplicateKeyPolicy};

use super::{
    explain, file,
    outline::{MAX_DEPTH, MAX_NODES, Places},
    schema,
};
use crate::{
    error::{Error, Result},
    model::{compliance::Actions, origin::Origin, plan::Plan, scenario::Scenario},
};

/// A value read from a file.
#[derive(Debug, Clone)]
pub struct Loaded<T> {
    /// The value.
    pub value: T,
    /// SHA-256 of the file's bytes, lower-case hex.
    pub sha256: String,
    /// The file, as it was named.
    pub path: PathBuf,
    /// Where in the file its values stand.
    pub places: Places,
}

impl<T> Loaded<T> {
    /// A value that came in another file than one of its own, as in a record: known by that file, its places are not.
    pub fn unplaced(value: T, path: &Path) -> Self {
        Loaded {
            value,
            sha256: String::new(),
            path: path.to_owned(),
            places: Places::none(&path.display().to_string()),
        }
    }

    /// The file and the lines of its fields.
    pub fn origin(&self) -> Origin {
        Origin { file: self.path.display().to_string(), lines: self.places.lines() }
    }

    /// An error about the value at a path like `faults[1].regions[0]`.
    pub fn error(&self, path: &str, what: impl Into<String>) -> Error {
        Error::new(what).at(self.places.of(path))
    }
}

/// Reads a plan. It is well typed then, and still to be validated.
///
/// # Errors
/// Whatever is wrong with the file, with `file:line:column` and what to write instead.
pub fn load_plan(path: impl AsRef<Path>) -> Result<Loaded<Plan>> {
    load(path.as_ref(), "plan")
}

/// Reads a scenario. It is well typed then, and still to be validated against its plan.
///
/// # Errors
/// Whatever is wrong with the file, with `file:line:column` and what to write instead.
pub fn load_scenario(path: impl AsRef<Path>) -> Result<Loaded<Scenario>> {
    load(path.as_ref(), "scenario")
}

/// Reads corrective actions. They are well typed then, and still to be validated against their plan.
///
/// # Errors
/// Whatever is wrong with the file, with `file:line:column` and what to write instead.
pub fn load_actions(path: impl AsRef<Path>) -> Result<Loaded<Actions>> {
    load(path.as_ref(), "file of actions")
}

fn load<T: DeserializeOwned + schemars::JsonSchema>(path: &Path, noun: &str) -> Result<Loaded<T>> {
    let file::Text { text, sha256 } = file::read(path, noun)?;
    let (value, places) = parse(&text, &path.display().to_string(), noun)?;
    Ok(Loaded { value, sha256, path: path.to_owned(), places })
}

/// Reads a value from YAML (which JSON is, too) that came in no file. `name` says where it came from, `noun` what it
/// should be. It is well typed then, and still to be validated.
///
/// # Errors
/// Whatever is wrong with it, with `name:line:column` and what to write instead.
pub fn read_text<T: DeserializeOwned + schemars::JsonSchema>(text: &str, name: &str, noun: &str) -> Result<Loaded<T>> {
    let (value, places) = parse(text, name, noun)?;
    Ok(Loaded { value, sha256: file::digest(text.as_bytes()), path: name.into(), places })
}

fn parse<T: DeserializeOwned + schemars::JsonSchema>(text: &str, name: &str, noun: &str) -> Result<(T, Places)> {
    let places = Places::outline(name, text, noun)?;
    // The outline has refused most of this already; the typed pass does not rely on it.
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_anchors: 0,
            max_aliases: 0,
            max_documents: 1,
            max_depth: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_merge_keys: 0,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        with_snippet: false,
    };
    match serde_saphyr::from_str_with_options(text, options) {
        Ok(value) => Ok((value, places)),
        Err(error) => Err(explain::typed(&error, &places, &schema::of::<T>(), noun)),
    }
}
