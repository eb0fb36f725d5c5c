//! The system's own PostgreSQL programs: where they are, as which user the server runs, and the folder of programs that
//! commands find first.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

use rustix::process::getuid;

use crate::{process::on_path, service::contract::ServiceError};

/// Names a folder with the programs, or `none`.
const NAMED: &str = "BACKDRAFT_POSTGRESQL";

/// Where distributions put one folder a version, and what lies between the version and its programs.
const PLACES: &[(&str, &str, &str)] = &[
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
];

/// What a folder must have to be taken; it is what refuses to be run by root, too.
const NEEDED: &[&str] = &["initdb", "pg_ctl", "postgres"];

/// Who runs a server whose harness is root, the first that there is.
const SERVANTS: &[&str] = &["postgres", "nobody"];

/// The oldest version that can be played with: generated columns.
const OLDEST: u32 = 12;

/// The programs.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    /// The folder of the installation's own.
    own: PathBuf,
    servant: Option<Servant>,
}

/// The user that the server runs as, where the harness is root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Servant {
    user: u32,
    group: u32,
}

impl Programs {
    /// Looks for them.
    ///
    /// # Errors
    /// When there are none, or nobody to run them.
    pub(super) fn find() -> Result<Programs, ServiceError> {
        let missing = || {
            ServiceError(format!(
                "there are no PostgreSQL programs (initdb, pg_ctl, postgres) on PATH or in {}: install PostgreSQL {OLDEST} \
                 or newer, or name their folder by {NAMED}",
                PLACES.iter().map(|(place, ..)| *place).collect::<Vec<_>>().join(", ")
            ))
        };
        let own = folder().ok_or_else(missing)?;
        let servant = if getuid().is_root() { Some(Servant::find()?) } else { None };
        Ok(Programs { own, servant })
    }

    /// Makes the folder that commands find first on their PATH: programs which, as root, hand the data folder over to the
    /// server's user and go on as that user. Returns what PATH begins with.
    pub(super) fn front(&self, folder: &Path) -> Result<String, ServiceError> {
        let unmade = |e| ServiceError(format!("{} cannot be made: {e}", folder.display()));
        fs::create_dir_all(folder).map_err(unmade)?;
        for name in NEEDED {
            let path = folder.join(name);
            fs::write(&path, self.wrapper(name, folder)).map_err(unmade)?;
            fs::set_permissions(&path, Permissions::from_mode(0o755)).map_err(unmade)?;
        }
        Ok(format!("{}:{}", folder.display(), self.own.display()))
    }

    /// A program in the place of that one, in a folder of such.
    fn wrapper(&self, name: &str, folder: &Path) -> String {
        let program = self.own.join(name);
        // The server is started by way of the one beside it.
        let more =
            if name == "pg_ctl" { format!(" -p '{}'", folder.join("postgres").display()) } else { String::new() };
        let drop = self.servant.map(|Servant { user, group }| {
            format!(
                "if [ \"$(id -u)\" = 0 ]; then\n    \
                 # PostgreSQL refuses to be run by root: the data folder is handed over to its user, who runs it.\n    \
                 if [ -d \"${{PGDATA:-}}\" ]; then chown -R {user}:{group} \"$PGDATA\"; fi\n    \
                 as='setpriv --reuid={user} --regid={group} --clear-groups'\nfi\n"
            )
        });
        format!(
            "#!/bin/sh\n\
             # What moves the clock of programs ends with the program that began it: each server begins its own.\n\
             preload=${{LD_PRELOAD:-}}\n\
             unset LD_PRELOAD FAKETIME_SHARED\n\
             as=\n\
             {}exec $as env ${{preload:+\"LD_PRELOAD=$preload\"}} '{}'{more} \"$@\"\n",
            drop.unwrap_or_default(),
            program.display()
        )
    }

    /// Lets the server's user reach a folder: it may walk through what lies above, and see nothing of it.
    pub(super) fn open_way(&self, folder: &Path, up_to: &Path) -> Result<(), ServiceError> {
        let Some(servant) = self.servant else { return Ok(()) };
        let closed = |at: &Path, e| ServiceError(format!("{} cannot be opened for the server: {e}", at.display()));
        for at in folder.ancestors().skip(1) {
            let about = fs::metadata(at).map_err(|e| closed(at, e))?;
            if at.starts_with(up_to) || is_scratch(at) {
                chown(at, None, Some(servant.group)).map_err(|e| closed(at, e))?;
                let mode = Permissions::from_mode(about.mode() & 0o7777 | 0o010);
                fs::set_permissions(at, mode).map_err(|e| closed(at, e))?;
            } else if about.mode() & 0o001 == 0 {
                return Err(ServiceError(format!(
                    "{} is closed to the user that runs PostgreSQL, who is not root: set TMPDIR to a folder that everybody \
                     may enter",
                    at.display()
                )));
            }
        }
        self.give(folder)
    }

    /// Gives a folder to the server's user.
    fn give(&self, folder: &Path) -> Result<(), ServiceError> {
        let Some(servant) = self.servant else { return Ok(()) };
        let given = chown(folder, Some(servant.user), Some(servant.group));
        given.map_err(|e| ServiceError(format!("{} cannot be given to the server: {e}", folder.display())))
    }
}

/// Whether a folder is one that the harness makes for drills.
fn is_scratch(at: &Path) -> bool {
    let name = at.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("drill-") || name.starts_with("backdraft-")
}

impl Servant {
    fn find() -> Result<Servant, ServiceError> {
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let found = SERVANTS.iter().find_map(|name| Servant::named(name, &users));
        found.ok_or_else(|| {
            ServiceError(
                "PostgreSQL refuses to be run by root, and there is neither a user postgres nor a user nobody: run \
                 backdraft as another user"
                    .into(),
            )
        })
    }

    /// A user, as `/etc/passwd` has it.
    fn named(name: &str, users: &str) -> Option<Servant> {
        let mut fields =
            users.lines().map(|line| line.split(':')).find(|line| line.clone().next() == Some(name))?.skip(2);
        let user = fields.next()?.parse().ok().filter(|user| *user != 0)?;
        Some(Servant { user, group: fields.next()?.parse().ok()? })
    }
}

/// The folder with the programs, the newest version first.
fn folder() -> Option<PathBuf> {
    match std::env::var_os(NAMED) {
        Some(named) if named == "none" => return None,
        Some(named) => return Some(PathBuf::from(named)).filter(|folder| is_whole(folder)),
        None => {}
    }
    // What stands on PATH may be a link to where the others are.
    let on_path = on_path("pg_ctl").filter_map(|program| Some(fs::canonicalize(program).ok()?.parent()?.to_owned()));
    on_path.chain(installed()).find(|folder| is_whole(folder))
}

fn installed() -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for (place, before, after) in PLACES {
        for entry in entries(Path::new(place)) {
            let name = entry.file_name().to_string_lossy().into_owned();
            let version = name.strip_prefix(before).and_then(|version| version.parse::<u32>().ok());
            found.extend(
                version.filter(|version| *version >= OLDEST).map(|version| (version, entry.path().join(after))),
            );
        }
    }
    found.sort();
    found.into_iter().rev().map(|(_, folder)| folder).collect()
}

/// Entries of a folder; none where there is no such folder.
fn entries(folder: &Path) -> impl Iterator<Item = fs::DirEntry> + use<> {
    fs::read_dir(folder).into_iter().flatten().filter_map(io::Result::ok)
}

fn is_whole(folder: &Path) -> bool {
    NEEDED.iter().all(|name| folder.join(name).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_s_user_is_read_from_the_list_and_is_never_root() {
        let users = "root:x:0:0::/root:/bin/sh\npostgres2:x:7:7::/:/bin/sh\npostgres:x:101:104:,,,:/var:/bin/sh\nodd:x:0:1::/:\n";
        assert_eq!(Servant::named("postgres", users), Some(Servant { user: 101, group: 104 }));
        assert_eq!((Servant::named("odd", users), Servant::named("nobody", users)), (None, None));
    }
}
