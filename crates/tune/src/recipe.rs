//! How a head is made, without the data: enough to fit it again on other rows.

use serde::{Deserialize, Serialize};

use crate::Link;

/// A way to fit a head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// One model, or several whose scores are added.
    pub members: Vec<MemberRecipe>,
    /// How scores become probabilities.
    pub link: Link,
}

/// A way to fit one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberRecipe {
    /// What it looks at.
    pub input: Input,
    /// What is fitted.
    pub family: Family,
    /// Shrinkage as a multiple of `d / (n - 1)` for GDA, penalty for logistic and ridge regression; unused for means.
    pub strength: f64,
    /// What scores are multiplied with, found on out-of-fold scores; with several members it includes the share of this one.
    pub scale: f64,
}

/// The families, simplest first: a more complex one must earn its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Nearest class mean.
    Means,
    /// Gaussian discriminant analysis with a shrunken covariance.
    Gda,
    /// L2-penalised logistic regression.
    Logistic,
    /// Ridge regression.
    Ridge,
}

/// What a model looks at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Feature sets of the base, side by side.
    pub sets: Vec<String>,
    /// Whether each set is brought to length 1 first.
    pub unit: bool,
    /// Whether counted words are joined on.
    pub words: bool,
}

impl Recipe {
    /// What the report calls it.
    pub fn name(&self) -> String {
        match &self.members[..] {
            [only] => only.name(),
            several => {
                let names: Vec<String> = several.iter().map(MemberRecipe::name).collect();
                format!("{} models together: {}", several.len(), names.join("; "))
            }
        }
    }

    /// The most complex member decides.
    pub(crate) fn complexity(&self) -> (usize, Option<Family>) {
        (self.members.len(), self.members.iter().map(|member| member.family).max())
    }
}

impl MemberRecipe {
    /// Family and input in short.
    pub fn name(&self) -> String {
        let family = match self.family {
            Family::Means => "nearest class mean",
            Family::Gda => "GDA",
            Family::Logistic => "logistic regression",
            Family::Ridge => "ridge regression",
        };
        format!("{family} on {}", self.input.name())
    }
}

impl Input {
    /// The sets in short, such as `pooled/unit + words`.
    pub fn name(&self) -> String {
        let unit = if self.unit { "/unit" } else { "" };
        let mut parts: Vec<String> = self.sets.iter().map(|set| format!("{set}{unit}")).collect();
        if self.words {
            parts.push("words".to_owned());
        }
        parts.join(" + ")
    }
}
