//! One pass over a region's listing, page by page: the newest dump, the pieces of the change stream, and what is none of
//! ours. Memory holds names, of dumps and pieces alone.

use futures_util::TryStreamExt;
use jiff::Timestamp;

use crate::{
    model::naming::{KeyKind, Layout, PieceName, PointName},
    store::{ObjectInfo, Store, StoreError},
};

/// What a region's listing shows.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Name of the newest dump, and what the listing says of it.
    pub(super) newest: Option<(PointName, ObjectInfo)>,
    /// All dumps, in order.
    pub(super) dumps: Vec<PointName>,
    /// Pieces of the change stream, by the writes in them.
    pub(super) pieces: Vec<PieceName>,
    /// The newest object that is neither.
    pub(super) stranger: Option<(String, Timestamp)>,
}

/// Lists what lies below the prefix.
pub(super) async fn survey(store: &dyn Store, layout: &Layout) -> Result<Survey, StoreError> {
    let mut survey = Survey::default();
    let mut pages = store.pages(&layout.prefix);
    while let Some(page) = pages.try_next().await? {
        page.into_iter().for_each(|object| survey.add(object, layout));
    }
    survey.dumps.sort();
    survey.pieces.sort_by_key(|piece| (piece.from, piece.to));
    Ok(survey)
}

impl Survey {
    fn add(&mut self, object: ObjectInfo, layout: &Layout) {
        if let Some(piece) = layout.parse_piece(&object.key) {
            return self.pieces.push(piece);
        }
        match layout.parse(&object.key) {
            Some(KeyKind::Dump(point)) => {
                self.dumps.push(point.clone());
                if self.newest.as_ref().is_none_or(|(newest, _)| *newest <= point) {
                    self.newest = Some((point, object));
                }
            }
            Some(KeyKind::Manifest(_)) => {}
            None if object.key.starts_with(&layout.contents_prefix()) => {}
            None if self.stranger.as_ref().is_none_or(|(_, known)| *known <= object.modified) => {
                self.stranger = Some((object.key, object.modified));
            }
            None => {}
        }
    }

    /// What lies there and is not named as backups are: where there is no backup, or where it is newer than all.
    pub(super) fn remark(&self) -> Option<String> {
        let (key, modified) = self.stranger.as_ref()?;
        let newer = self.newest.as_ref().is_none_or(|(_, newest)| *modified > newest.modified);
        newer.then(|| format!("{} is there, and is not named as the plan's backups are", key.escape_debug()))
    }
}
