//! The two languages a person may read: each sentence is written in both, side by side, where it is said.

use serde::{Deserialize, Serialize};

/// The language of reports and messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Simplified Chinese.
    Zh,
}

impl Lang {
    /// The sentence in this language. Both versions are made: that is cheap, and a missing one cannot compile.
    pub fn pick<T>(self, english: T, chinese: T) -> T {
        match self {
            Self::En => english,
            Self::Zh => chinese,
        }
    }

    /// From a locale name such as `zh_CN.UTF-8`; anything that is not Chinese reads English.
    pub fn from_locale(locale: &str) -> Self {
        if locale.to_ascii_lowercase().starts_with("zh") { Self::Zh } else { Self::En }
    }

    /// The tag for HTML's `lang`.
    pub fn tag(self) -> &'static str {
        self.pick("en", "zh-CN")
    }

    /// Joins a short list as a person would: `a, b and c`.
    pub fn list(self, items: &[String]) -> String {
        match (self, items) {
            (_, []) => String::new(),
            (_, [only]) => only.clone(),
            (Self::En, [first @ .., last]) => format!("{} and {last}", first.join(", ")),
            (Self::Zh, [first @ .., last]) => format!("{}和{last}", first.join("、")),
        }
    }
}

/// A share as a percentage with one decimal, such as `86.8 %`.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// A number with what it counts, in English: `1 photo`, `2 photos`.
pub fn counted(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_are_recognised() {
        assert_eq!(Lang::from_locale("zh_CN.UTF-8"), Lang::Zh);
        assert_eq!(Lang::from_locale("de_DE"), Lang::En);
        assert_eq!(Lang::from_locale(""), Lang::En);
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!(
            [0, 1, 2].map(|n| counted(n, "good photo")),
            ["0 good photos", "1 good photo", "2 good photos"]
        );
    }

    #[test]
    fn lists_read_naturally() {
        let items: Vec<String> = ["a", "b", "c"].map(String::from).to_vec();
        assert_eq!(Lang::En.list(&items), "a, b and c");
        assert_eq!(Lang::Zh.list(&items), "a、b和c");
        assert_eq!(Lang::En.list(&items[..1]), "a");
    }
}
