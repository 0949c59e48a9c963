//! Pictures that do not belong: some of another set, or of a class that is left out, in the folders of the others.

use std::path::{Path, PathBuf};

use evaluate::inspect::auroc;
use linalg::{Seed, random};
use pipeline::Fault;

use super::{class_of, files, look, name_of, put};

/// Share of the pictures that do not belong.
const SHARE: f64 = 0.02;
const FLOOR: f64 = 0.95;
/// How many times each is drawn.
const DRAWS: u64 = 3;
/// Where all belong, and where those come from that do not; the last, a class left out, is harder and has no floor.
const CASES: [(&str, &str, bool); 4] = [
    ("classification/clothing/train", "classification/fashion_mnist_tiny/train", true),
    ("classification/clothing/train", "defect/magnetic_tile/train", true),
    ("defect/magnetic_tile/train", "classification/clothing/train", true),
    ("classification/clothing/train", "", false),
];

/// Every case; whether the floors are reached.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(super) fn print(data: &Path, work: &Path) -> anyhow::Result<bool> {
    let mut good = true;
    println!(
        "{:<24} {:<26} {:>8} {:>8} {:>14}",
        "set", "what does not belong", "AUROC", "flagged", "of the others"
    );
    for (place, (home, foreign, holds)) in CASES.into_iter().enumerate() {
        let (mut areas, mut flagged, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for draw in 0..DRAWS {
            let folder = work.join(format!("{place}-{draw}"));
            let (area, share, wrongly) = measure(&data.join(home), (data, foreign), &folder, Seed(draw))?;
            areas.push(area);
            flagged.push(share);
            others.push(wrongly);
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let second = |path: &str| path.split('/').nth(1).unwrap_or("a class left out").to_owned();
        println!(
            "{:<24} {:<26} {:>8.3} {:>8.3} {:>14.3}",
            second(home),
            second(foreign),
            mean(&areas),
            mean(&flagged),
            mean(&others)
        );
        good &= !holds || mean(&areas) >= FLOOR;
    }
    Ok(good)
}

/// Area under the curve of the score, and the shares of those that do not belong and of those that do which are flagged.
fn measure(
    home: &Path,
    (data, foreign): (&Path, &str),
    folder: &Path,
    seed: Seed,
) -> anyhow::Result<(f64, f64, f64)> {
    let mut rng = seed.rng();
    let all = files(home)?;
    let (belong, mut others): (Vec<PathBuf>, Vec<PathBuf>) = if foreign.is_empty() {
        let mut classes: Vec<String> = all.iter().map(|file| class_of(file)).collect();
        classes.dedup();
        let left_out = classes[random::below(&mut rng, classes.len())].clone();
        all.into_iter().partition(|file| class_of(file) != left_out)
    } else {
        (all, files(&data.join(foreign))?)
    };
    random::shuffle(&mut others, &mut rng);
    others.truncate((SHARE * belong.len() as f64).ceil() as usize);
    for file in &belong {
        put(file, folder, &class_of(file), &name_of(file))?;
    }
    for (place, file) in others.iter().enumerate() {
        let class = class_of(&belong[random::below(&mut rng, belong.len())]);
        put(file, folder, &class, &format!("foreign-{place}-{}", name_of(file)))?;
    }
    let audit = look(folder, &[Fault::Outlier])?;
    let (mut suspicion, mut is_foreign, mut flagged) = (Vec::new(), Vec::new(), [0_usize; 2]);
    for row in audit.issues().records() {
        let id = row["id"].as_str().unwrap_or_default().to_owned();
        suspicion.push(-row["outlier_score"].as_f64().unwrap_or(1.0));
        is_foreign.push(name_of(Path::new(&id)).starts_with("foreign-"));
        let side = usize::from(is_foreign[is_foreign.len() - 1]);
        flagged[side] += usize::from(row["is_outlier_issue"] == true);
    }
    let groups: Vec<u32> = (0..suspicion.len() as u32).collect();
    let area = auroc(&suspicion, &is_foreign, &groups, Seed(0))?.value;
    let share = |flagged: usize, of: usize| flagged as f64 / of as f64;
    Ok((area, share(flagged[1], others.len()), share(flagged[0], belong.len())))
}
