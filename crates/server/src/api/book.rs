//! The label book: what belongs into each class, and the rules that were decided on.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use curate::book::{self, Entry, Expected, Language, cell};
use pipeline::{Broken, Lang, Rulebook};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::examples::{Example, Teller, is_veiled, names, unveiled};
use super::reading::{Asked, Sent, found, was_there};
use crate::App;
use crate::answering::lang_of;
use crate::books::{self, Heard};
use crate::clock::written;
use crate::db::book::NoteRow;
use crate::db::datasets::DatasetRow;
use crate::db::examples::ExampleRow;
use crate::error::ApiError;
use crate::people::{Caller, Right};

/// Characters of a note: it is read beside the work.
const MOST_NOTED: usize = 2000;

/// What people agreed on.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LabelBook {
    /// By class; a class may have none.
    notes: Vec<ClassNote>,
    /// In the order in which they were decided. Where two about the same classes meet at one example, the later counts.
    rules: Vec<BookRule>,
}

/// What belongs into a class, and what does not.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClassNote {
    class: String,
    text: String,
    by: Option<String>,
    at: String,
}

/// What examples of two classes that look alike are.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BookRule {
    /// By which people know it; no other rule ever has it.
    number: usize,
    /// The two classes.
    a: String,
    b: String,
    /// For people.
    words: String,
    /// Examples it was decided for.
    n: usize,
    author: String,
    /// `2031-05-28`
    date: String,
    /// Examples that show what it is about; those that are gone are left out.
    exemplars: Vec<BookExemplar>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BookExemplar {
    example: Example,
    /// The label it had when the rule was made; absent for who labels blindly.
    given: Option<String>,
}

/// A label that a rule speaks against.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BrokenRule {
    rule: BookRule,
    /// The label it asks for; absent where it says that such examples are not used.
    asks: Option<String>,
}

/// A rule that speaks against some of the labels that were given at once.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BrokenByMany {
    rule: BookRule,
    /// The label it asks for; absent where it says that such examples are not used.
    asks: Option<String>,
    /// The examples whose label it speaks against.
    examples: Vec<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoteText {
    /// At most 2,000 characters; an empty one takes the note away.
    text: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct BookFile {
    /// `json`, as `dianjing audit --rules` reads it, or `markdown`, with the notes; `json` when absent.
    format: Option<String>,
    /// `en` or `zh`; that of `Accept-Language` when absent.
    lang: Option<String>,
}

/// Shows the label book. Whoever labels blindly sees it as well: it says what people agreed on, not what anybody said of an example.
#[utoipa::path(get, path = "/v1/datasets/{id}/book", tag = "book", responses((status = 200, body = LabelBook)))]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<LabelBook>, ApiError> {
    caller.may(Right::Look)?;
    let of = found(app.db.dataset(&caller.tenant, &id).await?)?;
    let rules = books::rules(&app, &caller.tenant, &id).await?;
    let rules = rules.as_deref().map(Rulebook::rules).unwrap_or_default();
    let reader = Reader::new(&app, &caller, &of, &rules, lang_of(&headers)).await?;
    let told = rules.iter().map(|(number, entry)| reader.rule(*number, entry)).collect();
    let people = names(&app, &caller.tenant).await?;
    let note = |row: NoteRow| ClassNote {
        by: people.get(&row.person).cloned(),
        at: written(row.at),
        class: row.class,
        text: row.body,
    };
    let notes = app.db.notes(&caller.tenant, &id).await?.into_iter().map(note).collect();
    Ok(Json(LabelBook { notes, rules: told }))
}

/// Writes down what belongs into a class, and what does not.
#[utoipa::path(put, path = "/v1/datasets/{id}/book/notes/{class}", tag = "book", request_body = NoteText, responses((status = 204)))]
pub(super) async fn note(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, class)): Path<(String, String)>,
    Sent(NoteText { text }): Sent<NoteText>,
) -> Result<StatusCode, ApiError> {
    caller.may(Right::Edit)?;
    found(app.db.dataset(&caller.tenant, &id).await?)?;
    let text = text.trim();
    let odd = |letter: char| letter.is_control() && letter != '\n' && letter != '\t';
    if text.chars().count() > MOST_NOTED || text.chars().any(odd) {
        let (en, zh) = ("a note has at most 2,000 characters", "说明最多 2000 个字符");
        return Err(
            ApiError::invalid(en, zh).hint("say the rest in a document of your own", "其余内容请另写文档")
        );
    }
    let there = app.db.set_note(&caller.tenant, &id, (&class, text), &caller.person.id).await?;
    let done = was_there(there)?;
    app.db.note(&caller.tenant, &caller.person.name, "write note", &id).await?;
    Ok(done)
}

/// Takes a rule out of the book; labels stay as they are.
#[utoipa::path(delete, path = "/v1/datasets/{id}/book/rules/{number}", tag = "book", responses((status = 204)))]
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, number)): Path<(String, i64)>,
) -> Result<StatusCode, ApiError> {
    caller.may(Right::Edit)?;
    let gone = was_there(app.db.remove_rule(&caller.tenant, &id, number).await?)?;
    app.db.note(&caller.tenant, &caller.person.name, "take rule out", &format!("{id} {number}")).await?;
    Ok(gone)
}

/// The book as a file. Rules that were decided with another base than the last one cannot stand beside it and are left out of JSON.
#[utoipa::path(get, path = "/v1/datasets/{id}/book/export", tag = "book", params(BookFile), responses((status = 200)))]
pub(super) async fn export(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
    Asked(BookFile { format, lang }): Asked<BookFile>,
) -> Result<Response, ApiError> {
    caller.may(Right::Look)?;
    let of = found(app.db.dataset(&caller.tenant, &id).await?)?;
    // A file names what its examples were called.
    unveiled(&of, &caller)?;
    let lang = lang.map_or_else(|| lang_of(&headers), |lang| Lang::from_locale(&lang));
    let rules = books::rules(&app, &caller.tenant, &id).await?;
    let (kind, ending, text) = match format.as_deref() {
        None | Some("" | "json") => {
            let book = rules.as_deref().and_then(Rulebook::last).ok_or_else(empty)?;
            let text = book.to_json().map_err(|error| ApiError::internal(&error))?;
            ("application/json", "json", text)
        }
        Some("markdown") => {
            let rows = app.db.rules(&caller.tenant, &id).await?;
            let notes = app.db.notes(&caller.tenant, &id).await?;
            let book = whole(rules.as_deref(), rows.iter().map(|row| row.base.as_str()));
            ("text/markdown; charset=utf-8", "md", page(&book, &notes, lang))
        }
        Some(_) => {
            return Err(ApiError::invalid("`format` is json or markdown", "format 须为 json 或 markdown"));
        }
    };
    let name = format!("attachment; filename=\"label-book.{ending}\"");
    Ok(([(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, name)], text).into_response())
}

fn empty() -> ApiError {
    let (en, zh) = ("no rule has been decided on yet", "还没有裁定任何规则");
    ApiError::conflict(en, zh).hint("the notes are in the Markdown file", "类别说明见 Markdown 文件")
}

/// All rules in one book, to be read: whatever base each was decided with.
fn whole<'b>(rules: Option<&Rulebook>, of: impl Iterator<Item = &'b str>) -> book::Book {
    let mut bases: Vec<&str> = Vec::new();
    for base in of {
        if !bases.contains(&base) {
            bases.push(base);
        }
    }
    let mut book = book::Book::new(&bases.join("`, `"), 0);
    let rules = rules.map(Rulebook::rules).unwrap_or_default();
    book.entries = rules.into_iter().map(|(_, entry)| entry.clone()).collect();
    book
}

/// The rules, then the notes.
fn page(book: &book::Book, notes: &[NoteRow], lang: Lang) -> String {
    let mut page = book::markdown(book, language(lang));
    for (place, note) in notes.iter().enumerate() {
        if place == 0 {
            page += lang.pick("\n# What belongs into each class\n", "\n# 各类别包含什么\n");
        }
        let lines: Vec<String> = note.body.lines().map(cell).collect();
        page += &format!("\n## {}\n\n{}\n", cell(&note.class), lines.join("\n\n"));
    }
    page
}

fn language(lang: Lang) -> Language {
    lang.pick(Language::English, Language::Chinese)
}

/// A rule of two classes in words.
pub(super) fn words(rule: &book::Rule, classes: (&str, &str), lang: Lang) -> String {
    book::words(rule, classes, language(lang))
}

/// Tells a label's giver what a rule has against it: a sentence, and the rule.
pub(super) async fn against(
    app: &Arc<App>,
    caller: &Caller,
    of: &DatasetRow,
    given: (&str, &str),
    lang: Lang,
) -> Result<Option<(String, BrokenRule)>, ApiError> {
    let (broken, _) = against_many(app, caller, of, &[given], lang).await?;
    let Some(BrokenByMany { rule, asks, .. }) = broken.into_iter().next() else { return Ok(None) };
    let number = rule.number;
    let sentence = match &asks {
        Some(asks) => lang.pick(
            format!("rule {number} of the label book asks for “{asks}” here"),
            format!("按标签手册第 {number} 条，这里应标“{asks}”"),
        ),
        None => lang.pick(
            format!("rule {number} of the label book says that examples like this one are not used"),
            format!("按标签手册第 {number} 条，这样的样本不使用"),
        ),
    };
    Ok(Some((sentence, BrokenRule { rule, asks })))
}

/// The rules that speak against some of many labels, and of how many no rule could tell.
pub(super) async fn against_many(
    app: &Arc<App>,
    caller: &Caller,
    of: &DatasetRow,
    given: &[(&str, &str)],
    lang: Lang,
) -> Result<(Vec<BrokenByMany>, usize), ApiError> {
    let Some(Heard { rules, broken, n_unsure }) = books::against(app, &caller.tenant, of, given).await?
    else {
        return Ok((Vec::new(), 0));
    };
    let entry = |(broken, _): &(Broken, Vec<String>)| Some((broken.number, rules.rule(broken.number)?));
    let entries: Vec<(usize, &Entry)> = broken.iter().filter_map(entry).collect();
    if entries.is_empty() {
        return Ok((Vec::new(), n_unsure));
    }
    let reader = Reader::new(app, caller, of, &entries, lang).await?;
    let told = |(Broken { number, expected }, examples): (Broken, Vec<String>)| {
        let asks = if let Expected::Label(label) = expected { Some(label) } else { None };
        Some(BrokenByMany { rule: reader.rule(number, rules.rule(number)?), asks, examples })
    };
    Ok((broken.into_iter().filter_map(told).collect(), n_unsure))
}

/// What rules are told with.
struct Reader {
    examples: HashMap<String, ExampleRow>,
    teller: Teller,
    veiled: bool,
    lang: Lang,
}

impl Reader {
    async fn new(
        app: &Arc<App>,
        caller: &Caller,
        of: &DatasetRow,
        rules: &[(usize, &Entry)],
        lang: Lang,
    ) -> Result<Self, ApiError> {
        let exemplars = rules.iter().flat_map(|(_, entry)| &entry.exemplars);
        let named: Vec<&str> = exemplars.map(|exemplar| exemplar.id.as_str()).collect();
        let rows = app.db.examples_by_name(&caller.tenant, &of.id, &named).await?;
        Ok(Self {
            examples: rows.into_iter().map(|row| (row.name.clone(), row)).collect(),
            teller: Teller::of(app, caller, &of.id).await?,
            veiled: is_veiled(of, caller),
            lang,
        })
    }

    fn rule(&self, number: usize, entry: &Entry) -> BookRule {
        let exemplar = |exemplar: &book::Exemplar| {
            let row = self.examples.get(&exemplar.id)?.clone();
            let given = Some(exemplar.given.clone()).filter(|_| !self.veiled);
            Some(BookExemplar { example: self.teller.tell(row), given })
        };
        BookRule {
            number,
            a: entry.a.clone(),
            b: entry.b.clone(),
            words: words(&entry.rule, (&entry.a, &entry.b), self.lang),
            n: entry.members.len(),
            author: entry.author.clone(),
            date: entry.date.clone(),
            exemplars: entry.exemplars.iter().filter_map(exemplar).collect(),
        }
    }
}
