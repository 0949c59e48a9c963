//! The quick model hears what was said, from the events: here, by whoever gave a label, and of what was said on other servers.

use std::sync::Arc;
use std::time::Duration;

use super::{Live, PATIENCE, State};
use crate::App;
use crate::clock::now;
use crate::db::news::News;

/// How often it is asked what was said on other servers.
const EVERY: Duration = Duration::from_secs(1);

/// What came of news.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    /// Nothing that changes an answer.
    Nothing,
    Answers,
    /// What is there is other than what was looked at.
    Other,
}

/// Hears what is said on other servers, until this one closes.
pub(crate) async fn listen(app: Arc<App>) {
    // SQLite is in the folder of one server.
    while !app.is_closing() && !app.db.is_sqlite() {
        for live in app.lives.all() {
            live.hear(&app).await;
        }
        let _ = tokio::time::timeout(EVERY, app.closed_for(Duration::ZERO)).await;
    }
}

impl Live {
    /// Takes in what was said since this was last asked, and thinks again. What was said is kept whatever comes of this: what is not
    /// heard now is heard later.
    pub(crate) async fn hear(self: &Arc<Self>, app: &Arc<App>) {
        let Some(heard) = self.heard() else { return };
        match app.db.news(&self.tenant, &self.dataset, heard).await {
            Ok(Some(news)) => match self.take(&news) {
                Heard::Nothing => {}
                Heard::Answers => self.think(app),
                Heard::Other => app.lives.forget_this(self),
            },
            Ok(None) => app.lives.forget_this(self),
            Err(error) => tracing::warn!(%error, dataset = self.dataset, "what was said could not be heard"),
        }
    }

    /// The number of the last change that was heard of; `None` while nobody looked.
    fn heard(&self) -> Option<i64> {
        if let State::Ready(looked) = &*self.state() { Some(looked.heard) } else { None }
    }

    fn take(&self, news: &News) -> Heard {
        let mut state = self.state();
        let State::Ready(looked) = &mut *state else { return Heard::Nothing };
        if news.other || news.task != looked.known.task() {
            return Heard::Other;
        }
        // There may be hundreds a day, and to look anew takes the quick model away for a while: where there is one, they wait.
        looked.misses_some |= news.came_back;
        if looked.misses_some && (looked.opinion.is_none() || now() - looked.at >= PATIENCE) {
            return Heard::Other;
        }
        // Somebody who asked later may have been quicker, and heard all of this.
        if news.seq <= looked.heard {
            return Heard::Nothing;
        }
        looked.heard = news.seq;
        // What was taken out is no example to ask about or to list, and what came back was out of sight when somebody looked.
        if news.words.iter().any(|word| word.moved > 0) {
            return Heard::Other;
        }
        for word in &news.words {
            if let Some(row) = looked.rows.get(&word.example) {
                looked.known.take(*row, word.label.as_deref(), word.drawn == 1);
            }
        }
        if news.words.is_empty() { Heard::Nothing } else { Heard::Answers }
    }
}
