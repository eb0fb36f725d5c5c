//! What users get: every path that the site says it has, and every path that it ever had, asked for one by one through
//! DNS and the production alias.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use futures_util::{StreamExt, stream};

use super::{
    ledger::ReleaseLedger,
    row::Row,
    site::{TABLES, table},
};
use crate::{
    provider::{Answer, Provider, ProviderError},
    service::contract::{Asked, Contents, RowChunk, ServiceError, View},
};

/// Where the site lists its paths.
const SITEMAP: &str = "/sitemap.json";

/// The site as users see it.
pub(super) struct Users {
    pub(super) provider: Provider,
    pub(super) ledger: Arc<ReleaseLedger>,
}

impl Users {
    async fn get(&self, path: &str) -> Result<Answer, ServiceError> {
        self.provider.get(path).await.map_err(|e: ProviderError| ServiceError(format!("{path} is not answered: {e}")))
    }

    /// Every path to ask for.
    async fn paths(&self) -> Result<BTreeSet<String>, ServiceError> {
        let mut paths: BTreeSet<String> = self.ledger.paths().into_iter().collect();
        let listed = self.get(SITEMAP).await?;
        // A site that lists nothing readable is still asked for what it should have.
        paths.extend(serde_json::from_slice::<Vec<String>>(&listed.body).unwrap_or_default());
        Ok(paths)
    }
}

#[async_trait]
impl View for Users {
    async fn read_back(&self) -> Result<Contents, ServiceError> {
        let mut rows: Vec<(&str, Row)> = Vec::new();
        for path in self.paths().await? {
            let answer = self.get(&path).await?;
            // What is not there is no row; every other answer is one, right or wrong.
            if answer.status != 404 {
                rows.push((table(&path), Row::of(&path, answer.status, &answer.body)));
            }
        }
        let chunks = TABLES.map(|name| {
            let lines: Vec<String> = rows.iter().filter(|(of, _)| *of == name).map(|(_, row)| row.line()).collect();
            Ok(RowChunk { table: name.into(), rows: lines.len() as u64, lines: lines.concat().into() })
        });
        Ok(Contents { tables: TABLES.map(Arc::from).into(), rows: stream::iter(chunks).boxed() })
    }

    async fn ask(&self, path: &str) -> Result<Asked, ServiceError> {
        let Answer { status, body } = self.get(path).await?;
        Ok(Asked { status, body })
    }
}
