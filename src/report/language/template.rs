//! Sentences with holes: `{n:number} of {all} met`. A pattern finds what stands in the holes of an English sentence, a
//! template puts it into the translation.

use super::{book::Search, figures};

/// What may stand in a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `{x}`: what the phrase book can say.
    Said,
    /// `{x:number}`: digits.
    Number,
    /// `{x:name}`: one word, and it stays as it is.
    Name,
    /// `{x:raw}`: anything, and it stays as it is: an error, evidence.
    Raw,
    /// `{x:list}`: `a, b and c`, each said where the book has it.
    List,
}

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Hole(String, Kind),
}

/// An English sentence with holes.
#[derive(Debug)]
pub(super) struct Pattern(Vec<Piece>);

/// Its translation.
#[derive(Debug)]
pub(super) struct Template(Vec<Piece>);

/// What stands in the holes, by their names.
pub(super) type Holes<'p> = Vec<(&'p str, String)>;

impl Pattern {
    /// Reads it; `None` where it has no hole.
    pub(super) fn read(text: &str) -> Option<Self> {
        pieces(text).map(Pattern)
    }

    /// Letters of its own.
    pub(super) fn own_text(&self) -> usize {
        let length = |piece: &Piece| if let Piece::Text(text) = piece { text.len() } else { 0 };
        self.0.iter().map(length).sum()
    }

    /// What stands in its holes, translated; `None` where the sentence is another one.
    pub(super) fn holes<'p>(&'p self, text: &str, search: &Search<'_>) -> Option<Holes<'p>> {
        if !self.may_fit(text) {
            return None;
        }
        fill(&self.0, text, search)
    }

    /// Most patterns are ruled out by how they begin or end.
    fn may_fit(&self, text: &str) -> bool {
        let own = |piece: Option<&'_ Piece>, fits: &dyn Fn(&str) -> bool| match piece {
            Some(Piece::Text(own)) => fits(own),
            _ => true,
        };
        own(self.0.first(), &|own| text.starts_with(own))
            && own(self.0.last(), &|own| text.ends_with(own))
            && self.0.iter().all(|piece| own(Some(piece), &|own| text.contains(own)))
    }

    #[cfg(test)]
    pub(super) fn names(&self) -> Vec<&str> {
        names(&self.0)
    }
}

impl Template {
    /// Reads it; `None` where it has no hole.
    pub(super) fn read(text: &str) -> Option<Self> {
        pieces(text).map(Template)
    }

    /// The translation with its holes filled. Particles that depend on the word before them are chosen.
    pub(super) fn fill(&self, holes: &Holes<'_>) -> String {
        let value = |name: &str| holes.iter().find(|(hole, _)| *hole == name).map_or("", |(_, value)| value.as_str());
        let mut said = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => figures::join(&mut said, text),
                Piece::Hole(name, _) => said.push_str(value(name)),
            }
        }
        said
    }

    #[cfg(test)]
    pub(super) fn names(&self) -> Vec<&str> {
        names(&self.0)
    }
}

#[cfg(test)]
fn names(pieces: &[Piece]) -> Vec<&str> {
    pieces
        .iter()
        .filter_map(|piece| if let Piece::Hole(name, _) = piece { Some(name.as_str()) } else { None })
        .collect()
}

/// Text and holes in turn; `None` where there is no hole, or a brace that belongs to none.
fn pieces(text: &str) -> Option<Vec<Piece>> {
    let (mut found, mut rest) = (Vec::new(), text);
    while let Some((before, after)) = rest.split_once('{') {
        let (hole, behind) = after.split_once('}')?;
        let (name, kind) = match hole.split_once(':') {
            None => (hole, Kind::Said),
            Some((name, "number")) => (name, Kind::Number),
            Some((name, "name")) => (name, Kind::Name),
            Some((name, "raw")) => (name, Kind::Raw),
            Some((name, "list")) => (name, Kind::List),
            Some(_) => return None,
        };
        if !before.is_empty() {
            found.push(Piece::Text(before.to_owned()));
        }
        found.push(Piece::Hole(name.to_owned(), kind));
        rest = behind;
    }
    if found.is_empty() {
        return None;
    }
    if !rest.is_empty() {
        found.push(Piece::Text(rest.to_owned()));
    }
    Some(found)
}

/// Fits the pieces to the text from its beginning to its end. A hole takes as little as it can.
fn fill<'p>(pieces: &'p [Piece], text: &str, search: &Search<'_>) -> Option<Holes<'p>> {
    search.compare()?;
    match pieces {
        [] => text.is_empty().then(Vec::new),
        [Piece::Text(own), rest @ ..] => fill(rest, text.strip_prefix(own.as_str())?, search),
        [Piece::Hole(name, kind)] => Some(vec![(name, put(text, *kind, search)?)]),
        [Piece::Hole(name, kind), rest @ ..] => {
            let next = if let [Piece::Text(own), ..] = rest { own.as_str() } else { "" };
            text.match_indices(next).filter(|(at, _)| *at > 0).find_map(|(at, _)| {
                let mut holes = fill(rest, &text[at..], search)?;
                holes.push((name, put(&text[..at], *kind, search)?));
                Some(holes)
            })
        }
    }
}

/// What a hole holds, translated; `None` where it cannot hold that.
fn put(text: &str, kind: Kind, search: &Search<'_>) -> Option<String> {
    match kind {
        _ if text.is_empty() => None,
        Kind::Name => (!text.contains(char::is_whitespace)).then(|| text.to_owned()),
        Kind::Raw => Some(text.to_owned()),
        Kind::Number => text.bytes().all(|b| b.is_ascii_digit() || b == b'.').then(|| text.to_owned()),
        Kind::Said => search.look_up(text),
        Kind::List => {
            let items = text.split(", ").flat_map(|item| item.split(" and "));
            let said = items.map(|item| search.look_up(item).unwrap_or_else(|| item.to_owned()));
            Some(said.collect::<Vec<_>>().join(", "))
        }
    }
}
