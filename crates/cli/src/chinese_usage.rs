//! What clap has to say about a mistaken command, for a Chinese reader.

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// The message for a mistaken command; `None` for help and version, which are not mistakes, and for what has no Chinese.
pub(crate) fn message(error: &Error) -> Option<String> {
    let value = |kind| error.get(kind).map(text);
    let argument = value(ContextKind::InvalidArg).unwrap_or_default();
    let said = match error.kind() {
        ErrorKind::UnknownArgument => format!("没有参数“{argument}”"),
        ErrorKind::InvalidSubcommand => {
            format!("没有命令“{}”", value(ContextKind::InvalidSubcommand).unwrap_or_default())
        }
        ErrorKind::MissingRequiredArgument => format!("缺少参数：{argument}"),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            match value(ContextKind::InvalidValue).filter(|got| !got.is_empty()) {
                Some(got) => format!("参数“{argument}”的值“{got}”无效"),
                None => format!("参数“{argument}”需要一个值"),
            }
        }
        ErrorKind::ArgumentConflict => {
            format!("参数“{argument}”不能与“{}”同用", value(ContextKind::PriorArg).unwrap_or_default())
        }
        ErrorKind::TooManyValues | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("参数“{argument}”的值的个数不对")
        }
        _ => return None,
    };
    let mut lines = vec![format!("错误：{said}")];
    if let Some(valid) = value(ContextKind::ValidValue).filter(|valid| !valid.is_empty()) {
        lines.push(format!("提示：可用的值：{valid}"));
    }
    let near = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
    if let Some(near) = near.into_iter().find_map(value) {
        lines.push(format!("提示：是否想用“{near}”？"));
    }
    lines.push("更多说明：加上 --help".to_owned());
    Some(lines.join("\n"))
}

fn text(value: &ContextValue) -> String {
    match value {
        ContextValue::String(text) => text.clone(),
        ContextValue::Strings(texts) => texts.join("、"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chinese::command;
    use pipeline::Lang;

    #[track_caller]
    fn check(line: &str, told: &str) {
        let words = line.split_whitespace();
        let error = command(Lang::Zh).try_get_matches_from(words).unwrap_err();
        let message = message(&error).unwrap_or_default();
        assert!(message.contains(told), "{message}");
    }

    #[test]
    fn mistakes_are_told_in_chinese() {
        check("dianjing tune parts --lable x", "没有参数“--lable”");
        check("dianjing tune parts --lable x", "是否想用“--label”");
        check("dianjing tnue", "没有命令“tnue”");
        check("dianjing tune", "缺少参数：<DATA>");
        check("dianjing tune parts --task x", "可用的值：single-label");
        check("dianjing config show --threads 0", "参数“--threads <N>”的值“0”无效");
    }

    #[test]
    fn help_is_no_mistake() {
        let help = command(Lang::Zh).try_get_matches_from(["dianjing", "--help"]).unwrap_err();
        assert_eq!(message(&help), None);
    }
}
