//! The gallery is narrowed by how sure the quick model is, page by page.

use std::collections::BTreeSet;
use std::io::Cursor;

use serde_json::{Value, json};
use server::Way;
use testkit::{Client, photo};

use crate::running::{folder, start};

/// The gallery of one data set.
struct Gallery {
    owner: Client,
    dataset: String,
}

impl Gallery {
    #[track_caller]
    fn page(&self, query: &str) -> (usize, Vec<Value>) {
        let page = self.owner.get(&format!("/v1/datasets/{}/examples?{query}", self.dataset));
        assert_eq!(page.status, 200, "{query}: {page:?}");
        let total = page.body["total"].as_u64().expect("a number") as usize;
        (total, page.body["examples"].as_array().expect("examples").clone())
    }

    /// The ids of all that are wanted.
    #[track_caller]
    fn ids(&self, query: &str) -> Vec<String> {
        let (total, examples) = self.page(&format!("limit=500&{query}"));
        assert_eq!(total, examples.len(), "{query}");
        examples.iter().map(id_of).collect()
    }
}

fn id_of(example: &Value) -> String {
    example["id"].as_str().expect("an id").to_owned()
}

fn sureness(example: &Value) -> Option<f64> {
    example["suggestion"]["probability"].as_f64()
}

/// Thirty photos from red to blue; of every fifth the label is the other one, so that nobody can be sure of those between.
fn from_red_to_blue() -> Vec<(String, Vec<u8>)> {
    let one = |place: u8| {
        let class = if (place < 15) == (place % 5 != 2) { "red" } else { "blue" };
        let bytes = photo([230 - 6 * place, 40, 50 + 6 * place], u32::from(place));
        (format!("{class}/{place:02}.png"), bytes)
    };
    (0..30).map(one).collect()
}

#[test]
fn the_gallery_is_narrowed_by_how_sure_the_model_is() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let dataset = owner.bring("parts", &from_red_to_blue());
    let gallery = Gallery { owner, dataset };
    let all = gallery.owner.until(|| {
        let (_, all) = gallery.page("limit=500");
        all.iter().all(|example| sureness(example).is_some()).then_some(all)
    });
    let mut sure: Vec<f64> = all.iter().filter_map(sureness).collect();
    sure.sort_by(f64::total_cmp);
    let (low, high) = (sure[8], sure[20]);
    assert!(sure[0] < low && low < high, "{sure:?}");
    let of = |wanted: &dyn Fn(f64) -> bool| -> Vec<String> {
        all.iter().filter(|example| sureness(example).is_some_and(wanted)).map(id_of).collect()
    };
    let between = of(&|sure| sure >= low && sure < high);
    assert_eq!(gallery.ids(&format!("sure_below={low}")), of(&|sure| sure < low));
    assert_eq!(gallery.ids(&format!("sure_from={low}&sure_below={high}")), between);
    assert_eq!(gallery.ids("sure_from=0&sure_below=1&q=nothing"), [""; 0]);
    // As the other filters do, it goes together with all of them.
    let red = |ids: &[String]| -> Vec<String> {
        let red: BTreeSet<String> = gallery.ids("label=red").into_iter().collect();
        ids.iter().filter(|id| red.contains(*id)).cloned().collect()
    };
    assert_eq!(gallery.ids(&format!("sure_from={low}&sure_below={high}&label=red")), red(&between));
    assert_eq!(gallery.ids(&format!("sure_from={low}&sure_below={high}&q=RED/")), red(&between));
    let doubted: Vec<String> =
        gallery.ids("order=doubt").into_iter().filter(|id| between.contains(id)).collect();
    assert_eq!(gallery.ids(&format!("sure_from={low}&sure_below={high}&order=doubt")), doubted);
    assert_eq!(gallery.ids("sure_from=0&finding=any"), [""; 0], "nothing was looked for yet");
    for wrong in ["sure_from=0.5&sure_below=0.5", "sure_below=1.2", "sure_from=NaN", "sure_from=x"] {
        let refused = gallery.owner.get(&format!("/v1/datasets/{}/examples?{wrong}", gallery.dataset));
        assert_eq!(refused.status, 422, "{wrong}: {refused:?}");
    }
    pages_fit_together(&gallery, high);
}

/// What the model learns between two pages of a list does not change what is on the second.
#[track_caller]
fn pages_fit_together(gallery: &Gallery, high: f64) {
    let query = format!("sure_from=0&sure_below={high}&limit=4");
    let whole = gallery.ids(&format!("sure_below={high}"));
    let (total, first) = gallery.page(&query);
    assert_eq!(total, whole.len());
    // A third of the labels are wrong from now on: the model is less sure of nearly everything.
    let some: Vec<Value> = gallery
        .ids("label=red")
        .into_iter()
        .take(6)
        .map(|id| json!({ "example": id, "label": "blue" }))
        .collect();
    let batch = format!("/v1/datasets/{}/labels/batch", gallery.dataset);
    assert_eq!(gallery.owner.post(&batch, &json!({ "labels": some })).status, 200);
    gallery.owner.until(|| (gallery.ids(&format!("sure_below={high}")) != whole).then_some(()));
    let mut seen: Vec<String> = first.iter().map(id_of).collect();
    for offset in (4..whole.len()).step_by(4) {
        let (total, page) = gallery.page(&format!("{query}&offset={offset}"));
        assert_eq!(total, whole.len());
        seen.extend(page.iter().map(id_of));
    }
    assert_eq!(seen, whole);
    assert_ne!(gallery.page(&query).0, whole.len(), "the first page begins anew");
}

#[test]
fn of_numbers_the_model_tells_no_probability() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let dataset = testkit::id(&owner.post("/v1/datasets", &json!({ "name": "sizes", "task": "number" })));
    let refused = owner.get(&format!("/v1/datasets/{dataset}/examples?sure_below=0.6"));
    assert_eq!((refused.status, refused.body["hint"].is_string()), (422, true), "{refused:?}");
}

/// A TIFF of 16 bits: black, with one white corner of a tenth of its width.
fn deep(width: u32, height: u32) -> Vec<u8> {
    let corner = width / 10;
    let picture = image::ImageBuffer::from_fn(width, height, |x, y| {
        image::Luma([if x < corner && y < corner { u16::MAX } else { 0_u16 }])
    });
    let mut bytes = Cursor::new(Vec::new());
    image::DynamicImage::ImageLuma16(picture)
        .write_to(&mut bytes, image::ImageFormat::Tiff)
        .expect("written");
    bytes.into_inner()
}

#[test]
fn what_browsers_cannot_draw_is_there_large_enough_to_judge() {
    let (_dir, data) = folder();
    let server = start(Way::Local, &data);
    let owner = server.owner();
    let files = [("p/good/a.tif", deep(3000, 1500)), ("p/good/b.tif", deep(500, 300))];
    let dataset = owner.bring("deep", &files.map(|(name, bytes)| (name.to_owned(), bytes)));
    let page = owner.get(&format!("/v1/datasets/{dataset}/examples?limit=9")).body["examples"].clone();
    let shown = |name: &str, query: &str| {
        let of = |example: &&Value| example["name"].as_str().is_some_and(|path| path.ends_with(name));
        let example = page.as_array().expect("examples").iter().find(of).expect("it came");
        let told = owner.get(&format!("/v1/examples/{}/thumbnail{query}", id_of(example)));
        assert!(told.values("content-type").eq(["image/jpeg"]), "{told:?}");
        let size = |side: &str| example[side].as_u64().expect("a size") as u32;
        (image::load_from_memory(&told.bytes).expect("a JPEG").to_luma8(), size("width"), size("height"))
    };
    for _ in 0..2 {
        // Made, then found.
        let (large, width, height) = shown("a.tif", "?large=1");
        assert_eq!(((width, height), large.dimensions()), ((3000, 1500), (2048, 1024)));
        // Its whole range becomes that of 8 bits.
        assert!(large.get_pixel(20, 20).0[0] > 250 && large.get_pixel(1000, 500).0[0] < 5);
    }
    assert_eq!(shown("b.tif", "?large=1").0.dimensions(), (500, 300), "never larger than it is");
    assert_eq!(shown("a.tif", "").0.dimensions(), (256, 128));
}
