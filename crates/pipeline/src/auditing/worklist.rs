//! Findings become a list of things to do, the most worth first, each with what supports it.

use curate::book::{Draft, Rule};
use curate::faults::{Checked, Fault};
use dataset::Part;
use serde::{Deserialize, Serialize};

use super::evidence;
use super::labels::{Labels, ViewSays};
use super::material::{Material, Nearness};
use super::whole::{Besides, Told, Wanted};
use crate::report::Sentence;

/// Similar examples shown beside a finding.
const NEIGHBOURS: usize = 5;

/// One thing to look at.
#[derive(Debug, Clone, Serialize)]
pub struct AuditFinding {
    /// Its number, counted from 1, by which it is accepted.
    pub number: usize,
    /// What is wrong.
    pub fault: Fault,
    /// The sense that shows it, of several; absent where it is about examples as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sense: Option<String>,
    /// The examples it is about; the one to act on first. Empty when it is about the whole set.
    pub ids: Vec<String>,
    /// Their places in the data.
    #[serde(skip)]
    pub rows: Vec<usize>,
    /// The label of the first example.
    pub given: Option<String>,
    /// The label it should probably have.
    pub suggested: Option<String>,
    /// Where labels are sets, the set it should probably have; empty where it should have none.
    #[serde(skip)]
    pub suggested_set: Option<Vec<String>>,
    /// 0 is bad, 1 is good.
    pub score: f64,
    /// What each view of the label says.
    pub views: Vec<ViewSays>,
    /// The most similar examples.
    pub neighbours: Vec<Neighbour>,
    /// What was found, or what was measured of the example beside its limit.
    pub about: Option<Sentence>,
    /// Where it is about a part of the data: what makes it.
    #[serde(skip)]
    pub part: Option<Sentence>,
    /// Of a case that wants a rule: pairs with different labels that are closest together.
    pub pairs: Vec<Pair>,
    /// Of a case that wants a rule: what may be answered.
    pub answers: Vec<Answer>,
    /// A rule that would settle it.
    pub offered: Option<Offered>,
    /// Of a case that wants a rule: what its entry of the label book will hold.
    #[serde(skip)]
    pub case: Option<Box<Draft>>,
    /// The number of the rule that is broken.
    #[serde(skip)]
    pub rule: Option<usize>,
    /// What to do.
    pub action: Action,
}

impl AuditFinding {
    /// One that says no more than what is wrong with which examples; it gets its number in the list.
    pub(super) fn new(fault: Fault, rows: Vec<usize>, ids: Vec<String>, score: f64, action: Action) -> Self {
        Self {
            number: 0,
            fault,
            sense: None,
            ids,
            rows,
            given: None,
            suggested: None,
            suggested_set: None,
            score,
            views: Vec::new(),
            neighbours: Vec::new(),
            about: None,
            part: None,
            pairs: Vec::new(),
            answers: Vec::new(),
            offered: None,
            case: None,
            rule: None,
            action,
        }
    }
}

/// A rule that the audit offers for examples that look alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offered {
    /// As the label book writes it.
    pub rule: Rule,
    /// The label that it gives each example of the finding; absent where what decides is not known of it.
    pub labels: Vec<Option<String>>,
}

/// Two examples that are close together and have different labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// Their ids.
    pub ids: [String; 2],
    /// Their places in the data.
    #[serde(skip)]
    pub rows: [usize; 2],
    /// Their labels.
    pub labels: [String; 2],
    /// How far apart they are; absent for copies that are not among each other's nearest.
    pub distance: Option<f32>,
}

/// A possible answer to the question which rule applies.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Answer {
    /// How it is given: `dianjing apply --accept` takes it, a name in place of `NAME`.
    pub accept: String,
    /// What it says.
    pub says: Sentence,
}

/// A similar example, as evidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Neighbour {
    /// Its id.
    pub id: String,
    /// Its place in the data.
    #[serde(skip)]
    pub row: usize,
    /// Its label.
    pub label: Option<String>,
    /// How far it is.
    pub distance: f32,
}

/// What a person can do about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Look, and give the suggested label if it is right.
    Relabel,
    /// Take the example out of the test part.
    RemoveFromTest,
    /// Keep one of the copies.
    KeepOne,
    /// Decide which of several labels the same example has.
    DecideLabel,
    /// Decide which rule applies to examples that look alike.
    DecideRule,
    /// Look whether the example belongs to the set.
    CheckMembership,
    /// Look whether what several senses know is of the same thing.
    CheckPairing,
    /// Collect more examples of the class, or merge it.
    CollectMore,
    /// Say which examples belong together, with `--group`.
    NameGroups,
    /// Look at the label again.
    CheckLabel,
    /// Rename the file, or hide its name.
    HideName,
    /// Collect more examples like this one.
    CollectSimilar,
    /// Take the personal data out, or make sure that it may be there.
    Redact,
    /// Fill in what is missing.
    FillIn,
    /// Repair the text, or remove it.
    RepairText,
    /// Collect examples where a rule that should not hold does not.
    CollectOthers,
    /// Leave the column out.
    LeaveOut,
    /// Save the picture the right way up, for programs that do not read how it lies.
    SaveUpright,
    /// Remove the example or make it anew.
    Replace,
}

impl Action {
    /// Whether accepting it says all that there is to do.
    pub fn applies_by_itself(self) -> bool {
        matches!(self, Self::Relabel | Self::KeepOne | Self::RemoveFromTest | Self::Replace)
    }

    /// Whether it takes a label from a person, or their word that the example goes.
    pub fn decides(self) -> bool {
        matches!(
            self,
            Self::DecideLabel
                | Self::DecideRule
                | Self::CheckLabel
                | Self::CheckMembership
                | Self::CheckPairing
                | Self::Redact
                | Self::RepairText
        )
    }

    /// Whether an example, or the sense of it that is wrong, goes where it is accepted without a label.
    pub fn takes_out(self) -> bool {
        matches!(
            self,
            Self::KeepOne
                | Self::RemoveFromTest
                | Self::Replace
                | Self::CheckMembership
                | Self::CheckPairing
                | Self::Redact
                | Self::RepairText
        )
    }

    /// The words for a person.
    pub fn sentence(self) -> Sentence {
        let (en, zh) = match self {
            Self::Relabel => ("look, then give it the suggested label", "看一眼，再改为建议的标注"),
            Self::RemoveFromTest => ("take it out of the test part", "从测试集中去掉"),
            Self::KeepOne => ("keep one of them", "只保留其中一个"),
            Self::DecideLabel => ("decide which label is right", "裁定哪个标注是对的"),
            Self::DecideRule => (
                "decide which label they all have, or what parts them",
                "裁定它们统一用哪个标注，或按什么区分",
            ),
            Self::CheckMembership => ("look whether it belongs here", "看它是否属于这个数据集"),
            Self::CheckPairing => (
                "look whether its senses are of the same thing, and pair or record it anew",
                "核对各感官是否来自同一对象，再重新配对或记录",
            ),
            Self::SaveUpright => (
                "save it the right way up: it is seen so here, but not by every program",
                "请按正确方向另存：此处已转正，但并非所有程序都会这样做",
            ),
            Self::CollectMore => ("collect more of this class, or merge it", "多收集这一类，或并入别的类"),
            Self::NameGroups => {
                ("name what belongs together with --group", "用 --group 指明哪些样本属于一组")
            }
            Self::CheckLabel => ("look at its label again", "再看一眼它的标注"),
            Self::HideName => ("rename the file, or hide its name", "重命名文件，或隐藏文件名"),
            Self::CollectSimilar => ("collect more examples like it", "多收集这样的样本"),
            Self::CollectOthers => ("collect examples where this does not hold", "收集不符合这一规律的样本"),
            Self::LeaveOut => ("leave the column out", "不要使用这一列"),
            Self::Redact => ("take the personal data out", "去掉个人信息"),
            Self::FillIn => ("fill in what is missing", "补上缺少的内容"),
            Self::RepairText => ("repair the text, or remove it", "修正文本，或去掉"),
            Self::Replace => ("remove it or make it anew", "去掉或重新制作"),
        };
        Sentence { en: en.to_owned(), zh: zh.to_owned() }
    }
}

/// The findings of all checks and `more`: the more harmful fault first, the lower score first.
pub(super) fn worklist(
    material: &Material,
    checks: &[Checked],
    labels: Option<&Labels>,
    nearness: Option<&Nearness>,
    told: Vec<Told>,
    more: Vec<AuditFinding>,
) -> Vec<AuditFinding> {
    let author = Author { material, labels, nearness };
    let mut findings: Vec<AuditFinding> =
        checks.iter().flat_map(|checked| author.findings(checked)).collect();
    findings.extend(told.into_iter().map(|told| {
        let mut finding = author.finding(told.fault, told.rows, told.score, told.action);
        (finding.about, finding.suggested) = (Some(told.about), told.suggested);
        match told.besides {
            Besides::Nothing => {}
            Besides::Part(part) => finding.part = Some(part),
            Besides::Wants(wanted) => {
                let Wanted { draft, offered, pairs, answers } = *wanted;
                (finding.case, finding.offered) = (Some(Box::new(draft)), offered);
                (finding.pairs, finding.answers) = (pairs, answers);
            }
            Besides::Broken(number) => finding.rule = Some(number),
        }
        finding
    }));
    findings.extend(more);
    findings
        .sort_by(|a, b| a.fault.cmp(&b.fault).then(a.score.total_cmp(&b.score)).then(a.rows.cmp(&b.rows)));
    for (number, finding) in (1..).zip(&mut findings) {
        finding.number = number;
        finding.answers.iter_mut().for_each(|answer| answer.accept.insert_str(0, &number.to_string()));
    }
    findings
}

struct Author<'a> {
    material: &'a Material,
    labels: Option<&'a Labels>,
    nearness: Option<&'a Nearness>,
}

impl Author<'_> {
    fn findings(&self, checked: &Checked) -> Vec<AuditFinding> {
        match checked.fault {
            Fault::Leak => self.sets(checked, true),
            Fault::Duplicate => self.sets(checked, false),
            Fault::ClassImbalance => self.classes(checked),
            // They are among what is told: one is about many examples, or says more than a check.
            Fault::LabelInName
            | Fault::RuleBroken
            | Fault::WeakSlice
            | Fault::Conflict
            | Fault::SenseConflict => Vec::new(),
            Fault::LowValue => self.misleading(checked),
            fault => checked.flagged.iter().map(|row| self.single(fault, *row, checked)).collect(),
        }
    }

    fn single(&self, fault: Fault, row: usize, checked: &Checked) -> AuditFinding {
        let action = match fault {
            Fault::Label => Action::Relabel,
            Fault::Outlier | Fault::OtherLanguage => Action::CheckMembership,
            Fault::GroupLeak | Fault::NameLeak => Action::RemoveFromTest,
            Fault::LabelInName => Action::HideName,
            Fault::WeakSlice => Action::CollectSimilar,
            Fault::LowValue => Action::CheckLabel,
            Fault::PersonalData => Action::Redact,
            Fault::MissingValue => Action::FillIn,
            Fault::ExifTurned => Action::SaveUpright,
            Fault::BrokenCharacters
            | Fault::Mojibake
            | Fault::Markup
            | Fault::Template
            | Fault::RepeatedLines
            | Fault::MixedChinese => Action::RepairText,
            _ => Action::Replace,
        };
        let mut finding = self.finding(fault, vec![row], checked.scores[row].unwrap_or(1.0), action);
        finding.about = self.about(checked, row);
        if matches!(fault, Fault::Label | Fault::Outlier | Fault::NameLeak) {
            finding.neighbours = self.neighbours(row);
        }
        if let (Fault::Label, Some(labels)) = (fault, self.labels) {
            finding.suggested.clone_from(&labels.suggested[row]);
            finding.suggested_set.clone_from(&labels.sets[row]);
            finding.views.clone_from(&labels.says[row]);
            finding.about = labels.about[row].clone().or_else(|| evidence::views(&labels.says[row]));
            if finding.suggested.is_none() {
                finding.action = Action::CheckLabel;
            }
        }
        finding
    }

    /// What the check saw of a row.
    fn about(&self, checked: &Checked, row: usize) -> Option<Sentence> {
        let evidence = checked.evidence.get(&row)?;
        Some(evidence::sentence(checked.fault, evidence, &self.material.names))
    }

    /// Examples that mislead others, where nothing is said about their label anyway.
    fn misleading(&self, checked: &Checked) -> Vec<AuditFinding> {
        let is_told = |row: &usize| self.labels.is_some_and(|labels| labels.suggested[*row].is_some());
        let rows = checked.flagged.iter().filter(|row| !is_told(row));
        rows.map(|row| self.single(Fault::LowValue, *row, checked)).collect()
    }

    /// One finding for each set of duplicates: those across parts, or those within.
    fn sets(&self, checked: &Checked, across: bool) -> Vec<AuditFinding> {
        let Some(nearness) = self.nearness else { return Vec::new() };
        let is_test = |row: &usize| self.material.parts[*row] == Some(Part::Test);
        let crosses = |set: &&Vec<usize>| {
            self.material.wants(Fault::Leak) && set.iter().any(is_test) && !set.iter().all(is_test)
        };
        let sets = nearness.duplicates.components.iter().filter(|set| crosses(set) == across);
        sets.map(|set| {
            let mut rows = set.clone();
            rows.sort_by_key(|row| (across && !is_test(row), *row));
            let differ = rows.iter().any(|row| self.material.given[*row] != self.material.given[rows[0]]);
            let action = match (across, differ) {
                (true, _) => Action::RemoveFromTest,
                (false, true) => Action::DecideLabel,
                (false, false) => Action::KeepOne,
            };
            let score = rows.iter().filter_map(|row| checked.scores[*row]).fold(1.0, f64::min);
            // A check of leaks scores the test part only.
            let near: Vec<f64> = rows.iter().map(|row| f64::from(nearness.duplicates.scores[*row])).collect();
            let about = Some(evidence::copies(&near));
            AuditFinding { about, ..self.finding(checked.fault, rows, score, action) }
        })
        .collect()
    }

    fn classes(&self, checked: &Checked) -> Vec<AuditFinding> {
        let mut classes: Vec<u32> =
            checked.flagged.iter().filter_map(|row| self.material.labels[*row]).collect();
        classes.sort_unstable();
        classes.dedup();
        let of = |class: u32| {
            let rows: Vec<usize> = checked
                .flagged
                .iter()
                .copied()
                .filter(|row| self.material.labels[*row] == Some(class))
                .collect();
            let score = checked.scores[rows[0]].unwrap_or(1.0);
            let about = self.about(checked, rows[0]);
            AuditFinding { about, ..self.finding(Fault::ClassImbalance, rows, score, Action::CollectMore) }
        };
        classes.into_iter().map(of).collect()
    }

    fn finding(&self, fault: Fault, rows: Vec<usize>, score: f64, action: Action) -> AuditFinding {
        let ids = rows.iter().map(|row| self.material.ids[*row].clone()).collect();
        let given = rows.first().and_then(|row| self.material.given[*row].clone());
        AuditFinding { given, ..AuditFinding::new(fault, rows, ids, score, action) }
    }

    /// The most similar examples of other groups.
    fn neighbours(&self, row: usize) -> Vec<Neighbour> {
        let Some(nearness) = self.nearness else { return Vec::new() };
        let others =
            nearness.near.of(row).filter(|(other, _)| nearness.groups[*other] != nearness.groups[row]);
        others
            .take(NEIGHBOURS)
            .map(|(other, distance)| Neighbour {
                id: self.material.ids[other].clone(),
                row: other,
                label: self.material.given[other].clone(),
                distance,
            })
            .collect()
    }
}
