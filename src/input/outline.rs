//! The outline of a YAML file: which value stands at which line and column. It is made from the parser's events before
//! anything is typed, and refuses what this format leaves out: anchors, aliases, tags, second documents, doubled keys.

use std::collections::BTreeMap;

use serde_saphyr::granit_parser::{self, Event, Parser, ScanError, Span};

use super::explain;
use crate::error::{Error, Result};

/// Deepest nesting of lists and mappings; a scenario has 4.
pub(super) const MAX_DEPTH: usize = 32;
/// Most values in one file; a long plan has 200.
pub(super) const MAX_NODES: usize = 10_000;

/// A position in a file, both numbers from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// Where the values of a file stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    file: String,
    root: Node,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) at: Place,
    pub(super) kind: Kind,
}

/// What a value is before it has a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Text(String),
    List(Vec<Node>),
    Mapping(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_at: Place,
    pub(super) value: Node,
}

impl Places {
    /// Outlines a text; `file` is its name in errors and `noun` what it should be.
    pub(super) fn outline(file: &str, text: &str, noun: &str) -> Result<Places> {
        let root = Builder::new(file, noun).run(text)?;
        Ok(Places { file: file.to_owned(), root })
    }

    /// No places: every value is said to stand where the file begins.
    pub(super) fn none(file: &str) -> Places {
        let root = Node { at: Place { line: 1, column: 1 }, kind: Kind::Mapping(Vec::new()) };
        Places { file: file.to_owned(), root }
    }

    /// `file:line:column` of the value at a path like `faults[1].regions[0]`; of the nearest value around it where the
    /// path leads nowhere, as for a field that was left out.
    pub fn of(&self, path: &str) -> String {
        self.show(self.walk(path).0.at)
    }

    /// `file:line:column` of the key at a path; of the value where it has no key of its own.
    pub fn of_key(&self, path: &str) -> String {
        let (node, key_at) = self.walk(path);
        self.show(key_at.unwrap_or(node.at))
    }

    /// The line of every value by its path; that of its key where it has one.
    pub fn lines(&self) -> BTreeMap<String, usize> {
        fn visit(node: &Node, path: &str, lines: &mut BTreeMap<String, usize>) {
            match &node.kind {
                Kind::Text(_) => {}
                Kind::List(items) => items.iter().enumerate().for_each(|(i, item)| {
                    let path = format!("{path}[{i}]");
                    lines.insert(path.clone(), item.at.line);
                    visit(item, &path, lines);
                }),
                Kind::Mapping(entries) => entries.iter().for_each(|entry| {
                    let path = joined(path, &entry.key);
                    lines.insert(path.clone(), entry.key_at.line);
                    visit(&entry.value, &path, lines);
                }),
            }
        }
        let mut lines = BTreeMap::new();
        visit(&self.root, "", &mut lines);
        lines
    }

    /// `file:line:column`.
    pub(super) fn show(&self, place: Place) -> String {
        format!("{}:{}:{}", self.file, place.line, place.column)
    }

    /// Whether the file itself has a value at a path.
    pub(super) fn has(&self, path: &str) -> bool {
        let (mut node, mut rest) = (&self.root, path);
        while let Some((inner, _, after)) = step(node, rest.strip_prefix('.').unwrap_or(rest)) {
            (node, rest) = (inner, after);
        }
        rest.is_empty()
    }

    pub(super) fn node(&self, path: &str) -> &Node {
        self.walk(path).0
    }

    /// The path of the key or value that stands at a place, or of the last that begins before it.
    pub(super) fn path_at(&self, place: Place) -> String {
        let mut path = String::new();
        let mut node = &self.root;
        while let Some((longer, inner)) = last_before(node, &path, place) {
            (path, node) = (longer, inner);
        }
        path
    }

    /// The last text that stands wholly before a place, with its path.
    pub(super) fn text_before(&self, place: Place) -> Option<(String, Place)> {
        fn visit(node: &Node, path: &str, before: Place, last: &mut Option<(String, Place)>) {
            match &node.kind {
                Kind::Text(_) if node.at < before => *last = Some((path.to_owned(), node.at)),
                Kind::Text(_) => {}
                Kind::List(items) => {
                    items.iter().enumerate().for_each(|(i, item)| visit(item, &format!("{path}[{i}]"), before, last));
                }
                Kind::Mapping(entries) => {
                    entries.iter().for_each(|entry| visit(&entry.value, &joined(path, &entry.key), before, last));
                }
            }
        }
        let mut last = None;
        visit(&self.root, "", place, &mut last);
        last
    }

    fn walk(&self, path: &str) -> (&Node, Option<Place>) {
        let (mut node, mut key_at, mut rest) = (&self.root, None, path);
        while !rest.is_empty() {
            let Some((inner, inner_key, after)) = step(node, rest.strip_prefix('.').unwrap_or(rest)) else { break };
            (node, key_at, rest) = (inner, inner_key, after);
        }
        (node, key_at)
    }
}

/// One step down a path: the value, the place of its key, and the rest of the path. A key may itself hold a dot, so the
/// longest key that fits is taken.
fn step<'n, 'p>(node: &'n Node, path: &'p str) -> Option<(&'n Node, Option<Place>, &'p str)> {
    match &node.kind {
        Kind::Text(_) => None,
        Kind::List(items) => {
            let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
            Some((items.get(index.parse::<usize>().ok()?)?, None, rest))
        }
        Kind::Mapping(entries) => {
            let fits = entries.iter().filter_map(|entry| {
                let rest = path.strip_prefix(entry.key.as_str())?;
                (rest.is_empty() || rest.starts_with(['.', '['])).then_some((entry, rest))
            });
            let (entry, rest) = fits.max_by_key(|(entry, _)| entry.key.len())?;
            Some((&entry.value, Some(entry.key_at), rest))
        }
    }
}

fn last_before<'n>(node: &'n Node, path: &str, place: Place) -> Option<(String, &'n Node)> {
    match &node.kind {
        Kind::Text(_) => None,
        Kind::List(items) => {
            let index = items.iter().rposition(|item| item.at <= place)?;
            Some((format!("{path}[{index}]"), &items[index]))
        }
        Kind::Mapping(entries) => {
            let entry = entries.iter().rfind(|entry| entry.key_at <= place)?;
            Some((joined(path, &entry.key), &entry.value))
        }
    }
}

/// The path of a field.
pub(super) fn joined(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

/// A list or mapping that is still being read.
enum Open {
    List { at: Place, items: Vec<Node> },
    Mapping { at: Place, entries: Vec<Entry>, key: Option<(String, Place)> },
}

struct Builder<'b> {
    file: &'b str,
    noun: &'b str,
    stack: Vec<Open>,
    root: Option<Node>,
    nodes: usize,
}

impl<'b> Builder<'b> {
    fn new(file: &'b str, noun: &'b str) -> Self {
        Builder { file, noun, stack: Vec::new(), root: None, nodes: 0 }
    }

    fn run(mut self, text: &str) -> Result<Node> {
        let options = granit_parser::options! {
            emit_comments: false,
            emit_anchor_events: true,
            disallow_directives: true,
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
        };
        for event in Parser::new_from_str_with_options(text, options) {
            let (event, span) = event.map_err(|error| self.scan_error(&error))?;
            self.take(event, &span)?;
        }
        let fields = format!("a {} is a mapping of fields, one `name: value` a line", self.noun);
        let Some(root) = self.root else {
            let what = format!("the file holds nothing; it should hold a {}", self.noun);
            return Err(Error::new(what).at(format!("{}:1:1", self.file)).help(fields));
        };
        let what = match &root.kind {
            Kind::Mapping(_) => return Ok(root),
            Kind::List(_) => format!("the file holds a list, not a {}", self.noun),
            Kind::Text(_) => format!("the file holds plain text, not a {}", self.noun),
        };
        let place = format!("{}:{}:{}", self.file, root.at.line, root.at.column);
        Err(Error::new(what).at(place).help(fields))
    }

    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<()> {
        let at = place(span);
        // The anchor's own event follows that of its node, and knows where the `&` stands.
        if matches!(event, Event::Anchor(..)) || event.is_alias() {
            let what = "anchors (`&name`) and aliases (`*name`) are not part of this format";
            return Err(self.error(at, what).help("write the value out where it is needed"));
        }
        if let Some(tag) = event.tag() {
            let what = format!("tags (`{}`) are not part of this format", explain::shown(&tag.original()));
            let at = span.tag_span().map_or(at, |tag| place(&tag));
            return Err(self.error(at, what).help("write the value without its tag"));
        }
        match event {
            Event::DocumentStart(..) if self.root.is_some() => {
                let what = format!("a second document begins here; a file holds one {}", self.noun);
                Err(self.error(at, what).help("remove the `---`, or move what follows into a file of its own"))
            }
            Event::Scalar(text, ..) => self.text(text.into_owned(), at),
            Event::SequenceStart(..) => self.open(Open::List { at, items: Vec::new() }, at),
            Event::MappingStart(..) => self.open(Open::Mapping { at, entries: Vec::new(), key: None }, at),
            Event::SequenceEnd | Event::MappingEnd => match self.stack.pop() {
                Some(Open::List { at, items }) => self.close(Node { at, kind: Kind::List(items) }),
                Some(Open::Mapping { at, entries, .. }) => self.close(Node { at, kind: Kind::Mapping(entries) }),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn text(&mut self, text: String, at: Place) -> Result<()> {
        // They would reach terminals and reports.
        if let Some(control) = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
            let what = format!("the text holds the control character {}", control.escape_unicode());
            return Err(self.error(at, what).help("remove it"));
        }
        self.count(at)?;
        self.close(Node { at, kind: Kind::Text(text) })
    }

    fn open(&mut self, open: Open, at: Place) -> Result<()> {
        self.count(at)?;
        if self.stack.len() >= MAX_DEPTH {
            return Err(too_deep(self.file, at));
        }
        self.stack.push(open);
        Ok(())
    }

    fn count(&mut self, at: Place) -> Result<()> {
        self.nodes += 1;
        if self.nodes <= MAX_NODES {
            return Ok(());
        }
        let what = format!("the file holds more than {MAX_NODES} values");
        Err(self.error(at, what).help(format!("check that this is a {}", self.noun)))
    }

    /// Puts a finished value where it belongs.
    fn close(&mut self, node: Node) -> Result<()> {
        match self.stack.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Mapping { entries, key, .. }) => match (key.take(), node) {
                (Some((name, key_at)), value) => entries.push(Entry { key: name, key_at, value }),
                (None, Node { at, kind: Kind::Text(name) }) => {
                    if let Some(line) = entries.iter().find(|entry| entry.key == name).map(|first| first.key_at.line) {
                        let what = format!("`{}` is given twice, first on line {line}", explain::shown(&name));
                        return Err(self.error(at, what).help("keep one of the two"));
                    }
                    *key = Some((name, at));
                }
                (None, node) => {
                    return Err(self
                        .error(node.at, "a list or mapping stands where the name of a field belongs")
                        .help("write `name: value`; put text that holds `{`, `[` or `: ` in quotes"));
                }
            },
        }
        Ok(())
    }

    fn error(&self, at: Place, what: impl Into<String>) -> Error {
        Error::new(what).at(format!("{}:{}:{}", self.file, at.line, at.column))
    }

    fn scan_error(&self, error: &ScanError) -> Error {
        explain::scan(self.file, error)
    }
}

pub(super) fn too_deep(file: &str, at: Place) -> Error {
    Error::new(format!("lists and mappings are nested more than {MAX_DEPTH} deep"))
        .at(format!("{file}:{}:{}", at.line, at.column))
        .help("a plan or scenario needs 5 levels at the most")
}

fn place(span: &Span) -> Place {
    Place { line: span.start.line(), column: span.start.col() + 1 }
}
