//! The names of scripts and languages that texts are told apart by.

use curate::faults::{Script, Tongue};

/// What a text is in, in English and in Chinese. A language without a name here has its code of ISO 639-3.
pub(super) fn name(tongue: Tongue) -> [String; 2] {
    let (en, zh) = match tongue {
        Tongue::Simplified => ("simplified Chinese", "简体中文"),
        Tongue::Traditional => ("traditional Chinese", "繁体中文"),
        Tongue::Script(script) => of_script(script),
        Tongue::Language(code) => match LANGUAGES.iter().find(|(known, ..)| *known == code) {
            Some((_, en, zh)) => (*en, *zh),
            None => return [code.to_owned(), format!("其他语言（{code}）")],
        },
    };
    [en.to_owned(), zh.to_owned()]
}

fn of_script(script: Script) -> (&'static str, &'static str) {
    match script {
        Script::Latin => ("Latin letters", "拉丁字母"),
        Script::Han => ("Chinese characters", "汉字"),
        Script::Japanese => ("Japanese", "日文"),
        Script::Hangul => ("Korean", "韩文"),
        Script::Cyrillic => ("Cyrillic letters", "西里尔字母"),
        Script::Greek => ("Greek letters", "希腊字母"),
        Script::Arabic => ("Arabic letters", "阿拉伯字母"),
        Script::Hebrew => ("Hebrew letters", "希伯来字母"),
        Script::Devanagari => ("Devanagari", "天城文"),
        Script::Thai => ("Thai letters", "泰文"),
        Script::Other => ("letters of another script", "其他文字"),
    }
}

/// Codes and names of the languages in scripts that several languages share.
const LANGUAGES: [(&str, &str, &str); 53] = [
    ("afr", "Afrikaans", "南非荷兰语"),
    ("aka", "Akan", "阿坎语"),
    ("ara", "Arabic", "阿拉伯语"),
    ("aze", "Azerbaijani", "阿塞拜疆语"),
    ("bel", "Belarusian", "白俄罗斯语"),
    ("bul", "Bulgarian", "保加利亚语"),
    ("cat", "Catalan", "加泰罗尼亚语"),
    ("ces", "Czech", "捷克语"),
    ("cmn", "Chinese", "中文"),
    ("cym", "Welsh", "威尔士语"),
    ("dan", "Danish", "丹麦语"),
    ("deu", "German", "德语"),
    ("ell", "Greek", "希腊语"),
    ("eng", "English", "英语"),
    ("epo", "Esperanto", "世界语"),
    ("est", "Estonian", "爱沙尼亚语"),
    ("fin", "Finnish", "芬兰语"),
    ("fra", "French", "法语"),
    ("heb", "Hebrew", "希伯来语"),
    ("hin", "Hindi", "印地语"),
    ("hrv", "Croatian", "克罗地亚语"),
    ("hun", "Hungarian", "匈牙利语"),
    ("ind", "Indonesian", "印度尼西亚语"),
    ("ita", "Italian", "意大利语"),
    ("jav", "Javanese", "爪哇语"),
    ("jpn", "Japanese", "日语"),
    ("kor", "Korean", "韩语"),
    ("lat", "Latin", "拉丁语"),
    ("lav", "Latvian", "拉脱维亚语"),
    ("lit", "Lithuanian", "立陶宛语"),
    ("mar", "Marathi", "马拉地语"),
    ("mkd", "Macedonian", "马其顿语"),
    ("nep", "Nepali", "尼泊尔语"),
    ("nld", "Dutch", "荷兰语"),
    ("nob", "Norwegian", "挪威语"),
    ("pes", "Persian", "波斯语"),
    ("pol", "Polish", "波兰语"),
    ("por", "Portuguese", "葡萄牙语"),
    ("ron", "Romanian", "罗马尼亚语"),
    ("rus", "Russian", "俄语"),
    ("slk", "Slovak", "斯洛伐克语"),
    ("slv", "Slovene", "斯洛文尼亚语"),
    ("sna", "Shona", "绍纳语"),
    ("spa", "Spanish", "西班牙语"),
    ("srp", "Serbian", "塞尔维亚语"),
    ("swe", "Swedish", "瑞典语"),
    ("tgl", "Tagalog", "他加禄语"),
    ("tuk", "Turkmen", "土库曼语"),
    ("tur", "Turkish", "土耳其语"),
    ("ukr", "Ukrainian", "乌克兰语"),
    ("urd", "Urdu", "乌尔都语"),
    ("uzb", "Uzbek", "乌兹别克语"),
    ("vie", "Vietnamese", "越南语"),
];
