//! Of bases: having them, bringing them in, opening them; and of what decodes videos.

use base::cache::CacheError;
use base::checkpoint::CheckpointError;
use base::open::BaseError;
use base::pull::PullError;
use base::transfer::TransferError;
use base::video::FfmpegError;
use base::weights::WeightsError;

use super::{name, store};

/// Why no video can be decoded on this machine.
pub fn ffmpeg(error: &FfmpegError) -> String {
    match error {
        FfmpegError::Missing { program } => format!(
            "未安装“{}”，解码视频需要它；请用 apt install ffmpeg、brew install ffmpeg 或 winget install ffmpeg 安装",
            program.display()
        ),
        FfmpegError::Run { program, .. } => format!("“{}”无法运行", program.display()),
        other => other.to_string(),
    }
}

pub(super) fn base(error: &BaseError) -> Option<String> {
    Some(match error {
        BaseError::Card(error) => return cache(error),
        BaseError::Setting { id, table, detail } => {
            format!("底座“{id}”的 base.toml 中 {table} 有误：{detail}")
        }
        BaseError::Ffmpeg(error) => ffmpeg(error),
        BaseError::Arch { id, .. } => format!("底座“{id}”与它的网络类型不符"),
        BaseError::FrozenOnly { id, engine } => {
            format!("底座“{id}”是 ONNX 文件；引擎 {engine} 只能运行已知网络")
        }
        BaseError::OneTower { id } => format!("底座“{id}”只有一个网络，不是同一空间里的两个"),
        BaseError::NoFeatures { id } => format!("底座“{id}”不输出特征向量"),
        BaseError::Stopped => "已停止".to_owned(),
        _ => return None,
    })
}

pub(super) fn pull(error: &PullError) -> Option<String> {
    Some(match error {
        PullError::Unknown { id, known } => format!("没有名为“{id}”的底座；已知：{}", known.join("、")),
        PullError::Terms { id, licence, terms } => format!("底座“{id}”须先接受其条款（{licence}）：{terms}"),
        PullError::NoSource { id, tried } => {
            let tried: String = tried.iter().map(|tried| format!("；{tried}")).collect();
            format!("缓存里没有底座“{id}”，也没有来源能提供它{tried}")
        }
        PullError::Checksum { file, expected, got } => {
            format!("“{file}”的 sha256 是 {got}，应为 {expected}；没有保留任何内容")
        }
        PullError::Container { file, .. } => format!("“{file}”无法读取"),
        PullError::Read { path, .. } => format!("无法读取{}", name(path)),
        PullError::Write { path, .. } => format!("无法写入{}", name(path)),
        PullError::Cache(error) => return cache(error),
        PullError::Store(error) => store(error),
        _ => return None,
    })
}

/// What to try when a base could not be had.
pub fn pull_hint(error: &PullError) -> Option<String> {
    Some(match error {
        PullError::NoSource { id, .. } => format!(
            "在有网络的机器上运行 dianjing base pull {id} 和 dianjing base export {id}；在本机对导出的文件运行 dianjing base import"
        ),
        PullError::Checksum { .. } => "镜像或代理提供的可能是另一个文件：请询问其管理者".to_owned(),
        PullError::Unknown { .. } => "dianjing base list 列出所有底座".to_owned(),
        PullError::Terms { id, .. } => format!("阅读条款后运行 dianjing base pull {id} --accept-terms"),
        _ => return None,
    })
}

pub(super) fn transfer(error: &TransferError) -> Option<String> {
    Some(match error {
        TransferError::Read { path, .. } => format!("无法读取{}", name(path)),
        TransferError::Archive { path, what } => format!("{}不是导出的底座：{what}", name(path)),
        TransferError::Id { path, id } => {
            format!("{}中底座的名称“{id}”只能用小写字母、数字、-、_ 和 .", name(path))
        }
        TransferError::NoModel { path } => format!("{}里没有模型文件", name(path)),
        TransferError::Checkpoint { path, what } => {
            format!("{}不是模型库格式的双塔底座：{}", name(path), checkpoint(what))
        }
        TransferError::Weights(error) => weights(error),
        TransferError::Cache(error) => return cache(error),
        TransferError::Store(error) => store(error),
        _ => return None,
    })
}

fn checkpoint(error: &CheckpointError) -> String {
    match error {
        CheckpointError::NotSound { file, detail } => format!("“{file}”无法解析：{detail}"),
        CheckpointError::OtherModel { got } => {
            format!("网络类型是“{got}”；此格式只接受 clip，其他网络需要 base.toml")
        }
        CheckpointError::Number { key, got } => format!("{key} 是 {got}，超出范围"),
        CheckpointError::Twice { key, got, other, known } => {
            format!("两个塔的 {key} 分别是 {got} 和 {other}；两者须相同，且为 {known} 之一")
        }
        CheckpointError::Preparation { key } => format!("图片预处理中的“{key}”无法理解"),
        CheckpointError::NoFile { name } => format!("缺少“{name}”"),
        CheckpointError::TooLong { limit } => format!("超过 {limit} 字节"),
        other => other.to_string(),
    }
}

fn weights(error: &WeightsError) -> String {
    match error {
        WeightsError::Read { path, .. } => format!("无法读取{}", name(path)),
        WeightsError::Container { path, .. } => format!("{}不是有效的 safetensors 文件", name(path)),
        WeightsError::Write { path, .. } => format!("无法写入{}", name(path)),
        other => other.to_string(),
    }
}

pub(super) fn cache(error: &CacheError) -> Option<String> {
    Some(match error {
        CacheError::Read { path, .. } => format!("无法读取{}", name(path)),
        CacheError::Card { path, .. } => format!("{}不是有效的 base.toml", name(path)),
        CacheError::Name { path, name: file } => format!("{}列出了“{file}”，底座没有这种文件", name(path)),
        CacheError::Size { path, expected, got } => {
            format!("{}有 {got} 字节，应为 {expected}；请删除该底座后重新下载", name(path))
        }
        CacheError::Checksum { path, expected, got } => {
            format!("{}的 sha256 是 {got}，应为 {expected}；请删除该底座后重新下载", name(path))
        }
        CacheError::Missing { id } => format!("缓存里没有底座“{id}”"),
        CacheError::Store(error) => store(error),
        _ => return None,
    })
}
