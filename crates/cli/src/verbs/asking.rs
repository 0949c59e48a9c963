//! `apply --interactive`: what is to be done about one finding after the other. Every answer is kept at once.

use pipeline::{
    Accepted, Action, Answered, Applying, Fault, Lang, NewLabel, Pair, PipelineError, Said, StoredFinding,
    words,
};

use super::lines::Lines;
use super::say;
use crate::args::Arguments;
use crate::exit;

/// Examples of a finding that are named.
const SHOWN: usize = 5;
/// Characters of a text that are shown.
const CHARACTERS: usize = 100;

/// Asks about every finding that has no answer yet; `q`, or the end of the input, ends the questions. Gives what was accepted, now or
/// before.
pub(super) fn asked(
    applying: &Applying,
    answers: &mut Answered,
    arguments: &Arguments,
    lang: Lang,
) -> anyhow::Result<Vec<Accepted>> {
    let findings = applying.findings();
    let wanted = findings
        .findings
        .iter()
        .filter(|finding| finding.action.applies_by_itself() || finding.action.decides());
    let (known, open): (Vec<&StoredFinding>, Vec<&StoredFinding>) =
        wanted.partition(|finding| answers.of(finding).is_some());
    if !known.is_empty() {
        let (n, path) = (known.len(), answers.path().display());
        say(
            arguments,
            &lang.pick(
                format!("{n} answered before are kept in {path}; delete it to be asked again"),
                format!("之前的 {n} 个回答保存在 {path}；要重新回答，请删除它"),
            ),
        );
    }
    let lines = Lines::of_input();
    for (place, finding) in (1..).zip(&open) {
        let question = Question { applying, finding, lang };
        eprintln!("\n{place}/{}  {}", open.len(), question.told());
        match question.ask(&lines)? {
            Some(said) => answers.say(finding, said)?,
            None => break,
        }
    }
    Ok(answers.accepted(findings))
}

/// One finding, and how it may be answered.
struct Question<'a> {
    applying: &'a Applying,
    finding: &'a StoredFinding,
    lang: Lang,
}

impl Question<'_> {
    /// Asks until the answer is one; `None` when it is the last.
    fn ask(&self, lines: &Lines) -> anyhow::Result<Option<Said>> {
        let offers = self.offers();
        let mut wanted = self.lang.pick("[n]o, [q]uit", "n 否，q 结束").to_owned();
        if self.yes().is_some() {
            wanted = format!("{}{wanted}", self.lang.pick("[y]es, ", "y 是，"));
        }
        if !offers.is_empty() {
            wanted = format!("{}{wanted}", self.lang.pick("a number, ", "选项编号，"));
        }
        if self.takes_label() {
            wanted.push_str(self.lang.pick(", or =LABEL", "，或 =标注"));
        }
        loop {
            let Some(answer) = lines.ask(&format!("   {wanted}:"))? else { return Ok(None) };
            match answer.to_lowercase().as_str() {
                "q" | "quit" => return Ok(None),
                "" | "n" | "no" | "否" => return Ok(Some(Said::No)),
                "y" | "yes" | "是" if self.yes().is_some() => return Ok(Some(Said::Yes)),
                _ => {}
            }
            let offered = answer.parse::<usize>().ok().and_then(|place| offers.get(place.checked_sub(1)?));
            if let Some((_, said)) = offered {
                return Ok(Some(said.clone()));
            }
            if let Some(label) = answer.strip_prefix('=').filter(|_| self.takes_label())
                && let Some(said) = self.label(label, lines)?
            {
                return Ok(Some(said));
            }
        }
    }

    /// A label that was typed; `None` to ask again.
    fn label(&self, typed: &str, lines: &Lines) -> anyhow::Result<Option<Said>> {
        let NewLabel { written, unknown } = match self.applying.new_label(self.finding.number, typed) {
            Ok(label) => label,
            Err(error) => {
                eprintln!("   {}", exit::told(&PipelineError::from(error).into(), self.lang));
                return Ok(None);
            }
        };
        if unknown.is_empty() {
            return Ok(Some(Said::Label(written)));
        }
        let names = unknown.join(", ");
        let sure = self.lang.pick(
            format!("   no example is `{names}` yet; make it a new label? [y]es, [n]o:"),
            format!("   还没有样本标为“{names}”；要新增这个标注吗？y 是，n 否："),
        );
        let answer = lines.ask(&sure)?.unwrap_or_default().to_lowercase();
        Ok(["y", "yes", "是"].contains(&answer.as_str()).then_some(Said::Label(written)))
    }

    /// What yes does; `None` where it does not say all there is to say.
    fn yes(&self) -> Option<String> {
        let Self { finding, lang, .. } = self;
        match (finding.action, &finding.suggested) {
            (Action::KeepOne, _) => {
                Some(lang.pick("keep the first, take out the others", "保留第一个，去掉其余").to_owned())
            }
            (Action::RemoveFromTest, _) => {
                Some(lang.pick("take it out of the test part", "从测试集中去掉").to_owned())
            }
            (action, _) if action.takes_out() => Some(match &finding.sense {
                Some(sense) => lang.pick(format!("leave out its `{sense}`"), format!("去掉它的“{sense}”")),
                None => lang.pick("take it out", "去掉这个样本").to_owned(),
            }),
            (Action::DecideRule, _) => {
                let offered = finding.offered.as_ref().filter(|_| finding.answers.is_empty());
                offered.map(|_| lang.pick("the rule that is offered", "采用建议的规则").to_owned())
            }
            (_, Some(label)) => Some(lang.pick(format!("label it {label}"), format!("标为 {label}"))),
            (_, None) => None,
        }
    }

    /// Whether a label is an answer.
    fn takes_label(&self) -> bool {
        !matches!(self.finding.action, Action::KeepOne | Action::RemoveFromTest)
    }

    /// What may be chosen by its number, in words; what takes a name of one's own is left to `=LABEL`.
    fn offers(&self) -> Vec<(String, Said)> {
        let offer = |answer: &pipeline::Answer| {
            let says = answer.says.in_lang(self.lang).to_owned();
            match answer.accept.split_once('=') {
                None => Some((says, Said::Yes)),
                Some((_, "NAME")) => None,
                Some((_, label)) => Some((says, Said::Label(label.to_owned()))),
            }
        };
        self.finding.answers.iter().filter_map(offer).collect()
    }

    /// What a person needs to know to answer.
    fn told(&self) -> String {
        let Self { applying, finding, lang } = self;
        let labels = match (&finding.given, &finding.suggested) {
            (Some(given), Some(suggested)) => format!("  {given} → {suggested}"),
            (Some(given), None) => format!("  {given}"),
            _ => String::new(),
        };
        let action = finding.action.sentence();
        let action = action.in_lang(*lang);
        let fault = Fault::ALL.into_iter().find(|fault| fault.name() == finding.fault);
        let name = fault.map_or(finding.fault.as_str(), |fault| words::fault(fault, *lang));
        let mut told = format!("{}. {name}{labels} → {action}\n", finding.number);
        for id in finding.ids.iter().take(SHOWN) {
            let text = applying.text(id).map(|text| format!(": {}", beginning(text))).unwrap_or_default();
            told.push_str(&format!("   {id}{text}\n"));
        }
        let more = finding.ids.len().saturating_sub(SHOWN);
        if more > 0 {
            told.push_str(&lang.pick(format!("   and {more} more\n"), format!("   另有 {more} 个\n")));
        }
        if let Some(about) = &finding.about {
            told.push_str(&format!("   {}\n", about.in_lang(*lang)));
        }
        for pair in &finding.pairs {
            told.push_str(&format!("   {}\n", close(pair, *lang)));
        }
        if let Some(does) = self.yes() {
            told.push_str(&format!("   y: {does}\n"));
        }
        for (place, (says, _)) in (1..).zip(self.offers()) {
            told.push_str(&format!("   {place}: {says}\n"));
        }
        told.trim_end().to_owned()
    }
}

/// The first characters of a text, on one line.
fn beginning(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = line.chars().take(CHARACTERS).collect();
    if short.len() < line.len() { format!("{short}…") } else { short }
}

/// Two examples that contradict each other.
pub(super) fn close(Pair { ids: [first, second], labels: [a, b], .. }: &Pair, lang: Lang) -> String {
    lang.pick(
        format!("close together: {first} is `{a}`, {second} is `{b}`"),
        format!("很相近：{first} 标为“{a}”，{second} 标为“{b}”"),
    )
}
