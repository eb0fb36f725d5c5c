//! `backdraft init`: a plan, scripts and three scenarios for the tool that a team uses, ready to be run and to be changed.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};

use super::{Ended, console::Console, output};
use crate::{
    error::{Error, Result},
    exit,
    process::on_path,
};

/// Arguments of `init`.
#[derive(Debug, Clone, Args)]
pub(super) struct InitArgs {
    /// Folder to write into; made where it is not there.
    #[arg(value_name = "DIR", default_value = "drills")]
    folder: PathBuf,
    /// The tool that backs up; the first one that is installed where none is named.
    #[arg(long, value_name = "NAME", value_enum)]
    preset: Option<PresetName>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PresetName {
    /// A Convex deployment: the `convex` CLI, gzip, the aws cli.
    Convex,
    /// PostgreSQL with pg_dump -Fc, and the aws cli.
    PgDump,
    /// PostgreSQL with pg_basebackup, archived WAL, and the aws cli.
    PgPitr,
    /// A folder with restic.
    Restic,
    /// A folder with rclone sync.
    Rclone,
    /// A bucket with aws s3 sync.
    AwsS3Sync,
    /// A SQLite file with `.backup` and the aws cli.
    Sqlite,
}

/// What is written for one tool.
struct Preset {
    name: PresetName,
    /// Programs without which its scripts do not run.
    needs: &'static [&'static str],
    files: &'static [(&'static str, &'static str)],
    /// Stories that it shares with another example.
    stories: &'static [(&'static str, &'static str)],
}

/// Files of the example pipelines, by the path at which they are written.
macro_rules! files {
    ($($example:literal: $($path:literal),+);+ $(;)?) => {
        &[$($(($path, include_str!(concat!("../../fixtures/pipelines/", $example, "/", $path)))),+),+]
    };
}

/// The same of stories that several examples share.
macro_rules! shared {
    ($folder:literal: $name:literal) => {
        (concat!("scenarios/", $name), include_str!(concat!("../../fixtures/pipelines/", $folder, "/", $name)))
    };
}

impl Preset {
    fn all(&self) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
        self.files.iter().chain(self.stories)
    }
}

/// In the order in which they are looked for.
static PRESETS: &[Preset] = &[
    Preset {
        name: PresetName::Restic,
        needs: &["restic", "jq"],
        files: files!("restic": "plan.yaml", "scripts/repositories.sh", "scripts/backup.sh", "scripts/verify.sh",
            "scripts/list.sh", "scripts/restore.sh", "scenarios/control.yaml", "scenarios/primary-out.yaml",
            "scenarios/primary-damaged.yaml"),
        stories: &[],
    },
    Preset {
        name: PresetName::Sqlite,
        needs: &["sqlite3", "aws"],
        files: files!("sqlite": "plan.yaml", "scripts/backup.sh", "scripts/restore.sh", "scenarios/control.yaml",
            "scenarios/primary-out.yaml", "scenarios/newest-truncated.yaml"),
        stories: &[],
    },
    Preset {
        name: PresetName::Rclone,
        needs: &["rclone"],
        files: files!("rclone": "plan.yaml", "scripts/remotes.sh", "scripts/backup.sh", "scripts/restore.sh",
            "scenarios/control.yaml", "scenarios/primary-out.yaml", "scenarios/primary-damaged.yaml"),
        stories: &[],
    },
    Preset {
        name: PresetName::AwsS3Sync,
        needs: &["aws"],
        files: files!("aws-s3-sync": "plan.yaml", "scripts/backup.sh", "scripts/restore.sh", "scenarios/control.yaml",
            "scenarios/primary-out.yaml", "scenarios/all-deleted.yaml"),
        stories: &[],
    },
    Preset {
        name: PresetName::PgDump,
        needs: &["pg_dump", "aws"],
        files: files!("pg-dump": "plan.yaml", "scripts/backup.sh", "scripts/verify.sh", "scripts/restore.sh",
            "scenarios/control.yaml", "scenarios/region-lost.yaml", "scenarios/newest-truncated.yaml"),
        stories: &[],
    },
    Preset {
        name: PresetName::PgPitr,
        needs: &["pg_basebackup", "aws", "rclone"],
        files: files!("pg-pitr": "plan.yaml", "scripts/backup.sh", "scripts/restore.sh", "scripts/rclone.env",
            "scripts/wal-fetch.sh", "scripts/wal-push.sh", "scenarios/control.yaml", "scenarios/short-outage.yaml",
            "scenarios/region-lost.yaml"),
        stories: &[],
    },
    Preset {
        name: PresetName::Convex,
        needs: &["convex", "aws", "jq"],
        files: files!("hooklabs-shell-fixed": "plan.yaml", "scripts/lib.sh", "scripts/backup.sh",
            "scripts/verify-backup.sh", "scripts/monthly-drill.sh", "scripts/fetch-newest.sh", "scripts/restore.sh",
            "scripts/package.json"),
        stories: &[
            shared!("hooklabs-scenarios": "control.yaml"),
            shared!("hooklabs-scenarios": "export-cut-looks-whole.yaml"),
            shared!("hooklabs-scenarios": "primary-copy-truncated.yaml"),
        ],
    },
];

pub(super) fn init(args: &InitArgs, console: &Console) -> Ended {
    let preset = match args.preset {
        Some(name) => of(name)?,
        None => first_installed()?,
    };
    let taken = preset.all().map(|(path, _)| args.folder.join(path)).find(|path| path.exists());
    if let Some(path) = taken {
        let there = Error::new("there is a file already, and nothing was written").at(path.display().to_string());
        return Err(there.help("name another folder: `backdraft init DIR`").into());
    }
    for (path, text) in preset.all() {
        write(&args.folder.join(path), text)?;
    }
    let (folder, named) = (args.folder.display(), preset.name.to_possible_value());
    let name = named.as_ref().map_or("", |value| value.get_name());
    console.line(format_args!("{folder}: a plan, scripts and scenarios for {name}"));
    let missing: Vec<&str> = preset.needs.iter().copied().filter(|program| !is_installed(program)).collect();
    if !missing.is_empty() {
        console.line(format_args!("not installed, and needed by the scripts: {}", missing.join(", ")));
    }
    console.line(format_args!("now: backdraft run --plan {folder}/plan.yaml {folder}/scenarios"));
    Ok(exit::PASS)
}

fn of(name: PresetName) -> Result<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name).ok_or_else(|| Error::new("this preset is not there"))
}

/// The preset of the first tool that is there.
fn first_installed() -> Result<&'static Preset> {
    let found = PRESETS.iter().find(|preset| preset.needs.iter().all(|program| is_installed(program)));
    found.ok_or_else(|| {
        let names: Vec<String> =
            PRESETS.iter().filter_map(|preset| Some(preset.name.to_possible_value()?.get_name().to_owned())).collect();
        Error::new("none of the tools that there is a preset for is installed")
            .help(format!("choose one with --preset: {}", names.join(", ")))
    })
}

fn is_installed(program: &str) -> bool {
    on_path(program).next().is_some()
}

/// Writes a file; a script can be executed.
fn write(path: &Path, text: &str) -> Result<()> {
    let unwritten = |e: std::io::Error| Error::new("it cannot be written").at(path.display().to_string()).because(e);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(unwritten)?;
    }
    // Where the example lies, its first line names the schema beside it.
    let text = text
        .strip_prefix("# yaml-language-server")
        .and_then(|rest| rest.split_once("\n#\n"))
        .map_or(text, |(_, rest)| rest);
    output::write_file(path, text)?;
    if text.starts_with("#!") {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).map_err(unwritten)?;
    }
    Ok(())
}
