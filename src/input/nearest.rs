//! The known name that somebody probably meant.

/// The candidate that is nearest to `name`, where one is near enough to be meant.
pub(super) fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let name = plain(name);
    let near = candidates.into_iter().map(|candidate| (distance(&name, &plain(candidate)), candidate));
    let (distance, candidate) = near.min_by_key(|(distance, _)| *distance)?;
    // A third of the letters may be wrong: `outage` is no misspelling of `mode`.
    (distance <= name.len().max(3) / 3).then_some(candidate)
}

/// ``did you mean `b`? Allowed: `a`, `b` ``; the question only where a candidate is near.
pub(super) fn suggest(name: &str, allowed: &[&str]) -> String {
    let list = allowed.iter().map(|a| format!("`{a}`")).collect::<Vec<_>>().join(", ");
    match (nearest(name, allowed.iter().copied()), allowed) {
        (_, []) => "none is known".to_owned(),
        (Some(near), _) => format!("did you mean `{near}`? Known: {list}"),
        (None, [only]) => format!("the only one is `{only}`"),
        (None, _) => format!("write one of {list}"),
    }
}

fn plain(name: &str) -> Vec<char> {
    name.chars().take(64).map(|c| if c == '_' || c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// Edits between two names; two neighbours swapped are one edit.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, cb) in b.iter().enumerate() {
            let mut best = (above[j] + usize::from(ca != cb)).min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *ca == b[j - 1] && a[i - 1] == *cb {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let known = ["region-outage", "corrupt-json", "missing-backup", "mode"];
        assert_eq!(nearest("region_outage", known), Some("region-outage"));
        assert_eq!(nearest("corupt-jsno", known), Some("corrupt-json"));
        assert_eq!(nearest("outage", known), None);
        assert_eq!(nearest("", known), None);
    }
}
