//! Examples of a data set as files of annotations hold them, a page at a time.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use exchange::{Answer, Content, Header, Item};

use crate::App;
use crate::copies::InUse;
use crate::db::Tenant;
use crate::db::datasets::DatasetRow;
use crate::db::examples::ExampleRow;
use crate::error::ApiError;
use crate::senses::{self, Known};
use crate::tasks::{self, Task};
use crate::{gathering, marks};

/// Examples that are asked for at once.
const PAGE: i64 = 1000;

/// The examples, in their order. It asks the database from a thread that may wait, such as one of `spawn_blocking`.
#[derive(Clone)]
pub(crate) struct Items {
    app: Arc<App>,
    runtime: tokio::runtime::Handle,
    tenant: Tenant,
    dataset: String,
    task: Task,
    /// The state that they are of; that of now when absent.
    state: Option<i64>,
    /// Whether their files are read as well.
    files: bool,
    /// Keeps those that were read last here.
    here: Arc<InUse>,
    read: VecDeque<ExampleRow>,
    /// Behind which to read on; absent at the end.
    last: Option<(i64, String)>,
}

impl Items {
    /// All of a data set, with what is to be known of it first.
    pub(crate) async fn of(
        app: &Arc<App>,
        tenant: &Tenant,
        dataset: &DatasetRow,
    ) -> Result<(Header, Self), ApiError> {
        let classes = app.db.classes(tenant, &dataset.id).await?;
        let header = Header {
            name: dataset.name.clone(),
            kind: marks::kind(gathering::modality(dataset.modality.as_deref())?),
            classes: classes.into_iter().map(|(name, _)| name).collect(),
        };
        let items = Self {
            app: app.clone(),
            runtime: tokio::runtime::Handle::current(),
            tenant: tenant.clone(),
            dataset: dataset.id.clone(),
            task: Task::named(&dataset.task)?,
            state: None,
            files: false,
            here: Arc::default(),
            read: VecDeque::new(),
            last: Some((-1, String::new())),
        };
        Ok((header, items))
    }

    /// The same as they were at a number.
    pub(crate) fn at(self, state: i64) -> Self {
        Self { state: Some(state), ..self }
    }

    /// The same, with their files.
    pub(crate) fn with_files(self) -> Self {
        Self { files: true, ..self }
    }

    fn page(&self, last: (i64, &str)) -> Result<Vec<ExampleRow>, sqlx::Error> {
        let (db, tenant, dataset) = (&self.app.db, &self.tenant, &self.dataset);
        match self.state {
            Some(state) => self.runtime.block_on(db.examples_at(tenant, dataset, state, last, PAGE)),
            None => self.runtime.block_on(db.examples_after(tenant, dataset, last, PAGE)),
        }
    }

    fn item(&self, row: ExampleRow) -> Item {
        let tasks::Answer { label, labels, number } = self.task.show(row.label.as_deref());
        let answer = label.map(Answer::Class).or(labels.map(Answer::Classes)).or(number.map(Answer::Number));
        let side = |side: Option<i64>| side.and_then(|side| u32::try_from(side).ok());
        let file = |blob: &String| Content::File(self.app.blobs.path(blob));
        let known = |(sense, known): (&String, &Known)| match known {
            Known::Text(text) => (sense.clone(), Content::Text(text.clone())),
            Known::Blob(blob) => (sense.clone(), file(blob)),
        };
        let content = match (&row.senses, row.body, &row.blob) {
            (Some(kept), ..) => Content::Senses(senses::of(Some(kept)).iter().map(known).collect()),
            (None, Some(text), _) => Content::Text(text),
            (None, None, blob) => blob.as_ref().map_or_else(|| Content::File(PathBuf::new()), file),
        };
        Item {
            marks: marks::of(row.marks.as_deref()),
            size: side(row.width).zip(side(row.height)),
            part: row.part.as_deref().and_then(dataset::Part::from_name),
            piece: row.piece.as_deref().and_then(|piece| serde_json::from_str(piece).ok()),
            group: row.part_group,
            answer: answer.unwrap_or_default(),
            name: row.name,
            content,
        }
    }
}

impl Iterator for Items {
    type Item = io::Result<Item>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.read.is_empty() {
            let (position, id) = self.last.take()?;
            let rows = match self.page((position, &id)) {
                Ok(rows) => rows,
                Err(error) => return Some(Err(io::Error::other(error))),
            };
            if self.files {
                match self.app.blobs.fetch_of(&rows) {
                    Ok(here) => self.here = Arc::new(here),
                    Err(error) => return Some(Err(io::Error::other(error))),
                }
            }
            self.read = rows.into();
            self.last = self.read.back().map(|row| (row.position, row.id.clone()));
        }
        let row = self.read.pop_front()?;
        Some(Ok(self.item(row)))
    }
}
