//! Files that no row names any more: of data sets and models that were taken out, of uploads that were dropped or failed.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use walkdir::WalkDir;

use crate::App;
use crate::app::MODEL_ENDINGS;
use crate::clock::now;
use crate::db::Tenant;
use crate::error::ApiError;
use crate::{blobs, senses};

/// How often it is swept.
const EVERY: Duration = Duration::from_secs(3600);
/// How often it is looked whether too many copies lie here.
const LOOK: Duration = Duration::from_secs(5);
/// Younger files stay: the row that will name them may not be written yet.
const YOUNG: Duration = Duration::from_secs(3600);
/// In a store they stay longer once no row names them any more: a database may be restored from yesterday's copy.
const UNNAMED: Duration = Duration::from_secs(30 * 86_400);
/// And those that were sent within this time stay as well: the row that will name them may not be written yet. Whoever keeps a file that lies
/// there sends it again once it is half as old.
const YOUNG_FAR: Duration = Duration::from_secs(2 * 86_400);
/// An upload that nobody goes on with is forgotten.
const UPLOAD: i64 = 30 * 86_400_000;

/// Sweeps at the start and every hour, until the server closes. What an earlier version did not measure is measured first, and what could not
/// be is tried again each time.
pub(crate) async fn sweep(app: Arc<App>) {
    let mut is_measured = false;
    while !app.is_closing() {
        if !is_measured {
            is_measured = measure_all(&app).await;
        }
        if let Err(error) = expire(&app).await {
            tracing::warn!(error = error.en, "inputs whose days are over could not be taken out");
        }
        look_at_trails(&app).await;
        match once(&app).await {
            Ok(0) => {}
            Ok(n_files) => tracing::info!(n_files, "files that nothing names were removed"),
            Err(error) => tracing::warn!(error = error.en, "files could not be swept"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Takes inputs out that came back from deployments when their days are over.
async fn expire(app: &App) -> Result<(), ApiError> {
    for (tenant, dataset) in app.db.expiring().await? {
        let n_inputs = app.db.expire(&tenant, &dataset).await?;
        if n_inputs > 0 {
            app.lives.forget(&dataset);
            app.db.note(&tenant, "", "let inputs go", &dataset).await?;
            tracing::info!(n_inputs, dataset, "inputs went whose days were over");
        }
    }
    Ok(())
}

/// Looks whether the audit logs are as they were written.
async fn look_at_trails(app: &App) {
    let looked = async {
        let tenants = app.db.tenants().await?;
        let n_tenants = tenants.len();
        for tenant in tenants {
            let seal = app.db.seal(&tenant).await?;
            match seal.broken_at {
                // The seal is of use where logs are kept elsewhere: whoever takes the last entries out as well is told by it.
                None => tracing::debug!(
                    tenant = tenant.id(),
                    n_entries = seal.n_entries,
                    seal = seal.hash,
                    "an audit log"
                ),
                Some(entry) => {
                    tracing::error!(tenant = tenant.id(), entry, "the audit log was changed from outside")
                }
            }
        }
        Ok::<_, sqlx::Error>(n_tenants)
    };
    match looked.await {
        Ok(n_tenants) => tracing::info!(n_tenants, "audit logs were looked at"),
        Err(error) => tracing::warn!(%error, "audit logs could not be looked at"),
    }
}

/// Measures files that a version kept which did not count bytes, and adds up what tenants have, also where some could not be measured; `true`
/// when all of it is done.
async fn measure_all(app: &App) -> bool {
    let [listed, measured] = [list(app).await, measure(app).await];
    let added = app.db.add_up().await.map_err(ApiError::from);
    if let Ok(n_tenants @ 1..) = added {
        tracing::warn!(n_tenants, "what they have was added up anew, and is other than was kept");
    }
    let failed: Vec<ApiError> =
        [listed, measured, added.map(drop)].into_iter().filter_map(Result::err).collect();
    for error in &failed {
        tracing::warn!(error = error.en, "files of an earlier version could not be measured");
    }
    failed.is_empty()
}

/// Lists the files of data sets of several senses that a version kept which did not.
async fn list(app: &App) -> Result<(), ApiError> {
    for (tenant, dataset) in app.db.unlisted_datasets().await? {
        let tenant = Tenant::of_row(tenant);
        let kept = app.db.senses_of(&tenant, &dataset).await?;
        let blobs = app.blobs.clone();
        let files = app.blocking(move || {
            let names: BTreeSet<String> = kept.iter().flat_map(|kept| senses::blobs(Some(kept))).collect();
            let measured = |name: String| {
                let bytes = blobs.size(&name)?.map_or(0, whole);
                Ok((name, bytes))
            };
            names.into_iter().map(measured).collect()
        });
        let files: Vec<(String, i64)> = files.await?;
        let done = app.db.list_files(&tenant, &dataset, &files).await;
        // One that was taken out meanwhile has no files.
        if done.is_err() && app.db.dataset(&tenant, &dataset).await?.is_some() {
            done?;
        }
    }
    Ok(())
}

/// Measures files and models of which it is not known how large they are. A file that is nowhere takes no room.
async fn measure(app: &App) -> Result<(), ApiError> {
    loop {
        let unmeasured = app.db.unmeasured_blobs().await?;
        if unmeasured.is_empty() || app.is_closing() {
            break;
        }
        for (tenant, blob) in unmeasured {
            let (blobs, name) = (app.blobs.clone(), blob.clone());
            let bytes = app.blocking(move || Ok(blobs.size(&name)?)).await?.unwrap_or(0);
            app.db.measure_blob(&Tenant::of_row(tenant), &blob, whole(bytes)).await?;
        }
    }
    for (tenant, id) in app.db.unmeasured_models().await? {
        let (models, name) = (app.models.clone(), id.clone());
        let bytes = app.blocking(move || {
            let files = MODEL_ENDINGS.map(|ending| format!("{name}.{ending}"));
            let sizes = files.iter().map(|file| Ok(models.size(file)?.unwrap_or(0)));
            sizes.sum::<Result<u64, ApiError>>()
        });
        app.db.measure_model(&Tenant::of_row(tenant), &id, whole(bytes.await?)).await?;
    }
    Ok(())
}

fn whole(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Makes room for copies, where it is bounded how many lie here, until the server closes.
pub(crate) async fn make_room(app: Arc<App>) {
    while !app.is_closing() {
        let shelf = app.shelf.clone();
        let room = app.blocking(move || Ok(shelf.make_room(&["blobs", "models"], blobs::DERIVED)?));
        match room.await {
            Ok(0) => {}
            Ok(n_files) => tracing::info!(n_files, "copies were removed to make room"),
            Err(error) => tracing::warn!(error = error.en, "no room could be made for copies"),
        }
        let _ = tokio::time::timeout(LOOK, app.closed_for(Duration::ZERO)).await;
    }
}

async fn once(app: &App) -> Result<usize, ApiError> {
    // What is being brought in is named when all of it is here. What other servers bring lies in their folders, and in the store it is young.
    if app.db.is_importing(&app.name).await? {
        return Ok(0);
    }
    app.db.forget_uploads(now() - UPLOAD).await?;
    let named = app.db.named_files().await?;
    let [blobs, models, uploads] = ["blobs", "models", "uploads"].map(|folder| app.dir.join(folder));
    let shelf = app.shelf.clone();
    let (here, unnamed) = app
        .blocking(move || {
            let here: usize = [blobs, models, uploads].iter().map(|folder| remove_from(folder, &named)).sum();
            let there =
                ["blobs", "models"].map(|name| shelf.folder(name).unnamed_far(&|part| is_in(&named, part)));
            Ok((here, there.into_iter().collect::<Result<Vec<_>, _>>()?.concat()))
        })
        .await?;
    let long = i64::try_from(UNNAMED.as_millis()).unwrap_or(i64::MAX);
    let mut lost = app.db.unnamed_since(&unnamed, now() - long).await?;
    if lost.is_empty() {
        return Ok(here);
    }
    // What was named again while the store was listed stays.
    let named = app.db.named_files().await?;
    lost.retain(|location| !location.split('/').any(|part| is_in(&named, part)));
    let shelf = app.shelf.clone();
    let there = app.blocking(move || Ok(shelf.remove_far(&lost, YOUNG_FAR)?)).await?;
    Ok(here + there)
}

/// Whether a file, or a folder, is named by how its name begins.
pub(crate) fn is_in(named: &HashSet<String>, part: &str) -> bool {
    named.contains(part.split('.').next().unwrap_or(part))
}

/// Removes what is old and not named. A file is named by how its name, or that of its folder, begins: `<blob>.thumb.jpg`, `<model>.djm`.
fn remove_from(folder: &Path, named: &HashSet<String>) -> usize {
    let files =
        WalkDir::new(folder).into_iter().filter_map(Result::ok).filter(|entry| entry.file_type().is_file());
    let unnamed = files.filter(|entry| {
        let below = entry.path().strip_prefix(folder).unwrap_or(entry.path());
        let mut parts = below.components().filter_map(|part| part.as_os_str().to_str());
        !parts.any(|part| is_in(named, part))
    });
    let old = unnamed.filter(|entry| {
        let age = entry.metadata().ok().and_then(|about| about.modified().ok()?.elapsed().ok());
        age.is_some_and(|age| age > YOUNG)
    });
    old.filter(|entry| std::fs::remove_file(entry.path()).is_ok()).count()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn only_what_is_old_and_unnamed_goes() {
        let dir = tempfile::tempdir().expect("a folder");
        let named = HashSet::from(["kept".to_owned()]);
        let file = |name: &str, age: u64| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            let file = fs::File::create(&path).expect("a file");
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).expect("aged");
            path
        };
        let stay = [
            file("ke/kept.jpg", 9000),
            file("derived/ke/kept.jpg.thumb.jpg", 9000),
            file("kept/a/b.png", 9000),
            file("go/young.jpg", 10),
        ];
        let go = [file("go/gone.jpg", 9000), file("gone.unpacked/x.png", 9000)];
        assert_eq!(remove_from(dir.path(), &named), 2);
        assert!(stay.iter().all(|path| path.exists()) && !go.iter().any(|path| path.exists()));
    }
}
