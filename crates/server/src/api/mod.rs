//! The HTTP interface: every route with its bodies, and the OpenAPI document made of the same functions.

mod aftermath;
mod agreed;
mod agreement;
mod book;
mod compare;
mod data;
mod devices;
mod doubted;
mod enter;
mod examples;
mod export;
mod gains;
mod history;
mod inference;
mod inputs;
mod inspected;
mod labels;
mod lineage;
pub(crate) mod listened;
pub(crate) mod looked;
mod map;
mod markings;
mod marks;
pub(crate) mod models;
mod monitor;
mod oidc;
mod opinions;
mod people;
mod predict;
mod progress;
mod queue;
mod reading;
mod removed;
mod renames;
mod restored;
mod ruling;
mod series;
mod serve;
pub(crate) mod sought;
mod stretches;
mod suggested;
mod uploads;
mod watch;
mod work;
mod worklist;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;

/// Most bytes of a body that is no upload.
const MOST_BYTES: usize = 32 << 20;
/// Most bytes of a body that anybody may send before it is known who they are.
const MOST_BYTES_OF_STRANGERS: usize = 16 << 10;

#[derive(OpenApi)]
#[openapi(info(
    title = "Dianjing",
    description = "Small data, small models: bring data in, label, look through, tune, try, deploy. The studio uses nothing else."
))]
struct Doc;

/// All routes, and the document about them.
pub(crate) fn routes() -> (Router<Arc<App>>, Document) {
    let (router, mut document) = OpenApiRouter::with_openapi(Doc::openapi())
        .merge(entering())
        .merge(people_and_keepers())
        .merge(data_and_labels())
        .merge(models_and_answers())
        .split_for_parts();
    document.info.version = env!("CARGO_PKG_VERSION").to_owned();
    (router.layer(DefaultBodyLimit::max(MOST_BYTES)), document)
}

fn entering() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(enter::status))
        .routes(routes!(enter::enter))
        .routes(routes!(enter::setup))
        .routes(routes!(enter::login))
        .routes(routes!(enter::logout))
        .routes(routes!(enter::session))
        .routes(routes!(enter::password))
        .routes(routes!(devices::let_in))
        .routes(routes!(devices::put_others_out))
        .routes(routes!(oidc::start))
        .routes(routes!(oidc::back))
        .routes(routes!(oidc::link, oidc::unlink))
        .layer(DefaultBodyLimit::max(MOST_BYTES_OF_STRANGERS))
}

fn people_and_keepers() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(people::list, people::add))
        .routes(routes!(people::change, people::remove))
        .routes(routes!(people::begin_anew))
        .routes(routes!(people::unlink))
        .routes(routes!(people::tokens, people::add_token))
        .routes(routes!(people::remove_token))
        .routes(routes!(people::add_tenant))
        .routes(routes!(people::trail))
        .routes(routes!(people::seal))
        .routes(routes!(people::usage))
        .routes(routes!(watch::health))
        .routes(routes!(watch::ready))
        .routes(routes!(watch::metrics))
}

fn data_and_labels() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(data::list, data::add))
        .routes(routes!(data::one, data::change, data::remove))
        .routes(routes!(data::problems))
        .routes(routes!(data::add_class))
        .routes(routes!(data::rename_class, data::remove_class))
        .routes(routes!(export::export))
        .routes(routes!(export::formats))
        .routes(routes!(uploads::begin))
        .routes(routes!(uploads::one, uploads::forget))
        .routes(routes!(uploads::put))
        .routes(routes!(uploads::finish))
        .routes(routes!(examples::page))
        .routes(routes!(removed::put))
        .routes(routes!(map::map))
        .routes(routes!(examples::one))
        .routes(routes!(examples::content))
        .routes(routes!(examples::thumbnail))
        .routes(routes!(series::course))
        .routes(routes!(labels::give))
        .routes(routes!(labels::give_many))
        .routes(routes!(labels::undo))
        .routes(routes!(marks::put))
        .routes(routes!(suggested::of_example))
        .routes(routes!(labels::events))
        .routes(routes!(progress::live))
        .routes(routes!(agreement::show))
        .routes(routes!(agreement::votes))
        .routes(routes!(agreement::decide))
        .routes(routes!(agreed::show))
        .routes(routes!(markings::list))
        .routes(routes!(markings::decide))
        .routes(routes!(queue::queue))
        .routes(routes!(worklist::look))
        .routes(routes!(worklist::list))
        .routes(routes!(worklist::decide))
        .routes(routes!(book::show))
        .routes(routes!(book::note))
        .routes(routes!(book::remove))
        .routes(routes!(book::export))
        .routes(routes!(gains::list))
        .routes(routes!(history::list))
        .routes(routes!(history::name))
        .routes(routes!(history::forget))
        .routes(routes!(restored::restore))
        .routes(routes!(history::diff))
        .routes(routes!(history::examples))
        .routes(routes!(lineage::of_example))
        .routes(routes!(work::list))
        .routes(routes!(work::one))
        .routes(routes!(work::cancel))
        .routes(routes!(work::events))
}

fn models_and_answers() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(models::tune))
        .routes(routes!(models::list, models::bring))
        .routes(routes!(models::one, models::remove))
        .routes(routes!(models::report))
        .routes(routes!(models::bundle))
        .routes(routes!(models::errors))
        .routes(routes!(looked::of_example))
        .routes(routes!(looked::measured_example))
        .routes(routes!(looked::heat_of_example))
        .routes(routes!(compare::compare))
        .routes(routes!(lineage::nearest))
        .routes(routes!(predict::with_model))
        .routes(routes!(serve::list))
        .routes(routes!(serve::deploy, serve::remove))
        .routes(routes!(serve::roll_back))
        .routes(routes!(monitor::show))
        .routes(routes!(monitor::accept_change))
        .routes(routes!(predict::with_deployment))
        .routes(routes!(predict::embeddings))
        .routes(routes!(inference::server))
        .routes(routes!(inference::live))
        .routes(routes!(inference::ready))
        .routes(routes!(inference::model))
        .routes(routes!(inference::model_ready))
        .routes(routes!(inference::infer))
}
