//! Full disks, damaged downloads, interruptions, and folders as people have them.

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use insta::assert_snapshot;

use crate::run::{Place, names};

const BASE: [&str; 2] = ["--base", "efficientnet-lite0"];

/// A PNG header that claims so many pixels a side, with a checksum that fits.
pub(crate) fn huge_png(side: u32) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend(side.to_be_bytes());
    header.extend(side.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    let crc = !header.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 },
        )
    });
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    png.extend(header);
    png.extend(crc.to_be_bytes());
    png.extend(b"\0\0\0\x04IDATdata\0\0\0\0");
    png
}

#[test]
fn a_thousand_files_with_a_few_bad_ones() {
    let place = Place::new();
    place.pictures("few", 12);
    for index in 0..497 {
        for kind in ["disc", "stripes"] {
            let from = fs::read(place.path(&format!("few/{kind}/{:02}.png", index % 12))).unwrap();
            place.write(&format!("parts/{kind}/{index:03}.png"), from);
        }
    }
    let whole = fs::read(place.path("few/disc/00.png")).unwrap();
    for (name, share) in [("a", 2), ("b", 3), ("c", 4)] {
        place.write(&format!("parts/disc/broken-{name}.png"), &whole[..whole.len() / share]);
    }
    place.write("parts/disc/zero.png", "");
    place.write("parts/stripes/huge.png", huge_png(60_000));
    place.write("parts/stripes/letter.jpg", "Dear customer");
    let ended = place.run(&[&["tune", "parts", "--json"][..], &BASE].concat()).fine();
    let problems: Vec<&str> = ended.err.lines().filter(|line| line.contains("parts/")).collect();
    assert_snapshot!(problems.join("\n"));
    let result: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(result["examples"].as_u64(), Some(994));
}

#[test]
fn a_class_with_one_file() {
    let place = Place::new();
    place.pictures("parts", 12);
    fs::create_dir(place.path("parts/other")).unwrap();
    fs::rename(place.path("parts/disc/11.png"), place.path("parts/other/11.png")).unwrap();
    let ended = place.run(&[&["tune", "parts"][..], &BASE].concat()).fine();
    let told: Vec<&str> = ended.err.lines().filter(|line| line.contains("`other`")).collect();
    assert_snapshot!(told.join("\n"));
}

#[test]
fn ragged_rows_and_an_open_quote() {
    let place = Place::new();
    let mut table = "text,intent\n".to_owned();
    for index in 0..30 {
        let intent = ["card", "top up", "refund"][index % 3];
        table += &match index {
            9 => format!("one cell too many,{intent},x\n"),
            19 => "one cell too few\n".to_owned(),
            _ => format!("{intent} question number {index},{intent}\n"),
        };
    }
    table += "\"never closed,card\nthe row after it,card\n";
    place.write("tickets.csv", table);
    let ended = place.run(&["tune", "tickets.csv", "--base", "minilm-l6-en"]).fine();
    let told: Vec<&str> = ended.err.lines().filter(|line| line.contains("tickets.csv:")).collect();
    assert_snapshot!(told.join("\n"));
}

#[test]
#[cfg(unix)]
fn a_file_that_cannot_be_read() {
    let place = Place::new();
    place.pictures("parts", 12);
    // Permissions do not stop an administrator; a link to nowhere stops everyone.
    std::os::unix::fs::symlink("nowhere.png", place.path("parts/disc/link.png")).unwrap();
    let ended = place.run(&[&["tune", "parts"][..], &BASE].concat()).fine();
    let told: Vec<&str> = ended.err.lines().filter(|line| line.contains("link.png")).collect();
    assert_snapshot!(told.join("\n"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk() {
    let place = Place::new();
    place.pictures("parts", 12);
    fs::create_dir(place.path("small")).unwrap();
    // A mount of its own, in a name space of its own: anyone may do that, and it is gone with the shell.
    let script = r#"
        mount -t tmpfs -o size=64k tmpfs small || exit 99
        "$0" tune parts --base efficientnet-lite0 --out small/parts.djm --report parts.html 2>told
        code=$?; ls -A small >left; exit $code
    "#;
    let ran = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_dianjing")])
        .env("DIANJING_LANG", "en")
        .current_dir(place.dir.path())
        .status()
        .unwrap();
    assert_eq!(ran.code(), Some(1), "99: the small disk could not be made");
    let told = fs::read_to_string(place.path("told")).unwrap();
    let told: Vec<&str> =
        told.lines().filter(|line| line.starts_with("error") || line.starts_with("hint")).collect();
    assert_snapshot!(told.join("\n"));
    assert_eq!(fs::read_to_string(place.path("left")).unwrap(), "");
}

#[test]
fn a_base_whose_bytes_changed() {
    let place = Place::new();
    place.pictures("parts", 12);
    place.run(&["base", "export", "efficientnet-lite0"]).fine();
    let mut tar = fs::read(place.path("efficientnet-lite0.tar")).unwrap();
    let middle = tar.len() / 2;
    tar[middle] ^= 1;
    place.write("changed.tar", tar);
    let ended = place.run(&["base", "import", "changed.tar", "--cache", "cache"]);
    assert_eq!(ended.code, 1);
    for told in ["model.safetensors` has sha256 ", ", expected ", "; remove the base and pull it again"] {
        assert!(ended.err.contains(told), "{told} in {}", ended.err);
    }
    assert!(!place.path("cache/bases/efficientnet-lite0").exists());
}

#[test]
fn a_bundle_that_was_cut_off() {
    let place = Place::new();
    place.pictures("parts", 12);
    place.run(&[&["tune", "parts"][..], &BASE].concat()).fine();
    let bundle = fs::read(place.path("parts.djm")).unwrap();
    place.write("cut.djm", &bundle[..bundle.len() - 1000]);
    assert_snapshot!(place.run(&["predict", "cut.djm", "parts/disc/00.png"]).told());
}

#[test]
fn two_at_once() {
    let place = Place::new();
    place.pictures("parts", 14);
    let start = || {
        Command::new(env!("CARGO_BIN_EXE_dianjing"))
            .args(["tune", "parts"])
            .args(BASE)
            .args(["--cache", "cache"])
            .current_dir(place.dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    place.run(&["base", "export", "efficientnet-lite0"]).fine();
    place.run(&["base", "import", "efficientnet-lite0.tar", "--cache", "cache"]).fine();
    let mut runs = [start(), start()];
    for run in &mut runs {
        assert!(run.wait().unwrap().success());
    }
    place.run(&["predict", "parts.djm", "parts/disc/00.png", "--cache", "cache"]).fine();
    assert_eq!(
        names(place.dir.path()),
        ["cache", "efficientnet-lite0.tar", "parts", "parts.djm", "parts.report.html"]
    );
}

#[test]
#[cfg(unix)]
fn ctrl_c_leaves_nothing_half_written_and_the_next_run_goes_on() {
    let place = Place::new();
    place.pictures("parts", 120);
    place.run(&["base", "export", "efficientnet-lite0"]).fine();
    place.run(&["base", "import", "efficientnet-lite0.tar", "--cache", "cache"]).fine();
    let mut run = Command::new(env!("CARGO_BIN_EXE_dianjing"))
        .args(["tune", "parts", "--cache", "cache"])
        .args(BASE)
        .current_dir(place.dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The folder is made when the first of many pictures is looked at.
    while !place.path("cache/features").exists() {
        sleep(Duration::from_millis(5));
    }
    Command::new("kill").args(["-INT", &run.id().to_string()]).status().unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(130));
    assert_eq!(names(place.dir.path()), ["cache", "efficientnet-lite0.tar", "parts"]);
    let ended = place.run(&[&["tune", "parts", "--cache", "cache", "--json"][..], &BASE].concat()).fine();
    let result: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(result["examples"].as_u64(), Some(240));
}
