//! A scratch cluster: made, started and ended with the system's own programs, reached by a Unix socket in its own folder
//! and by nothing else, on a clock that shows scenario time where it can be moved.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use super::programs::Programs;
use crate::{
    model::{plan::Run, ran::Role},
    process::{self, Environment, Job, Leftovers, faked_time},
    service::contract::ServiceError,
    sim::clock::Clock,
};

/// How long the programs may take to make, start or end a cluster.
const LIMIT: Duration = Duration::from_secs(120);

/// The longest path of a Unix socket, in bytes: what every system takes.
const LONGEST_SOCKET: usize = 103;

/// Settings of a scratch cluster. Nothing is synced to the disk: the machine does not fail, the drill does. Archiving is
/// switched on and does nothing until an `archive_command` is set, so that a team's scripts need no restart for it.
const SETTINGS: &str = "
listen_addresses = ''
fsync = off
max_connections = 40
shared_buffers = 32MB
max_wal_size = 256MB
wal_level = replica
archive_mode = on
archive_command = ''
log_timezone = 'UTC'
timezone = 'UTC'
";

/// The database's superuser, and the database.
pub(super) const SUPERUSER: &str = "postgres";
pub(super) const DATABASE: &str = "app";

/// The cluster.
pub(super) struct Cluster {
    folder: PathBuf,
    environment: Environment,
    variables: Vec<(String, String)>,
    clock: Clock,
    library: Option<PathBuf>,
}

impl Cluster {
    /// A place for a cluster in a folder of its own below that one. What the server runs itself, an `archive_command`,
    /// finds `cloud` in its environment.
    ///
    /// # Errors
    /// When there is no PostgreSQL here, or no way to its socket.
    pub(super) fn new(
        below: &Path,
        environment: Environment,
        cloud: Vec<(String, String)>,
        clock: &Clock,
    ) -> Result<Cluster, ServiceError> {
        let programs = Programs::find()?;
        let folder = below.join("pg");
        let socket = folder.join(".s.PGSQL.5432");
        if socket.as_os_str().as_bytes().len() > LONGEST_SOCKET {
            return Err(ServiceError(format!(
                "{} is too long for the path of a socket, which has at most {LONGEST_SOCKET} bytes: set TMPDIR to a shorter \
                 folder, or give the service a shorter name",
                socket.display()
            )));
        }
        fs::create_dir_all(&folder).map_err(|e| ServiceError(format!("{} cannot be made: {e}", folder.display())))?;
        programs.open_way(&folder, below)?;
        let front = programs.front(&below.join("bin"))?;
        let path = environment.get("PATH").unwrap_or_default();
        let variables = vec![
            ("PATH".to_owned(), format!("{front}:{path}")),
            ("PGHOST".into(), folder.display().to_string()),
            ("PGPORT".into(), "5432".into()),
            ("PGUSER".into(), SUPERUSER.into()),
            ("PGDATABASE".into(), DATABASE.into()),
            ("PGDATA".into(), folder.join("data").display().to_string()),
        ];
        let environment = environment.with_all(cloud).with_all(variables.clone());
        Ok(Cluster { folder, environment, variables, clock: clock.clone(), library: faked_time::library() })
    }

    /// Variables by which it is found.
    pub(super) fn variables(&self) -> Vec<(String, String)> {
        self.variables.clone()
    }

    /// What programs that reach it need.
    pub(super) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Where its data lies.
    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Makes it anew, empty but for the database, and starts it.
    pub(super) async fn make(&self) -> Result<(), ServiceError> {
        self.remove().await?;
        let user = format!("--username={SUPERUSER}");
        let arguments = [&*user, "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", "--wal-segsize=1"];
        self.run("initdb", &arguments, false).await?;
        let settings = self.data().join("postgresql.conf");
        let mut text = fs::read_to_string(&settings).map_err(|e| unwritten(&settings, &e))?;
        text.push_str(SETTINGS);
        text.push_str(&format!("unix_socket_directories = '{}'\n", self.folder.display()));
        fs::write(&settings, text).map_err(|e| unwritten(&settings, &e))?;
        self.tell_time();
        let log = self.folder.join("server.log").display().to_string();
        self.run("pg_ctl", &["start", "--wait", "--silent", "--log", &log], true).await?;
        self.run("createdb", &["--maintenance-db=postgres", DATABASE], false).await
    }

    /// Ends it at once, as when its machine fails, and removes all of it.
    pub(super) async fn remove(&self) -> Result<(), ServiceError> {
        self.end().await;
        let data = self.data();
        match fs::remove_dir_all(&data) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                Err(ServiceError(format!("{} cannot be removed: {e}", data.display())))
            }
            _ => Ok(()),
        }
    }

    /// Ends what runs of it, whoever started it.
    pub(super) async fn end(&self) {
        if self.data().join("postmaster.pid").is_file() {
            // It may have ended by itself, or be damaged: what is left is ended the hard way.
            let _ = self.run("pg_ctl", &["stop", "--mode=immediate", "--wait", "--silent"], false).await;
        }
        Leftovers::of(&self.environment).kill();
    }

    /// Shows its server the time that it is in the story. Time stands there between two writes, and goes on at the next.
    pub(super) fn tell_time(&self) {
        if self.library.is_some() {
            // A clock that cannot be set shows another time: recovery to a moment then finds none of it.
            if let Err(e) = self.set_clock() {
                tracing::warn!("the clock of the cluster cannot be set: {e}");
            }
        }
    }

    /// The server may read at any moment: the file is replaced, never written to.
    fn set_clock(&self) -> io::Result<()> {
        let new = self.folder.join("clock.new");
        fs::write(&new, faked_time::ahead(self.clock.now()))?;
        fs::set_permissions(&new, Permissions::from_mode(0o644))?;
        fs::rename(new, self.clock_file())
    }

    fn clock_file(&self) -> PathBuf {
        // Beside the data: it is the server's user who reads it.
        self.folder.join("clock")
    }

    async fn run(&self, program: &str, arguments: &[&str], may_leave: bool) -> Result<(), ServiceError> {
        let argv = [program].iter().chain(arguments).map(|word| (*word).to_owned()).collect();
        let faked = self.library.as_ref().filter(|_| may_leave);
        let faked = faked.map(|library| faked_time::following(library, &self.clock_file()));
        let job = Job {
            // What is run for the place is no part of the record.
            role: Role::Provision,
            run: Run::Argv(argv),
            folder: self.folder.clone(),
            environment: self.environment.clone().with_all(faked.into_iter().flatten()),
            input: None,
            limit: LIMIT,
            may_leave: true,
        };
        let ran = process::run(job, &self.clock).await.ran;
        if ran.ended.is_success() {
            return Ok(());
        }
        let log = fs::read_to_string(self.folder.join("server.log")).unwrap_or_default();
        let said = ran.last_lines.iter().rev().find(|line| !line.trim().is_empty()).cloned();
        let said = said.or_else(|| log.lines().next_back().map(str::to_owned)).unwrap_or_default();
        Err(ServiceError(format!("{program}: {}: {said}", ran.ended)))
    }
}

impl Drop for Cluster {
    /// A drill that could not be put up closes nothing: no server may outlive it.
    fn drop(&mut self) {
        Leftovers::of(&self.environment).kill();
    }
}

fn unwritten(path: &Path, e: &io::Error) -> ServiceError {
    ServiceError(format!("{} cannot be written: {e}", path.display()))
}
