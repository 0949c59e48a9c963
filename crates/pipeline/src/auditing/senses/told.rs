//! Senses that contradict the others, as findings.

use curate::Pairing;
use curate::faults::{Checked, Fault};

use super::super::labels::ViewSays;
use super::super::material::Material;
use super::super::worklist::{Action, AuditFinding};
use super::heard::HeardAll;
use crate::percent;
use crate::report::Sentence;

/// The examples of which a sense probably belongs elsewhere, each with that sense and what all of them say.
pub(super) fn findings(material: &Material, heard: &HeardAll, pairing: &Pairing) -> Vec<AuditFinding> {
    let finding = |place: &usize| {
        let row = heard.rows[*place];
        let suspect = pairing.suspects[*place].map(|sense| heard.senses[sense].clone());
        let views = heard.says(material, *place);
        let about = suspect.as_ref().and_then(|suspect| about(material, row, suspect, &views));
        let (rows, ids) = (vec![row], vec![material.ids[row].clone()]);
        let score = pairing.scores[*place].unwrap_or(1.0);
        let found = AuditFinding::new(Fault::SenseConflict, rows, ids, score, Action::CheckPairing);
        AuditFinding { sense: suspect, given: material.given[row].clone(), views, about, ..found }
    };
    pairing.flagged.iter().map(finding).collect()
}

/// The check, of all examples.
pub(super) fn checked(material: &Material, heard: &HeardAll, pairing: &Pairing) -> Checked {
    let Pairing { scores, flagged, .. } = pairing;
    Checked::new(Fault::SenseConflict, scores.clone(), flagged.clone()).brought(&heard.rows, material.n())
}

/// What the suspect says, what the others say, and how the example is labelled.
fn about(material: &Material, row: usize, suspect: &str, views: &[ViewSays]) -> Option<Sentence> {
    let says = |view: &ViewSays| (view.label.clone(), percent(view.probability.unwrap_or_default()));
    let is_suspect = |view: &&ViewSays| view.sense.as_deref() == Some(suspect);
    let (class, sure) = says(views.iter().find(is_suspect)?);
    let others = views.iter().filter(|view| !is_suspect(view));
    let (mut en_others, mut zh_others) = (Vec::new(), Vec::new());
    for view in others {
        let (name, (class, sure)) = (view.sense.as_deref().unwrap_or_default(), says(view));
        en_others.push(format!("`{name}` for `{class}` ({sure})"));
        zh_others.push(format!("“{name}”为“{class}”（{sure}）"));
    }
    let given = material.given[row].as_deref().unwrap_or_default();
    Some(Sentence {
        en: format!(
            "its `{suspect}` speaks for `{class}` ({sure}), {}; it is labelled `{given}`",
            en_others.join(", ")
        ),
        zh: format!("“{suspect}”更像“{class}”（{sure}），{}；标注为“{given}”", zh_others.join("，")),
    })
}
