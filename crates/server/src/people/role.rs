//! Roles of people and scopes of tokens.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a person is in their tenant. Each may do what those below may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Looks.
    Viewer,
    /// Labels and decides about findings.
    Labeller,
    /// Brings data in, tunes, deploys.
    Editor,
    /// Lets people in and out.
    Owner,
}

impl Role {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Labeller => "labeller",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }

    /// From the database, which only holds names that were written by [`Role::name`].
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "owner" => Self::Owner,
            "editor" => Self::Editor,
            "labeller" => Self::Labeller,
            _ => Self::Viewer,
        }
    }
}

/// What a token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scope {
    /// To ask deployed models.
    Predict,
    /// To look at everything.
    Read,
    /// To change data, labels, models and deployments.
    Write,
}

impl Scope {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Predict => "predict",
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Predict, Self::Read, Self::Write].into_iter().find(|scope| scope.name() == name)
    }
}

/// What a request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// To ask a deployed model.
    Predict,
    /// To look.
    Look,
    /// To label, and to decide about findings.
    Label,
    /// To change data, models and deployments.
    Edit,
    /// To let people in and out, and to make tokens. No token may do that.
    Govern,
}

impl Right {
    /// The least role that has it.
    pub(crate) fn role(self) -> Role {
        match self {
            Self::Predict | Self::Look => Role::Viewer,
            Self::Label => Role::Labeller,
            Self::Edit => Role::Editor,
            Self::Govern => Role::Owner,
        }
    }

    /// The scope a token needs for it.
    pub(crate) fn scope(self) -> Option<Scope> {
        match self {
            Self::Predict => Some(Scope::Predict),
            Self::Look => Some(Scope::Read),
            Self::Label | Self::Edit => Some(Scope::Write),
            Self::Govern => None,
        }
    }
}
