//! What a foreign storage says in XML, read, and said again as the drill's world has it: dates of the scenario, the
//! plan's bucket names.

use std::collections::BTreeMap;

use jiff::Timestamp;
use quick_xml::{
    Error, Reader, Writer,
    events::{BytesText, Event},
};

use crate::emulator::s3::face::convert::decode;

/// One element below the root: its own text, and the texts of the elements in it.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) text: String,
    fields: BTreeMap<String, String>,
}

impl Entry {
    /// The text of an element in it.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }
}

/// The elements below the root, in order.
pub(super) fn entries(xml: &[u8]) -> Result<Vec<Entry>, Error> {
    let mut reader = Reader::from_reader(xml);
    let (mut depth, mut all, mut field) = (0, Vec::<Entry>::new(), String::new());
    loop {
        let event = reader.read_event()?;
        match &event {
            Event::Start(tag) | Event::Empty(tag) => {
                let name = String::from_utf8_lossy(tag.local_name().as_ref()).into_owned();
                match depth {
                    1 => all.push(Entry { name, ..Entry::default() }),
                    2 => field = name,
                    _ => {}
                }
                depth += usize::from(matches!(event, Event::Start(_)));
            }
            Event::End(_) => depth -= 1,
            Event::Text(text) => add(&mut all, depth, &field, &text.decode().unwrap_or_default()),
            Event::GeneralRef(name) => {
                let name = name.decode().unwrap_or_default();
                let text = quick_xml::escape::unescape(&format!("&{name};")).map(|t| t.into_owned());
                add(&mut all, depth, &field, &text.unwrap_or_default());
            }
            Event::Eof => return Ok(all),
            _ => {}
        }
    }
}

fn add(all: &mut [Entry], depth: usize, field: &str, text: &str) {
    let Some(entry) = all.last_mut() else { return };
    match depth {
        2 => entry.text.push_str(text),
        3 => entry.fields.entry(field.to_owned()).or_default().push_str(text),
        _ => {}
    }
}

/// The keys of a listing's entries as they are, where it has them encoded for URLs.
pub(super) fn key_of(entry: &Entry, all: &[Entry]) -> Option<String> {
    let key = entry.field("Key")?;
    let encoded = all.iter().any(|one| one.name == "EncodingType" && one.text == "url");
    Some(if encoded { decode(&key.replace('+', " ")) } else { key.to_owned() })
}

/// How to say it again.
pub(super) struct Retelling<'r> {
    /// The moment of each entry below the root, in order.
    pub(super) moments: &'r [Option<Timestamp>],
    /// The moment of every other date.
    pub(super) otherwise: Timestamp,
    /// What the storage calls the bucket, and what the plan does.
    pub(super) names: &'r [(String, String)],
    /// Whether a listing is to end here, and to say that this was all.
    pub(super) is_cut: bool,
}

/// Elements with which a listing says that it goes on.
const GOES_ON: [&[u8]; 4] = [b"NextContinuationToken", b"NextMarker", b"NextKeyMarker", b"NextVersionIdMarker"];

/// Says it again. Whether a listing said that it goes on, where it is cut.
pub(super) fn retell(xml: &[u8], how: &Retelling<'_>) -> Result<(Vec<u8>, bool), Error> {
    let (mut reader, mut writer) = (Reader::from_reader(xml), Writer::new(Vec::with_capacity(xml.len())));
    let (mut path, mut nth, mut went_on) = (Vec::<Vec<u8>>::new(), None::<usize>, false);
    loop {
        let event = reader.read_event()?;
        if let Event::Start(tag) | Event::Empty(tag) = &event {
            nth = if path.len() == 1 { Some(nth.map_or(0, |n| n + 1)) } else { nth };
            if matches!(event, Event::Start(_)) {
                path.push(tag.local_name().as_ref().to_vec());
            }
        }
        let within = path.last().map_or(&b""[..], Vec::as_slice);
        let leaves_out = how.is_cut && path.len() == 2 && GOES_ON.contains(&within);
        let said = match &event {
            Event::Eof => break,
            Event::Text(_) if matches!(within, b"LastModified" | b"Initiated" | b"CreationDate") => {
                let own = nth.filter(|_| path.len() == 3).and_then(|nth| how.moments.get(nth).copied().flatten());
                Some(own.unwrap_or(how.otherwise).strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string())
            }
            Event::Text(text) if how.is_cut && path.len() == 2 && within == b"IsTruncated" => {
                went_on = &**text == b"true";
                Some("false".to_owned())
            }
            Event::Text(text) => renamed(&text.decode().unwrap_or_default(), how.names),
            _ => None,
        };
        let ends = matches!(event, Event::End(_));
        if !leaves_out {
            match said {
                Some(text) => writer.write_event(Event::Text(BytesText::from_escaped(text)))?,
                None => writer.write_event(event)?,
            }
        }
        if ends {
            path.pop();
        }
    }
    Ok((writer.into_inner(), went_on))
}

/// A text with the plan's names in it; `None` where it has none of the storage's.
fn renamed(text: &str, names: &[(String, String)]) -> Option<String> {
    let hit = names.iter().any(|(real, _)| text.contains(real.as_str()));
    hit.then(|| names.iter().fold(text.to_owned(), |text, (real, plan)| text.replace(real.as_str(), plan)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"x\"><Name>bd-1</Name><IsTruncated>true\
        </IsTruncated><EncodingType>url</EncodingType><NextContinuationToken>t</NextContinuationToken><Contents><Key>a%2Fb+c</Key>\
        <LastModified>2026-11-24T18:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag></Contents><Contents><Key>b&amp;d</Key>\
        <LastModified>2026-11-24T18:00:01.000Z</LastModified><Owner><ID/></Owner></Contents></ListBucketResult>";

    #[test]
    fn a_listing_is_told_with_other_dates_and_names_and_nothing_else_changed() {
        let all = entries(LIST.as_bytes()).unwrap();
        let keys: Vec<_> = all.iter().filter_map(|entry| key_of(entry, &all)).collect();
        assert_eq!(keys, ["a/b c", "b&d"]);
        let at = |text: &str| text.parse::<Timestamp>().ok();
        let moments: Vec<_> =
            all.iter().map(|e| if e.name == "Contents" { at("2026-03-01T03:00:00Z") } else { None }).collect();
        let names = [("bd-1".to_owned(), "backups".to_owned())];
        let how = Retelling { moments: &moments, otherwise: Timestamp::UNIX_EPOCH, names: &names, is_cut: false };
        let (told, _) = retell(LIST.as_bytes(), &how).unwrap();
        let wanted = LIST.replace("bd-1", "backups").replace("2026-11-24T18:00:00", "2026-03-01T03:00:00");
        assert_eq!(String::from_utf8(told).unwrap(), wanted.replace("2026-11-24T18:00:01", "2026-03-01T03:00:00"));
    }

    #[test]
    fn a_listing_that_is_cut_says_that_this_was_all() {
        let how = Retelling { moments: &[], otherwise: Timestamp::UNIX_EPOCH, names: &[], is_cut: true };
        let (told, went_on) = retell(LIST.as_bytes(), &how).unwrap();
        let told = String::from_utf8(told).unwrap();
        assert!(
            went_on && told.contains("<IsTruncated>false</IsTruncated>") && !told.contains("NextContinuation"),
            "{told}"
        );
        assert!(!retell(told.as_bytes(), &how).unwrap().1);
    }
}
