//! A studio whose disk fills up while somebody works.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use testkit::{Client, id, parts, photo};

use crate::run::{Place, names};

/// Bytes of a photo that is too large for what is left.
const LARGE: usize = 1 << 20;
/// What rows need that say what became of an import.
const FOR_ROWS: u64 = 400 << 10;

/// A studio on a disk of its own, which is gone with it.
struct Studio {
    child: Child,
    address: String,
    key: String,
    /// As seen from outside of its name space.
    disk: PathBuf,
}

impl Studio {
    fn open(place: &Place) -> Self {
        fs::create_dir(place.path("small")).unwrap();
        let script = r#"
            mount -t tmpfs -o size=12m tmpfs small || exit 99
            exec "$0" studio --port 0 --no-open --quiet --dir small
        "#;
        let mut child = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
            .arg(env!("CARGO_BIN_EXE_dianjing"))
            .current_dir(place.dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let (address, key) = line.trim().split_once("/#/enter/").expect("the studio opens on the small disk");
        let inside = place.path("small").strip_prefix("/").unwrap().to_owned();
        let disk = Path::new("/proc").join(child.id().to_string()).join("root").join(inside);
        Self { address: address.to_owned(), key: key.to_owned(), child, disk }
    }

    /// Fills the disk but for so many bytes.
    fn fill(&self, but_for: u64) {
        let mut filler = File::create(self.disk.join("filler")).unwrap();
        let page = [7; 4096];
        loop {
            match filler.write(&page) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => panic!("{error}"),
            }
        }
        filler.set_len(filler.metadata().unwrap().len() - but_for).unwrap();
    }

    fn make_room(&self) {
        fs::remove_file(self.disk.join("filler")).unwrap();
    }

    /// How many files are kept of examples, with anything half-written beside them.
    fn n_blobs(&self) -> usize {
        let folders = fs::read_dir(self.disk.join("blobs")).unwrap();
        folders.map(|folder| names(&folder.unwrap().path()).len()).sum()
    }
}

impl Drop for Studio {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}

/// What an answer says that there is no room for.
#[track_caller]
fn is_full(status: u16, body: &Value) {
    assert_eq!((status, &body["code"]), (507, &json!("disk_full")), "{body}");
    assert!(body["hint"].as_str().is_some_and(|hint| hint.contains("free some space")), "{body}");
}

fn large_photos(n: u32) -> Vec<(String, Vec<u8>)> {
    let large = |number| {
        let mut bytes = photo([9, 90, 200], number);
        bytes.resize(LARGE, 0);
        (format!("parts/large/{number}.png"), bytes)
    };
    (0..n).map(large).collect()
}

/// Sends a file of an upload.
fn send(owner: &Client, upload: &str, (path, bytes): &(String, Vec<u8>)) -> (u16, Value) {
    let put = format!("/v1/uploads/{upload}/file?path={path}&offset=0");
    let told = owner.ask("PUT", &put, Some("application/octet-stream"), bytes);
    (told.status, told.body)
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told_and_nothing_is_half_there() {
    let place = Place::new();
    let studio = Studio::open(&place);
    let owner = Client::owner(&studio.address, &studio.key);
    let dataset = owner.bring("parts", &parts(6));
    let of = |path: &str| format!("/v1/datasets/{dataset}{path}");
    let page = owner.get(&of("/examples")).body;
    let examples: Vec<Value> =
        page["examples"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
    let label = |example: &Value, label: &str| {
        let told = owner.post(&of("/labels"), &json!({ "example": example, "label": label }));
        (told.status, told.body)
    };
    assert_eq!(label(&examples[0], "before").0, 200);
    let upload = id(&owner.post(&of("/uploads"), &json!({})));
    let photos = large_photos(2);
    assert_eq!(send(&owner, &upload, &photos[0]).0, 200);

    // No room for anything.
    studio.fill(0);
    let (status, body) = send(&owner, &upload, &photos[1]);
    is_full(status, &body);
    let mut kept = vec![(&examples[0], "before")];
    let refused = examples[1..].iter().find_map(|example| {
        let (status, body) = label(example, "during");
        if status == 200 {
            kept.push((example, "during"));
        }
        (status != 200).then_some((status, body))
    });
    let (status, body) = refused.expect("a label needs room");
    is_full(status, &body);
    let zh = owner.with("accept-language", "zh").post("/v1/datasets", &json!({ "name": "more" }));
    assert_eq!((zh.status, &zh.body["message"]), (507, &json!("磁盘已满")));
    assert_eq!(owner.get("/v1/datasets").body["datasets"].as_array().map(Vec::len), Some(1));
    let arrived = owner.get(&format!("/v1/uploads/{upload}")).body["files"].clone();
    assert_eq!(arrived, json!([{ "path": photos[0].0, "size": LARGE }]), "nothing of the other");

    // Room for rows, and none for files.
    studio.make_room();
    studio.fill(FOR_ROWS);
    let before = studio.n_blobs();
    let ended = owner.wait(&id(&owner.post(&format!("/v1/uploads/{upload}/finish"), &json!({}))));
    assert_eq!(
        (&ended["state"], &ended["error"]["code"]),
        (&json!("failed"), &json!("disk_full")),
        "{ended}"
    );
    assert_eq!((owner.get(&of("")).body["n_examples"].clone(), studio.n_blobs()), (json!(12), before));

    // Room again: everything that was answered is there, and work goes on.
    studio.make_room();
    for (example, label) in kept {
        let example = example.as_str().unwrap();
        assert_eq!(owner.get(&format!("/v1/examples/{example}")).body["label"], label);
    }
    assert_eq!(label(&examples[11], "after").0, 200);
    owner.bring_into(&dataset, &photos);
    assert_eq!(owner.get(&of("")).body["n_examples"], 14);
}
