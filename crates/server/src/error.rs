//! What went wrong, as clients hear it: a status, a code that never changes, a sentence in their language, and what to try.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base::open::BaseError;
use pipeline::{Lang, PipelineError, words};
use serde::Serialize;
use utoipa::ToSchema;

use crate::db::room::Full;
use crate::db::trouble::Trouble;
use crate::shelf::ShelfError;

/// An answer that is none. [`answering`](crate::answering) writes it in the language of who asked.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) en: String,
    pub(crate) zh: String,
    pub(crate) hint: Option<(&'static str, &'static str)>,
    /// How much of a file is there, where that is the point.
    pub(crate) size: Option<u64>,
    /// Seconds after which to ask again, where that is known.
    pub(crate) wait: Option<u64>,
}

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// For programs; never changes.
    #[schema(example = "not_found")]
    code: &'static str,
    /// For people, in the language of `Accept-Language`.
    message: String,
    /// What to try.
    hint: Option<&'static str>,
    /// Names this request in the server's log.
    request_id: String,
    /// With `wrong_offset`: how many bytes of the file are there.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
}

impl ApiError {
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        en: impl Into<String>,
        zh: impl Into<String>,
    ) -> Self {
        Self { status, code, en: en.into(), zh: zh.into(), hint: None, size: None, wait: None }
    }

    pub(crate) fn hint(self, en: &'static str, zh: &'static str) -> Self {
        Self { hint: Some((en, zh)), ..self }
    }

    /// Tells to ask again after so many seconds.
    pub(crate) fn after(self, seconds: u64) -> Self {
        Self { wait: Some(seconds), ..self }
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is no such thing here", "没有这个内容")
    }

    pub(crate) fn unauthenticated() -> Self {
        let hint = (
            "log in, or send a token: `Authorization: Bearer djt_…`",
            "请登录，或发送令牌：Authorization: Bearer djt_…",
        );
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "nobody is logged in", "尚未登录")
            .hint(hint.0, hint.1)
    }

    pub(crate) fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "your role does not allow this", "您的角色不允许此操作")
            .hint("ask an owner", "请联系所有者")
    }

    /// A token that does not go so far; `needed` is the scope that does, where one does.
    pub(crate) fn out_of_scope(needed: Option<&str>) -> Self {
        let forbidden = |en: String, zh: String| Self::new(StatusCode::FORBIDDEN, "forbidden", en, zh);
        match needed {
            Some(scope) => {
                forbidden(format!("this token lacks the scope `{scope}`"), format!("此令牌缺少“{scope}”权限"))
                    .hint("make a token with that scope", "请创建带有该权限的令牌")
            }
            None => forbidden("no token allows this".to_owned(), "任何令牌都不允许此操作".to_owned())
                .hint("log in", "请登录后操作"),
        }
    }

    pub(crate) fn invalid(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", en, zh)
    }

    pub(crate) fn conflict(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", en, zh)
    }

    pub(crate) fn too_large(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", en, zh)
    }

    /// Nothing is wrong with what was asked, nor with who asked.
    pub(crate) fn database_away() -> Self {
        let (en, zh) = ("the database cannot be reached", "无法连接数据库");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "database_away", en, zh).hint(
            "what was answered before is kept: try again in a while, or ask who runs the server",
            "此前已确认的内容都已保存：请稍后重试，或联系服务器管理员",
        )
    }

    fn disk_full() -> Self {
        Self::new(StatusCode::INSUFFICIENT_STORAGE, "disk_full", "the disk is full", "磁盘已满")
            .hint("nothing was lost: free some space and try again", "没有丢失任何内容：请腾出空间后重试")
    }

    /// What a client cannot help. The cause goes to the log, not out.
    pub(crate) fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the server could not do this",
            "服务器无法完成此操作",
        )
        .hint(
            "try again; the request id finds the cause in the server's log",
            "请重试；可凭请求编号在服务器日志中查找原因",
        )
    }

    /// The body, for who reads this language.
    pub(crate) fn body(&self, lang: Lang, request_id: String) -> ErrorBody {
        let message = lang.pick(&self.en, &self.zh).clone();
        let hint = self.hint.map(|(en, zh)| lang.pick(en, zh));
        ErrorBody { code: self.code, message, hint, request_id, size: self.size }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Json(self.body(Lang::En, String::new()));
        let mut response = (self.status, body).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Full> for ApiError {
    fn from(full: Full) -> Self {
        let (en, zh) = match full {
            Full::Examples(most) => (
                format!("there may be {most} examples here, and these would be more"),
                format!("此处最多 {most} 个样本，导入后将超出"),
            ),
            Full::Bytes(most) => {
                let most = human_bytes(most);
                (
                    format!("files here may take {most}, and these would take more"),
                    format!("此处的文件最多占用 {most}，此操作将超出"),
                )
            }
        };
        Self::new(StatusCode::INSUFFICIENT_STORAGE, "over_quota", en, zh).hint(
            "remove data sets or models that are not needed, or ask who runs the server",
            "请删除不需要的数据集或模型，或联系服务器管理员",
        )
    }
}

/// `1.5 GB`, as the studio writes it.
fn human_bytes(bytes: i64) -> String {
    let units = [("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("KB", 1e3)];
    match units.into_iter().find(|(_, size)| bytes as f64 >= *size) {
        Some((unit, size)) => format!("{:.1} {unit}", bytes as f64 / size),
        None => format!("{bytes} B"),
    }
}

impl From<ShelfError> for ApiError {
    fn from(error: ShelfError) -> Self {
        match error {
            ShelfError::Here(error) => error.into(),
            ShelfError::There(error) => {
                tracing::error!(%error, "the object store failed");
                let (en, zh) = ("the object store cannot be reached", "无法访问对象存储");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_unreachable", en, zh)
                    .hint("nothing was lost: try again in a while", "没有丢失任何内容：请稍后重试")
            }
        }
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        match Trouble::of(&error) {
            Trouble::Full => Self::disk_full(),
            Trouble::Busy => {
                let (en, zh) = ("the database is busy", "数据库正忙");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", en, zh)
                    .hint("try again in a moment", "请稍后重试")
            }
            Trouble::Away => {
                tracing::error!(%error, "the database does not answer");
                Self::database_away()
            }
            Trouble::Wrong => Self::internal(&error),
        }
    }
}

impl From<PipelineError> for ApiError {
    fn from(error: PipelineError) -> Self {
        use pipeline::PipelineError as E;
        match error {
            E::Store(error)
            | E::Bundle(bundle::BundleError::Write(error))
            | E::Extract(base::extract::ExtractError::Store(error))
            | E::Pull(base::pull::PullError::Store(error @ store::StoreError::DiskFull { .. })) => {
                error.into()
            }
            // What is wrong with the data or with a file that was sent is for who sent it; what is wrong here is for the log.
            E::Read(_)
            | E::NothingUsable { .. }
            | E::OneClass { .. }
            | E::NoLabels { .. }
            | E::NoSensors { .. }
            | E::Sense { .. }
            | E::SensesTask { .. }
            | E::OtherModality { .. } => {
                Self::invalid(words::error(&error, Lang::En), words::error(&error, Lang::Zh))
            }
            E::Base(BaseError::Ffmpeg(_)) => {
                tracing::error!(%error, "videos cannot be decoded");
                let (en, zh) = (words::error(&error, Lang::En), words::error(&error, Lang::Zh));
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "no_ffmpeg", en, zh)
                    .hint("ask who runs the server to install it", "请联系服务器管理员安装")
            }
            E::Bundle(bundle::BundleError::Base(cause @ BaseError::Ffmpeg(_))) => {
                PipelineError::from(cause).into()
            }
            E::Bundle(cause) => {
                tracing::info!(%cause, "a bundle was refused");
                let (en, zh) = ("this is no bundle that can be used here", "这不是可在此使用的模型包");
                let hint =
                    ("copy it again, or make it anew with this version", "请重新复制，或用当前版本重新制作");
                Self::invalid(en, zh).hint(hint.0, hint.1)
            }
            E::Cancelled => {
                let (en, zh) = ("this was stopped", "此操作已停止");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopped", en, zh).hint("try again", "请重试")
            }
            E::Pull(cause) => {
                tracing::error!(%cause, "a base could not be fetched");
                let (en, zh) = (
                    "the base model is not on this server and could not be fetched",
                    "服务器上没有所需底座，也无法下载",
                );
                let hint = (
                    "fetch it with `dianjing base pull` where there is a network",
                    "请在有网络处用 dianjing base pull 下载",
                );
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", en, zh).hint(hint.0, hint.1)
            }
            other => Self::internal(&other),
        }
    }
}

impl From<store::StoreError> for ApiError {
    fn from(error: store::StoreError) -> Self {
        use store::StoreError as E;
        match error {
            E::DiskFull { .. } => Self::disk_full(),
            // A file is also written while another is read.
            E::Read { source, .. } | E::Write { source, .. } if is_full(&source) => Self::disk_full(),
            other => Self::internal(&other),
        }
    }
}

impl From<std::io::Error> for ApiError {
    fn from(error: std::io::Error) -> Self {
        if is_full(&error) { Self::disk_full() } else { Self::internal(&error) }
    }
}

/// Whether there is no room left, on the disk or for who runs the server.
pub(crate) fn is_full(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
}
