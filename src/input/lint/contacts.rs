//! Contacts that nobody calls.

use super::{Reader, Weakness};
use crate::model::{plan::Contact, record::Severity, words};

/// Contacts without a time to call. Where none has one, nobody is called at all.
pub(super) fn never_called(reader: &Reader<'_>) -> Vec<Weakness> {
    let contacts = &reader.plan().contacts;
    let silent: Vec<(usize, &Contact)> = contacts.iter().enumerate().filter(|(_, one)| one.call.is_none()).collect();
    let Some((first, _)) = silent.first() else { return Vec::new() };
    let names: Vec<&str> = silent.iter().map(|(_, one)| one.name.as_str()).collect();
    let all = silent.len() == contacts.len();
    let words = [
        match all {
            true => "nothing says when to call whom".to_owned(),
            false => format!("nothing says when to call {}", words::list(&names)),
        },
        format!(
            "{} of {} under `contacts` without `call`: whoever is awake that night has to decide it, and the sheet of \
             calls leaves them out",
            silent.len(),
            words::count(contacts.len() as u64, "entry")
        ),
        "say when, counted from the detection, and for which services: `call: { after: 30 min }`".to_owned(),
    ];
    let severity = if all { Severity::Medium } else { Severity::Low };
    vec![reader.weakness("contacts-never-called", severity, format!("contacts[{first}]"), words)]
}
