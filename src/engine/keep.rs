//! `--keep`: what the world holds when the story has ended, as plain files for people to look at. Regions are kept before
//! faults are healed, so that the damage is there to be seen.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use futures_util::StreamExt;

use super::Play;
use crate::{
    emulator::s3::Region,
    model::{event::What, words},
    service::contract::View,
};

/// How long a service is asked for what it holds. Its answer is for people to look at, and a broken one may never come.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest name of a file, in bytes.
const LONGEST_NAME: usize = 200;

/// What was written, and what was not.
#[derive(Default)]
pub(super) struct Kept {
    lines: Vec<String>,
    failed: Vec<String>,
}

impl Play<'_> {
    /// Keeps what the regions hold, where somebody asked for it. No time passes, and nothing is asked over a link.
    pub(super) fn keep_regions(&self) -> Kept {
        let mut kept = Kept::default();
        let Some(dir) = &self.stage.keep_in else { return kept };
        let regions = self.stage.world.sites.iter().map(|site| &site.region);
        let media = self.stage.world.sources.values().map(|site| &site.region);
        let mut seen: Vec<&str> = Vec::new();
        for region in regions.chain(media) {
            if !seen.contains(&region.name()) {
                seen.push(region.name());
                kept.region(region, &dir.join("regions"));
            }
        }
        kept
    }

    /// Keeps what users reach, and says what is what. It comes last: asking takes time, and no event may tell of it.
    pub(super) async fn keep_live(&self, mut kept: Kept) {
        let Some(dir) = &self.stage.keep_in else { return };
        for one in &self.stage.services {
            let folder = dir.join("live").join(file_name(&one.name));
            let Some(view) = one.service.live() else {
                kept.lines.push(format!("live/{}: nothing; users reach nothing of it", one.name));
                continue;
            };
            let read = self.stage.clock.limit(PATIENCE, rows(&*view, &folder)).await;
            match read.unwrap_or_else(|| Err("it did not answer in time".into())) {
                Ok(rows) => kept.lines.push(format!("live/{}: {}", one.name, words::count(rows, "row"))),
                Err(why) => kept.failed.push(format!("live/{}: {why}", one.name)),
            }
        }
        let readme = dir.join("README.txt");
        if let Err(e) = fs::write(&readme, self.readme(&kept)) {
            tracing::warn!("{} cannot be written: {e}", readme.display());
        }
    }

    fn readme(&self, kept: &Kept) -> String {
        let scenario = &self.drill.scenario;
        let mut text = format!(
            "{}\n\n\
             What the world of this drill held at its end. Nothing of it is needed any more: remove the folder when you\n\
             have seen enough.\n\n\
             regions/REGION/BUCKET/KEY  every object, its latest version, before the faults were healed. What no name\n\
             \x20                          of a file can hold is spelled %XX\n\
             live/SERVICE/TABLE.jsonl   what users reach, after the faults were healed: one row a line. A file, a page\n\
             \x20                          and a variable are described by size and digest; files themselves are in the\n\
             \x20                          regions\n\n\
             What the services held before the disaster is not here: it was destroyed, as the scenario says. Other\n\
             folders are the pipelines' own.\n\n",
            scenario.title
        );
        if self.stage.clock.scale() > 1 {
            let scale = self.stage.clock.scale();
            let _ = writeln!(text, "Sizes are modelled: one byte here stands for {scale}.\n");
        }
        for line in &kept.lines {
            let _ = writeln!(text, "{line}");
        }
        for event in self.stage.recorder.events() {
            if let What::FaultProven { fault, proof } = event.what {
                let name = scenario.faults.get(fault).map_or("", |spec| spec.fault.as_str());
                let _ = writeln!(text, "fault {name}: {}", proof.evidence);
            }
        }
        for line in &kept.failed {
            let _ = writeln!(text, "NOT KEPT: {line}");
        }
        text
    }
}

impl Kept {
    fn region(&mut self, region: &Region, below: &Path) {
        let objects = region.objects();
        for bucket in objects.buckets() {
            let folder = below.join(file_name(region.name())).join(file_name(&bucket.name));
            let place = format!("regions/{}/{}", region.name(), bucket.name);
            let keys = match objects.keys(&bucket.name, "") {
                Ok(keys) => keys,
                Err(e) => {
                    self.failed.push(format!("{place}: {e}"));
                    continue;
                }
            };
            let (mut count, mut bytes) = (0, 0);
            for meta in keys {
                let written =
                    objects.get(&bucket.name, &meta.key, None).map_err(|e| e.to_string()).and_then(|object| {
                        let mut file = create(&folder, &meta.key).map_err(|e| e.to_string())?;
                        let mut wrote = Ok(());
                        let read = object.body.read_through(0..object.body.len(), |piece| {
                            if wrote.is_ok() {
                                wrote = file.write_all(piece);
                            }
                        });
                        read.and(wrote).map_err(|e| e.to_string())
                    });
                match written {
                    Ok(()) => (count, bytes) = (count + 1, bytes + meta.size),
                    Err(why) => self.failed.push(format!("{place}/{}: {why}", meta.key)),
                }
            }
            self.lines.push(format!("{place}: {}, {}", words::count(count, "object"), words::bytes(bytes)));
        }
    }
}

/// Everything that a view shows, a file a table.
async fn rows(view: &dyn View, folder: &Path) -> Result<u64, String> {
    let mut contents = view.read_back().await.map_err(|e| e.to_string())?;
    for table in &contents.tables {
        create(folder, &format!("{table}.jsonl")).map_err(|e| e.to_string())?;
    }
    let mut rows = 0;
    while let Some(chunk) = contents.rows.next().await {
        let chunk = chunk.map_err(|e| e.to_string())?;
        let path = path_of(folder, &format!("{}.jsonl", chunk.table));
        let file = fs::OpenOptions::new().append(true).create(true).open(path);
        file.and_then(|mut file| file.write_all(&chunk.lines)).map_err(|e| e.to_string())?;
        rows += chunk.rows;
    }
    Ok(rows)
}

fn create(folder: &Path, key: &str) -> io::Result<File> {
    let path = path_of(folder, key);
    if let Some(above) = path.parent() {
        fs::create_dir_all(above)?;
    }
    File::create_new(path)
}

/// Where a key lies below a folder. It never leaves it.
fn path_of(folder: &Path, key: &str) -> PathBuf {
    key.split('/').fold(folder.to_owned(), |path, step| path.join(file_name(step)))
}

/// A step of a key as the name of a file: `%XX` for what none can hold.
fn file_name(step: &str) -> String {
    if matches!(step, "" | "." | "..") {
        return if step.is_empty() { "%".to_owned() } else { step.replace('.', "%2E") };
    }
    let mut name = String::new();
    for c in step.chars() {
        match c {
            '%' | '\\' | '/' => push_hex(&mut name, c),
            c if c.is_control() => push_hex(&mut name, c),
            c => name.push(c),
        }
        if name.len() > LONGEST_NAME {
            name.push('…');
            break;
        }
    }
    name
}

fn push_hex(name: &mut String, c: char) {
    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
        let _ = write!(name, "%{byte:02X}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_becomes_a_path_that_stays_below_its_folder() {
        let of = |key: &str| path_of(Path::new("/kept"), key).display().to_string();
        assert_eq!(of("files/objects/ab/abc"), "/kept/files/objects/ab/abc");
        assert_eq!(of("../../etc/passwd"), "/kept/%2E%2E/%2E%2E/etc/passwd");
        assert_eq!(of("/a//b/"), "/kept/%/a/%/b/%");
        assert_eq!(of("100%\n.json"), "/kept/100%25%0A.json");
        assert_eq!(of("사진 1.jpg"), "/kept/사진 1.jpg");
        assert!(of(&"x".repeat(900)).len() < 255);
    }
}
