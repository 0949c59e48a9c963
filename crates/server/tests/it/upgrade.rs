//! A database of an earlier version comes up with everything that was in it.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use serde_json::{Value, json};
use server::{ServerError, Way};
use sqlx::{AnyConnection, Connection as _, Executor as _};
use testkit::{Client, Postgres, parts, photo};

use crate::running::{Place, Running, folder, settings, start_on};

/// What made the tables what they were, up to the version that knew what a data set was at each of its numbers.
const THEN: [&str; 9] = [
    include_str!("../../src/db/migrations/0001_first.sql"),
    include_str!("../../src/db/migrations/0002_tasks_and_marks.sql"),
    include_str!("../../src/db/migrations/0003_monitoring.sql"),
    include_str!("../../src/db/migrations/0004_votes.sql"),
    include_str!("../../src/db/migrations/0005_book.sql"),
    include_str!("../../src/db/migrations/0006_accounts_and_bytes.sql"),
    include_str!("../../src/db/migrations/0007_measured.sql"),
    include_str!("../../src/db/migrations/0008_senses.sql"),
    include_str!("../../src/db/migrations/0009_history.sql"),
];
/// Changes of the first version that somebody may have, and of one that knew bytes and several senses.
const FIRST: usize = 3;
const LATER: usize = 9;
/// When everything happened.
const THEN_AT: i64 = 1_700_000_000_000;
/// Marked on a text.
const SPAN: &str = r#"[{"class":"x","shape":"span","start":0,"end":1}]"#;
const SESSION: &str = "a-session-of-then";

/// A photo among the blobs of a server's folder, by its name there.
fn blob(dir: &Path, number: u32) -> (String, usize) {
    let bytes = photo([180, 30, 40], number);
    let name = format!("{}.png", store::Hash::of(&bytes));
    store::write_atomic(&dir.join("blobs").join(&name[..2]).join(&name), |out| out.write_all(&bytes))
        .expect("written");
    (name, bytes.len())
}

/// Everything that somebody may have had then: two teams, photos with labels, marks and one that was taken out, texts, an audit with a
/// decision, a deployment with its counts, and uploads that ended and that did not.
fn rows(blobs: &[String]) -> Vec<String> {
    let hash = store::Hash::of(SESSION.as_bytes());
    let later = 4_000_000_000_000_i64;
    let worklist = json!({ "advice": [], "cautions": [], "checks": [], "findings": [{
        "number": 1, "fault": "label_error", "title": { "en": "Wrong label", "zh": "标注错误" },
        "meaning": { "en": "It looks like another class.", "zh": "看起来像另一类。" }, "action": "relabel",
        "action_text": { "en": "Give it another label", "zh": "改标注" }, "about": null, "given": "blue",
        "suggested": "red", "score": 0.1, "examples": ["e2"], "neighbours": [["e1", 0.5]],
    }] });
    let marks = r#"[{"class":"scratch","shape":"box","x":1,"y":2,"width":10,"height":10}]"#;
    let day = json!({ "n_requests": 3, "answers": { "m1": { "red": 2, "blue": 1 } }, "n_doubtful": 1 });
    let example = |id: &str, place: u32, blob: &str, rest: &str| {
        format!(
            "INSERT INTO example (id, tenant, dataset, position, name, blob, label, label_by, drawn, removed, marks) VALUES ('{id}', 't1', 'd1', {place}, '{id}.png', '{blob}', {rest})"
        )
    };
    let event = |seq: u32, example: &str, who: &str, label: &str, before: &str, act: &str, what: &str| {
        format!(
            "INSERT INTO label_event (tenant, dataset, seq, example, person, label, before, act, at, what) VALUES ('t1', 'd1', {seq}, '{example}', {who}, {label}, {before}, '{act}', {THEN_AT}, '{what}')"
        )
    };
    let marked = format!("'{marks}'");
    vec![
        format!("INSERT INTO tenant (id, name, created_at) VALUES ('t1', 'Works', {THEN_AT}), ('t2', 'Theirs', {THEN_AT} + 1)"),
        format!("INSERT INTO person (id, tenant, name, role, password, created_at) VALUES ('p1', 't1', 'ann', 'owner', 'a hash', {THEN_AT}), ('p2', 't1', 'ben', 'labeller', NULL, {THEN_AT}), ('p3', 't2', 'bob', 'owner', NULL, {THEN_AT})"),
        format!("INSERT INTO session (hash, person, created_at, expires_at) VALUES ('{hash}', 'p1', {THEN_AT}, {later})"),
        format!("INSERT INTO dataset (id, tenant, name, modality, seq, created_at, updated_at) VALUES ('d1', 't1', 'parts', 'image', 9, {THEN_AT}, {THEN_AT}), ('d2', 't1', 'letters', 'text', 4, {THEN_AT}, {THEN_AT})"),
        "INSERT INTO class (tenant, dataset, name, position) VALUES ('t1', 'd1', 'red', 0), ('t1', 'd1', 'blue', 1), ('t1', 'd1', 'scratch', 2), ('t1', 'd2', 'x', 0)".to_owned(),
        example("e1", 0, &blobs[0], "'red', NULL, 1, 0, NULL"),
        example("e2", 1, &blobs[1], "'blue', 'p1', 0, 0, NULL"),
        example("e3", 2, &blobs[2], &format!("NULL, NULL, 0, 0, {marked}")),
        example("e4", 3, &blobs[0], "'blue', 'p2', 0, 1, NULL"),
        "INSERT INTO example (id, tenant, dataset, position, name, body, label, label_by) VALUES ('x1', 't1', 'd2', 0, 'one', '一二三', 'x', 'p1'), ('x2', 't1', 'd2', 1, 'two', 'abc', NULL, NULL)".to_owned(),
        event(1, "e1", "NULL", "'red'", "NULL", "import", "label"),
        event(3, "e2", "'p2'", "'red'", "NULL", "give", "label"),
        event(5, "e2", "'p1'", "'blue'", "'red'", "give", "label"),
        event(7, "e3", "'p1'", &marked, "NULL", "give", "marks"),
        event(8, "e4", "'p2'", "'blue'", "NULL", "give", "label"),
        format!("INSERT INTO label_event (tenant, dataset, seq, example, person, label, act, at) VALUES ('t1', 'd2', 3, 'x1', 'p1', 'x', 'give', {THEN_AT})"),
        "INSERT INTO problem (tenant, dataset, seq, place, en, zh) VALUES ('t1', 'd1', 0, 'odd.png', 'no picture', '不是图片')".to_owned(),
        "INSERT INTO accuracy (tenant, dataset, n_labelled, value, low, high, n) VALUES ('t1', 'd1', 2, 0.5, 0.1, 0.9, 2)".to_owned(),
        format!("INSERT INTO job (id, tenant, dataset, kind, state, payload, version, created_at, ended_at) VALUES ('j1', 't1', 'd1', 'import', 'done', '{{}}', 3, {THEN_AT}, {THEN_AT})"),
        format!("INSERT INTO upload (id, tenant, dataset, job, created_at) VALUES ('u1', 't1', 'd1', 'j1', {THEN_AT}), ('u2', 't1', 'd1', NULL, {later})"),
        format!("INSERT INTO audit (dataset, tenant, seq, at, body) VALUES ('d1', 't1', 8, {THEN_AT}, '{worklist}')"),
        format!("INSERT INTO decision (tenant, dataset, number, decision, person, at) VALUES ('t1', 'd1', 1, 'kept', 'p1', {THEN_AT})"),
        format!("INSERT INTO deployment (tenant, name, model, created_at) VALUES ('t1', 'parts', 'm1', {THEN_AT})"),
        format!("INSERT INTO monitor (tenant, deployment, day, server, body) VALUES ('t1', 'parts', '2023-11-14', 's', '{day}')"),
        format!("INSERT INTO audit_log (tenant, seq, at, person, action, subject, hash) VALUES ('t1', 1, {THEN_AT}, 'ann', 'log in', '', 'h')"),
    ]
}

/// What somebody had beside, once votes, bytes and several senses were known: a photo that was measured and others that were not, an example
/// with a photo of its own and a text, an upload that ended and still took room, and texts that two are asked about, with marks.
fn later_rows(blobs: &[(String, usize)]) -> Vec<String> {
    let [(measured, length), _, _, (own, _)] = blobs else { panic!("four photos") };
    let senses = r#"[{"name":"note","modality":"text"},{"name":"photo","modality":"image"}]"#;
    let known = json!({ "note": { "text": "一二" }, "photo": { "blob": own } });
    vec![
        "INSERT INTO vote (tenant, dataset, example, person, label, at) SELECT tenant, dataset, id, COALESCE(label_by, ''), label, 0 FROM example WHERE label IS NOT NULL".to_owned(),
        format!("UPDATE example SET bytes = {length} WHERE blob = '{measured}'"),
        format!("INSERT INTO dataset (id, tenant, name, modality, senses, seq, created_at, updated_at) VALUES ('d3', 't1', 'both', 'senses', '{senses}', 1, {THEN_AT}, {THEN_AT})"),
        format!("INSERT INTO example (id, tenant, dataset, position, name, body, senses) VALUES ('s1', 't1', 'd3', 0, 'both', '一二', '{known}')"),
        "UPDATE upload SET bytes = 500 WHERE id = 'u1'".to_owned(),
        "UPDATE dataset SET annotators = 2 WHERE id = 'd2'".to_owned(),
        format!("UPDATE example SET marks = '{SPAN}' WHERE id IN ('x1', 'x2')"),
        format!("INSERT INTO label_event (tenant, dataset, seq, example, person, label, act, at, what) VALUES ('t1', 'd2', 4, 'x1', 'p2', '{SPAN}', 'give', {THEN_AT} + 1000, 'marks')"),
    ]
}

/// What two people said of texts that one is asked about now: other things of `o1`, the same of `o2` until one of them changed it for all, and `o3`
/// was only corrected.
fn one_list_rows() -> Vec<String> {
    let event = |seq: u32, example: &str, who: &str, label: &str, before: &str| {
        format!(
            "INSERT INTO label_event (tenant, dataset, seq, example, person, label, before, act, at, what) VALUES ('t1', 'd4', {seq}, '{example}', '{who}', '{label}', {before}, 'give', {THEN_AT}, 'label')"
        )
    };
    vec![
        format!("INSERT INTO dataset (id, tenant, name, modality, seq, created_at, updated_at) VALUES ('d4', 't1', 'said', 'text', 7, {THEN_AT}, {THEN_AT})"),
        "INSERT INTO class (tenant, dataset, name, position) VALUES ('t1', 'd4', 'x', 0), ('t1', 'd4', 'y', 1)".to_owned(),
        "INSERT INTO example (id, tenant, dataset, position, name, body, label, label_by) VALUES ('o1', 't1', 'd4', 0, 'o1', '1', NULL, NULL), ('o2', 't1', 'd4', 1, 'o2', '2', 'y', 'p2'), ('o3', 't1', 'd4', 2, 'o3', '3', 'y', 'p2')".to_owned(),
        event(1, "o1", "p1", "x", "NULL"),
        event(2, "o1", "p2", "y", "NULL"),
        event(3, "o2", "p1", "x", "NULL"),
        event(4, "o2", "p2", "x", "NULL"),
        event(5, "o2", "p2", "y", "'x'"),
        event(6, "o3", "p1", "x", "NULL"),
        event(7, "o3", "p2", "y", "'x'"),
        "INSERT INTO vote (tenant, dataset, example, person, label, at) VALUES ('t1', 'd4', 'o1', 'p1', 'x', 1), ('t1', 'd4', 'o1', 'p2', 'y', 2), ('t1', 'd4', 'o2', 'p1', 'x', 3), ('t1', 'd4', 'o2', 'p2', 'y', 4), ('t1', 'd4', 'o3', 'p1', 'x', 5), ('t1', 'd4', 'o3', 'p2', 'y', 6)".to_owned(),
    ]
}

/// What several people said of these is there again when several are asked, and what one of them changed for all since is decided.
fn check_votes(server: &Running) {
    let ann = ann(server);
    assert_eq!(ann.send("PATCH", "/v1/datasets/d4", &json!({ "annotators": 2 })).status, 200);
    let n_votes = |example: &str| {
        let votes = ann.get(&format!("/v1/examples/{example}/votes")).body["votes"].clone();
        votes.as_array().map(Vec::len)
    };
    assert_eq!(["o1", "o2", "o3"].map(n_votes), [Some(2), Some(2), Some(1)], "corrections are no votes");
    let holds = |example: &str| ann.get(&format!("/v1/examples/{example}")).body["label"].clone();
    assert_eq!(["o1", "o2", "o3"].map(holds), [json!(null), json!("y"), json!("y")]);
    assert_eq!(ann.get("/v1/datasets/d4/agreement").body["n_disputed"], 1, "only what nobody decided");
}

/// What a team has, and what of it is left once the photos with labels are gone.
struct Has {
    n_examples: usize,
    n_bytes: usize,
    n_bytes_left: usize,
}

impl Has {
    /// Of one of so many changes, with these photos.
    fn of(n_changes: usize, blobs: &[(String, usize)]) -> Self {
        let both = if n_changes < LATER { 0 } else { blobs[3].1 + "一二123".len() };
        let photos: usize = blobs[..3].iter().map(|(_, length)| length).sum();
        let left = "一二三abc".len() + both;
        Self {
            n_examples: if n_changes < LATER { 6 } else { 10 },
            n_bytes: photos + left,
            n_bytes_left: left,
        }
    }
}

/// A database as it was when so many of the changes had been made, the rows before the last of them, but for the first version.
async fn make(url: &str, blobs: &[(String, usize)], n_changes: usize) {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(url).await.expect("a database");
    connection.execute("CREATE TABLE migration (number BIGINT PRIMARY KEY)").await.expect("made");
    for (number, change) in (1..=n_changes).zip(THEN) {
        if number == n_changes && n_changes > FIRST {
            fill(&mut connection, blobs, n_changes).await;
        }
        for statement in change.split(";\n").filter(|statement| !statement.trim().is_empty()) {
            connection.execute(statement).await.expect("changed");
        }
        let sql = format!("INSERT INTO migration (number) VALUES ({number})");
        connection.execute(sqlx::AssertSqlSafe(sql)).await.expect("noted");
    }
    if n_changes == FIRST {
        fill(&mut connection, blobs, n_changes).await;
    }
    connection.close().await.expect("closed");
}

async fn fill(connection: &mut AnyConnection, blobs: &[(String, usize)], n_changes: usize) {
    let names: Vec<String> = blobs.iter().map(|(name, _)| name.clone()).collect();
    let later = if n_changes < LATER { Vec::new() } else { [later_rows(blobs), one_list_rows()].concat() };
    for row in rows(&names).into_iter().chain(later) {
        let told = connection.execute(sqlx::AssertSqlSafe(row.clone())).await;
        told.unwrap_or_else(|error| panic!("{row}: {error}"));
    }
}

/// Ann, who is in still.
fn ann(server: &Running) -> Client {
    server.nobody().with("cookie", &format!("dianjing_session={SESSION}"))
}

/// Everything is there, and means what it meant.
fn check(server: &Running, has: &Has) {
    let ann = ann(server);
    let get = |path: &str| {
        let told = ann.get(path);
        assert_eq!(told.status, 200, "{path}: {told:?}");
        told.body
    };
    assert_eq!(get("/v1/session")["person"]["name"], "ann");
    let set = get("/v1/datasets/d1");
    let counts = ["n_examples", "n_labelled", "n_marked", "n_problems"].map(|count| set[count].clone());
    assert_eq!(counts, [3, 2, 1, 1].map(|count| json!(count)), "{set}");
    assert_eq!(set["classes"][0], json!({ "name": "red", "count": 1 }), "{set}");
    let page = get("/v1/datasets/d1/examples");
    let labels: Vec<Value> = page["examples"]
        .as_array()
        .expect("examples")
        .iter()
        .map(|one| json!([one["name"], one["label"]]))
        .collect();
    assert_eq!(labels, [json!(["e1.png", "red"]), json!(["e2.png", "blue"]), json!(["e3.png", null])]);
    assert_eq!(get("/v1/examples/e3")["marks"][0]["class"], "scratch");
    assert_eq!(ann.get("/v1/examples/e1/thumbnail").status, 200);
    assert_eq!(get("/v1/datasets/d2/examples?q=二")["examples"][0]["text"], "一二三");
    let events = get("/v1/datasets/d1/events?example=e2");
    let events = events["events"]
        .as_array()
        .expect("events")
        .iter()
        .map(|one| json!([one["event"], one["label"], one["by"]]));
    assert_eq!(events.collect::<Vec<_>>(), [json!([5, "blue", "ann"]), json!([3, "red", "ben"])]);
    // What it was at each number: the example that is out went before everybody wrote that down.
    let diff = get("/v1/datasets/d1/diff?from=3&to=9");
    assert_eq!([&diff["relabelled"], &diff["removed"]], [&json!(1), &json!(0)], "{diff}");
    let votes = get("/v1/examples/e2/votes");
    assert_eq!(votes["votes"][0]["label"], "blue", "{votes}");
    let list = get("/v1/datasets/d1/worklist");
    let finding = &list["findings"][0];
    assert_eq!(
        (&finding["decision"], &finding["suggested"]["label"]),
        (&json!("kept"), &json!("red")),
        "{list}"
    );
    assert_eq!(get("/v1/trail")["entries"][0]["action"], "log in");
    assert_eq!(get("/v1/uploads/u2")["files"], json!([]));
    let counted = || get("/v1/usage");
    // Photos are measured once it runs; one of them belongs to two examples.
    ann.until(|| (counted()["bytes"]["used"] == json!(has.n_bytes)).then_some(()));
    assert_eq!(counted()["examples"]["used"], json!(has.n_examples));
}

/// Of several people's marks it is known whose they are and when they were given; of what came with the data, when there was a data set.
fn check_markings(server: &Running) {
    let ann = ann(server);
    let marking =
        |example: &str| ann.get(&format!("/v1/examples/{example}/markings")).body["people"][0].clone();
    let [given, came] = ["x1", "x2"].map(marking);
    assert_eq!(
        (&given["name"], &given["at"]),
        (&json!("ben"), &json!("2023-11-14T22:13:21.000Z")),
        "{given}"
    );
    assert_eq!((&came["person"], &came["at"]), (&json!(null), &json!("2023-11-14T22:13:20.000Z")), "{came}");
}

/// And it goes on.
fn go_on(server: &Running, has: &Has) {
    let ann = ann(server);
    let give = json!({ "example": "e3", "label": "red" });
    assert_eq!(ann.post("/v1/datasets/d1/labels", &give).body["n_labelled"], 3);
    assert_eq!(ann.post("/v1/datasets/d1/undo", &json!({})).body["undone"], "red");
    // What was given then is taken back now.
    let told = ann.post("/v1/datasets/d1/undo", &json!({})).body;
    assert_eq!((&told["what"], &told["example"]["name"]), (&json!("marks"), &json!("e3.png")), "{told}");
    assert_eq!(ann.post("/v1/datasets/d1/undo", &json!({})).body["undone"], "blue");
    ann.bring_into("d1", &[("more/red/new.png".into(), photo([170, 40, 40], 91))]);
    assert_eq!(ann.get("/v1/datasets/d1").body["n_examples"], 4);
    assert_eq!(ann.send("PATCH", "/v1/datasets/d1/classes/red", &json!({ "name": "rot" })).status, 200);
    assert_eq!(ann.ask("DELETE", "/v1/datasets/d1", None, &[]).status, 204);
    assert_eq!(ann.get("/v1/usage").body["bytes"]["used"], json!(has.n_bytes_left), "what the others have");
}

fn comes_up(database: Option<&str>, n_changes: usize) {
    let (_dir, data) = folder();
    let blobs = [1, 2, 3, 4].map(|number| blob(&data, number));
    let has = Has::of(n_changes, &blobs);
    let file = format!("sqlite://{}?mode=rwc", data.join("studio.db").display());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(make(database.unwrap_or(&file), &blobs, n_changes));
    for _ in 0..2 {
        let place = Place { database: database.map(str::to_owned), ..Place::default() };
        let server = start_on(Way::Team, &data, place);
        assert_eq!(server.key, None, "somebody can log in");
        check(&server, &has);
        if n_changes >= LATER {
            check_markings(&server);
        }
    }
    let place = Place { database: database.map(str::to_owned), ..Place::default() };
    let server = start_on(Way::Team, &data, place);
    if n_changes >= LATER {
        check_votes(&server);
    }
    go_on(&server, &has);
}

#[test]
fn a_file_of_an_earlier_version_comes_up() {
    for n_changes in [FIRST, 4, LATER] {
        comes_up(None, n_changes);
    }
}

#[test]
fn a_postgresql_of_an_earlier_version_comes_up() {
    for n_changes in [FIRST, 4, LATER] {
        let postgres = Postgres::start();
        comes_up(Some(&postgres.url()), n_changes);
    }
}

#[test]
fn what_a_later_version_wrote_is_left_alone() {
    let (_dir, data) = folder();
    drop(start_on(Way::Local, &data, Place::default()));
    let file = format!("sqlite://{}", data.join("studio.db").display());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut database = AnyConnection::connect(&file).await.expect("a database");
        database.execute("INSERT INTO migration (number) VALUES (9999)").await.expect("written");
        // Nothing of it is to be read or written by an older program.
        database.execute("ALTER TABLE tenant RENAME TO tenancy").await.expect("changed");
        database.close().await.expect("closed");
    });
    let ended = refused(&data, Way::Local, Place::default());
    assert!(matches!(ended, ServerError::Newer), "{ended:?}");
}

#[test]
fn a_folder_of_files_is_no_other_databases() {
    let (_dir, data) = folder();
    let studio = start_on(Way::Local, &data, Place::default());
    studio.owner().bring("parts", &parts(2));
    drop(studio);
    let postgres = Postgres::start();
    let other = || Place { database: Some(postgres.url()), ..Place::default() };
    let ended = refused(&data, Way::Team, other());
    assert!(matches!(ended, ServerError::Foreign { .. }), "{ended:?}");
    // Nor one that was there before folders were marked; it is that of the database that names its files.
    std::fs::remove_file(data.join("database")).expect("it was marked");
    let ended = refused(&data, Way::Team, other());
    assert!(matches!(ended, ServerError::Foreign { .. }), "{ended:?}");
    drop(start_on(Way::Local, &data, Place::default()));
    assert!(data.join("database").exists());
}

/// Why a server does not start.
fn refused(data: &Path, way: Way, place: Place) -> ServerError {
    let home = pipeline::Home::by_default().expect("a home");
    let never = Box::leak(Box::new(AtomicBool::new(false)));
    let ended = server::run(&settings(way, data, place), home, |_| panic!("it is refused"), never);
    ended.expect_err("it is refused")
}
