//! Everything that is measured, by name, in the areas of the product.

use std::path::Path;

use crate::{
    alignment, consensus, formats, gains, inspection, journey, label_errors, planted, quick, selection,
    senses, series, sounds, video,
};

/// One measurement.
pub(crate) struct Study {
    pub(crate) name: &'static str,
    /// All of an area run by its name, and of every area by `all`.
    pub(crate) area: &'static str,
    pub(crate) about: &'static str,
    /// Prints, with the words after the name; whether every aim is reached.
    pub(crate) run: fn(&[String], &Path) -> anyhow::Result<bool>,
}

/// In the order in which they run.
pub(crate) const ALL: [Study; 18] = [
    Study {
        name: "accuracy",
        area: "journey",
        about: "[NAME..]: accuracy beside the floors and scikit-learn; tasks whose name contains a word",
        run: journey::accuracy,
    },
    Study {
        name: "coverage",
        area: "journey",
        about: "[NAME..]: how often the stated interval contains the accuracy on a test set",
        run: journey::coverage,
    },
    Study {
        name: "preprocessing",
        area: "journey",
        about: "[NAME..]: which normalisation, crop and filter suits the vision base",
        run: journey::preprocessing,
    },
    Study {
        name: "inspection",
        area: "inspect",
        about: "[DRAWS] [SET..] [\"ROW\"..]: inspectors of 1, 4, 16, all good parts and of first defects",
        run: inspection::print,
    },
    Study {
        name: "promise",
        area: "inspect",
        about: "[SPLITS] [SET..]: whether promises about false alarms hold on good parts held out",
        run: inspection::promise,
    },
    Study {
        name: "kinds",
        area: "inspect",
        about: "[DRAW] [SET..]: how kinds of defects are named, and one never shown is noticed",
        run: inspection::kinds,
    },
    Study {
        name: "label-errors",
        area: "curate",
        about: "wrong labels that are found, beside cleanlab",
        run: |_, data| label_errors::print(data),
    },
    Study {
        name: "consensus",
        area: "curate",
        about: "what crowds say, beside crowd-kit",
        run: |_, data| consensus::print(data),
    },
    Study {
        name: "planted",
        area: "curate",
        about: "copies, leaks, foreign pictures and rules in conflict that were planted",
        run: |_, data| planted::print(data),
    },
    Study {
        name: "gains",
        area: "curate",
        about: "whether what an audit expects of its advice is what it brings",
        run: |_, data| gains::print(data),
    },
    Study {
        name: "select",
        area: "curate",
        about: "[SET..]: what chosen labels bring, beside labels drawn at random",
        run: selection::print,
    },
    Study {
        name: "formats",
        area: "modalities",
        about: "pictures, sounds and videos of many kinds of file: read, or said why not",
        run: |_, data| formats::print(data),
    },
    Study {
        name: "sounds",
        area: "modalities",
        about: "how well sounds are told apart, beside one kind of feature alone",
        run: |_, data| sounds::print(data),
    },
    Study {
        name: "series",
        area: "modalities",
        about: "how well and how fast series are turned into features, beside aeon's transforms",
        run: |_, _| series::print(),
    },
    Study {
        name: "video",
        area: "modalities",
        about: "five videos of each class, events of a twentieth of a clip, inspectors of clips",
        run: |_, data| video::print(data),
    },
    Study {
        name: "senses",
        area: "modalities",
        about: "[machine] [emoji] [planted] [gated] [traces]: several senses of one thing, some missing, broken or wrong",
        run: senses::print,
    },
    Study {
        name: "align",
        area: "modalities",
        about: "partners found across senses after few pairs, beside numpy",
        run: |_, data| alignment::print(data),
    },
    Study {
        name: "quick",
        area: "studio",
        about: "the model beside a person who labels, beside a tuned one",
        run: |_, data| quick::print(data),
    },
];

/// Runs the studies of this name, this area, or all, one after the other; one that fails does not stop the next. Whether all aims are
/// reached; `None` where nothing is called so.
#[allow(clippy::print_stdout, reason = "printing is what this program is for")]
pub(crate) fn run(name: &str, words: &[String], data: &Path) -> Option<bool> {
    let chosen: Vec<&Study> =
        ALL.iter().filter(|study| name == "all" || [study.name, study.area].contains(&name)).collect();
    // Words are for one study: those of another would choose among its own rows.
    if chosen.len() > 1 && !words.is_empty() {
        println!("`{name}` are several studies, which take no words; name one of them");
        return Some(false);
    }
    let mut told = Vec::new();
    for study in &chosen {
        if chosen.len() > 1 {
            println!("\n== {}: {}", study.name, study.about);
        }
        let found = (study.run)(words, data);
        if let Err(error) = &found {
            println!("failed: {error:#}");
        }
        told.push((study.name, found.unwrap_or(false)));
    }
    if told.len() > 1 {
        println!();
        told.iter().for_each(|(name, good)| {
            println!("{name:<14} {}", if *good { "reached" } else { "below its aim" })
        });
    }
    (!told.is_empty()).then(|| told.iter().all(|(_, good)| *good))
}
