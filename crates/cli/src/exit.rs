//! How the command ends: exit codes, and errors as a person can use them.
//!
//! 0 done, 1 could not, 2 asked wrongly, 3 done but findings exceed what was allowed, 130 stopped by Ctrl-C.

use std::error::Error;
use std::process::ExitCode;

use base::open::BaseError;
use bundle::BundleError;
use curate::book::BookError;
use pipeline::{ApplyError, Lang, PipelineError, chinese_errors};
use server::ServerError;
use store::StoreError;

use crate::chinese_usage;

/// Done, but with findings the person asked to be told about by exit code.
pub(crate) const FINDINGS: u8 = 3;
/// Stopped by Ctrl-C, as shells number it.
const STOPPED: u8 = 130;

/// A wrong use of the command that clap cannot see.
#[derive(Debug, thiserror::Error)]
#[error("{en}")]
pub(crate) struct Usage {
    pub(crate) en: String,
    pub(crate) zh: String,
}

/// Prints what clap has to say: help and version on stdout, mistakes on stderr.
#[allow(clippy::print_stdout, reason = "this crate is the one that prints")]
pub(crate) fn usage(error: &clap::Error, lang: Lang) -> ExitCode {
    let chinese = if lang == Lang::Zh { chinese_usage::message(error) } else { None };
    if let Some(message) = chinese {
        eprintln!("{message}");
    } else if error.print().is_err() {
        return ExitCode::FAILURE;
    }
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}

/// Prints an error with its causes and a hint, and chooses the exit code.
pub(crate) fn failure(error: &anyhow::Error, lang: Lang) -> ExitCode {
    if let Some(PipelineError::Cancelled) = error.downcast_ref() {
        eprintln!(
            "{}",
            lang.pick(
                "Stopped. Features computed so far are kept; run the same command to go on.",
                "已停止。已提取的特征已保存；再次运行同一命令即可继续。"
            )
        );
        return ExitCode::from(STOPPED);
    }
    eprintln!("{}{}", lang.pick("error: ", "错误："), told(error, lang));
    if let Some(hint) = hint(error.as_ref(), lang) {
        eprintln!("{}{hint}", lang.pick("hint: ", "提示："));
    }
    code(error)
}

/// An error with its causes, in words.
pub(crate) fn told(error: &anyhow::Error, lang: Lang) -> String {
    let mut causes: Vec<String> = Vec::new();
    for cause in error.chain() {
        let chinese = if lang == Lang::Zh { chinese(cause) } else { None };
        let text = chinese.unwrap_or_else(|| cause.to_string());
        // Transparent errors repeat their cause word for word, and some of others at their end.
        if !causes.last().is_some_and(|said| said.ends_with(&text)) {
            causes.push(text);
        }
    }
    causes.join(lang.pick(": ", "："))
}

fn chinese(cause: &(dyn Error + 'static)) -> Option<String> {
    let usage = cause.downcast_ref::<Usage>().map(|usage| usage.zh.clone());
    usage.or_else(|| chinese_errors::message(cause)).or_else(|| Some(server(cause.downcast_ref()?)))
}

fn server(error: &ServerError) -> String {
    match error {
        ServerError::Listen { address, .. } => format!("无法监听 {address}"),
        ServerError::Folder { dir, .. } => format!("无法使用文件夹“{}”", dir.display()),
        ServerError::Store(_) => "无法打开对象存储".to_owned(),
        ServerError::Database(_) => "无法打开数据库".to_owned(),
        ServerError::Newer => "该数据库已被更新版本的程序使用过".to_owned(),
        ServerError::Open { dir } => format!("文件夹“{}”已经打开", dir.display()),
        ServerError::Foreign { dir } => format!("文件夹“{}”中的文件属于另一个数据库", dir.display()),
        ServerError::Issuer { issuer } => format!("不能向“{issuer}”发送密钥"),
        ServerError::Client(_) => "无法访问其他服务器".to_owned(),
        ServerError::Stopped(_) => "服务器已停止".to_owned(),
    }
}

/// 2 for what was asked wrongly, 1 for what could not be done.
fn code(error: &anyhow::Error) -> ExitCode {
    let asked_wrongly = error.is::<Usage>()
        || matches!(error.downcast_ref(), Some(PipelineError::Pull(base::pull::PullError::Unknown { .. })))
        || read_error(error.as_ref()).is_some_and(|error| {
            matches!(error, dataset::ReadError::Missing { .. } | dataset::ReadError::NoColumn { .. })
        });
    ExitCode::from(if asked_wrongly { 2 } else { 1 })
}

fn read_error<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e dataset::ReadError> {
    let found = error.downcast_ref::<dataset::ReadError>();
    found.or_else(|| match error.downcast_ref::<PipelineError>() {
        Some(PipelineError::Read(error)) => Some(error),
        _ => None,
    })
}

/// What to try next.
fn hint(error: &(dyn Error + 'static), lang: Lang) -> Option<String> {
    if let Some(error) = read_error(error) {
        let chinese = chinese_errors::read(error).map(|(_, hint)| hint);
        return Some(lang.pick(error.hint(), chinese.unwrap_or(error.hint())).to_owned());
    }
    if let Some(PipelineError::Pull(error)) = error.downcast_ref() {
        return lang.pick(error.hint(), chinese_errors::pull_hint(error));
    }
    if let Some(error) = error.downcast_ref() {
        return server_hint(error).map(|(en, zh)| lang.pick(en, zh).to_owned());
    }
    Some(pipeline_hint(error.downcast_ref()?, lang)?.to_owned())
}

fn server_hint(error: &ServerError) -> Option<(&'static str, &'static str)> {
    Some(match error {
        ServerError::Store(_) => (
            "check the URL, and the address and keys in the environment, such as AWS_ENDPOINT_URL and AWS_ACCESS_KEY_ID",
            "请检查 URL，以及环境变量中的地址和密钥，如 AWS_ENDPOINT_URL 和 AWS_ACCESS_KEY_ID",
        ),
        ServerError::Database(_) => (
            "does PostgreSQL run, and are user, password, host and name in --database or DIANJING_DATABASE right?",
            "PostgreSQL 是否已启动？请检查 --database 或 DIANJING_DATABASE 中的用户、密码、主机和库名",
        ),
        ServerError::Listen { .. } => (
            "is another program there? choose another port: `studio --port 0` takes a free one, `serve` has --listen",
            "是否被其他程序占用？请换一个端口：`studio --port 0` 会自动选择空闲端口，`serve` 用 --listen",
        ),
        ServerError::Folder { .. } => (
            "may you write there? some network drives keep no locks: pass a folder on a local disk with --dir",
            "是否有写入权限？有些网络盘不支持文件锁：请用 --dir 指定本地磁盘上的文件夹",
        ),
        ServerError::Newer => ("use the newest version of dianjing with it", "请使用最新版本的 dianjing"),
        ServerError::Open { .. } => (
            "another `studio` or `serve` uses it: go to its window, close it, or pass another folder with --dir",
            "另一个 `studio` 或 `serve` 正在使用它：请使用那个窗口、将其关闭，或用 --dir 指定其他文件夹",
        ),
        ServerError::Foreign { .. } => (
            "name the database that it was made with (none for a studio's folder), or pass another folder with --dir",
            "请指定建立它时所用的数据库（`studio` 的文件夹不需要指定），或用 --dir 指定其他文件夹",
        ),
        ServerError::Issuer { .. } => {
            ("pass the issuer as the provider writes it: https://…", "请按登录服务的写法给出地址：https://…")
        }
        _ => return None,
    })
}

fn pipeline_hint(error: &PipelineError, lang: Lang) -> Option<&'static str> {
    Some(match error {
        PipelineError::NoLabels { .. } => lang.pick(
            "put the examples into one folder per class, or name the label column with --label",
            "请按类别分文件夹放置样本，或用 --label 指定标注列",
        ),
        PipelineError::NoModelVotes { .. } => lang.pick(
            "pass what was voted on with --examples, with at least two classes, or leave --method out",
            "请用 --examples 给出被投票的样本（至少两类），或去掉 --method",
        ),
        PipelineError::NoItems { .. } => lang.pick(
            "pass the folder or table of what was voted on, and the column of its names with --item",
            "请给出被投票的样本所在的文件夹或表格，并用 --item 指定题目列",
        ),
        PipelineError::NothingToLabel { .. } => lang.pick(
            "leave the label empty, put the files directly into the folder or into one called `unlabelled`, or pass what is labelled \
             with --labelled",
            "请将标注留空，把文件直接放在该文件夹或名为“未标注”的文件夹中，或用 --labelled 指定已标注的数据",
        ),
        PipelineError::Audit(curate::CurateError::NoMargins) => lang.pick(
            "pass a bundle with --model, or more labelled examples",
            "请用 --model 指定模型包，或提供更多已标注的样本",
        ),
        PipelineError::OneClass { .. } => lang.pick(
            "add examples of a second class, such as `good` and `defect`",
            "请加入第二个类别的样本，例如“良品”和“缺陷”",
        ),
        PipelineError::LearnedFrom { .. } => lang.pick(
            "measure it on photos it has not seen; what it makes of these when they are held out is in its report",
            "请用它没见过的照片来测量；对这些照片的折外结果见其报告",
        ),
        PipelineError::NoDetector { .. } => {
            lang.pick("leave --detectors out to have them chosen", "去掉 --detectors，由程序自动选择")
        }
        PipelineError::NothingUsable { .. } => {
            lang.pick("mend the first problem and try again", "请先解决第一个问题再试")
        }
        PipelineError::OtherTask { .. } => lang.pick(
            "pass data with the same kind of label as the bundle was tuned on",
            "请传入与调校时标注种类相同的数据",
        ),
        PipelineError::OtherModality { .. } => lang.pick(
            "pass data of that kind, or name another base with --base",
            "请传入该种数据，或用 --base 指定别的底座",
        ),
        PipelineError::Store(error) | PipelineError::Bundle(BundleError::Write(error)) => {
            return store_hint(error, lang);
        }
        PipelineError::Bundle(error) => return bundle_hint(error, lang),
        PipelineError::Apply(error) => return apply_hint(error, lang),
        PipelineError::OtherDraw { .. } => lang.pick(
            "leave --seed out to go on, or move that file away to begin anew",
            "去掉 --seed 可接着看；移走该文件可重新开始",
        ),
        PipelineError::Book(BookError::OtherBase { .. }) => other_base(lang),
        PipelineError::Base(BaseError::OneTower { .. }) => lang.pick(
            "take a joint base such as `clip-vit-b32`; `dianjing base list` shows what there is",
            "请用双塔底座，例如 clip-vit-b32；dianjing base list 列出所有底座",
        ),
        other => return senses_hint(other, lang),
    })
}

fn store_hint(error: &StoreError, lang: Lang) -> Option<&'static str> {
    match error {
        StoreError::DiskFull { .. } => Some(lang.pick(
            "free some space, or pass another place with --out or --cache",
            "请腾出空间，或用 --out、--cache 指定别处",
        )),
        StoreError::Lock { .. } => Some(lang.pick(
            "some network drives keep no locks: pass a folder on a local disk with --cache",
            "有些网络盘不支持文件锁：请用 --cache 指定本地磁盘上的文件夹",
        )),
        _ => None,
    }
}

fn other_base(lang: Lang) -> &'static str {
    lang.pick(
        "a book belongs to one base: pass another file with --rules, or audit again with the base of the book",
        "一本标签手册只对应一个底座：请用 --rules 指定另一个文件，或用手册的底座重新检查",
    )
}

fn apply_hint(error: &ApplyError, lang: Lang) -> Option<&'static str> {
    Some(match error {
        ApplyError::OtherBook { .. } => other_base(lang),
        ApplyError::NoCase { .. } => lang.pick(
            "write the findings again, with `dianjing audit DATA --out findings.json`",
            "请用 dianjing audit DATA --out findings.json 重新写出检查结果",
        ),
        _ => return None,
    })
}

fn senses_hint(error: &PipelineError, lang: Lang) -> Option<&'static str> {
    Some(match error {
        PipelineError::SensesTask { .. } => lang.pick(
            "name the column of one sense, such as --image COLUMN or --text COLUMN",
            "请只指定一种感官的列，例如 --image 列名 或 --text 列名",
        ),
        PipelineError::NothingShared { .. } => lang.pick(
            "check that each row pairs what belongs together, or add pairs",
            "请检查每行是否配对正确，或增加配对",
        ),
        PipelineError::NoEnd { .. } => lang.pick(
            "search by what one of them takes, and name that side with --from where both do",
            "请按两边之一接受的内容搜索；两边种类相同时用 --from 指定",
        ),
        PipelineError::NoSensors { .. } => lang.pick(
            "open one of the files: one column a sensor, one row a step, numbers only",
            "请打开其中一个文件检查：每列一个传感器，每行一个时刻，只含数字",
        ),
        _ => return None,
    })
}

fn bundle_hint(error: &BundleError, lang: Lang) -> Option<&'static str> {
    Some(match error {
        BundleError::WrongBase { .. } => lang.pick(
            "fetch that base with `dianjing base pull`, or tune again",
            "请用 dianjing base pull 下载该底座，或重新调校",
        ),
        BundleError::Truncated { .. } | BundleError::Damaged { .. } | BundleError::Changed { .. } => {
            lang.pick("copy the bundle again from where it was made", "请从制作处重新复制该模型包")
        }
        BundleError::ExportPrepared => lang.pick(
            "run it with `dianjing predict`, which looks at photos in the same way everywhere",
            "请用 dianjing predict 运行它，在任何地方的检测方式都相同",
        ),
        BundleError::ExportDrawn => lang.pick(
            "run it with `dianjing predict`, which draws them in the same way everywhere",
            "请用 dianjing predict 运行它，在任何地方的画法都相同",
        ),
        BundleError::OlderFormat { .. } => lang.pick(
            "make it anew from its photos with `dianjing inspect`",
            "请用 dianjing inspect 以原来的照片重新制作",
        ),
        BundleError::OlderDrawing { .. } => lang.pick(
            "make it anew from its series with `dianjing inspect`",
            "请用 dianjing inspect 以原来的序列重新制作",
        ),
        BundleError::NewerFormat { .. } => lang.pick("install a newer Dianjing", "请安装更新版本的点睛"),
        _ => return None,
    })
}
