//! The command's help in Chinese: one table, looked up by the path of the command or argument.

use clap::builder::Resettable;
use clap::{Command, CommandFactory};
use pipeline::Lang;

use crate::args::Arguments;

/// Arguments that are also read from variables.
const VARIABLES: [(&str, &str); 3] =
    [("cache", "DIANJING_CACHE"), ("threads", "DIANJING_THREADS"), ("engine", "DIANJING_ENGINE")];

/// The command with help texts in the reader's language. A variable that is set to nothing counts as not set.
pub(crate) fn command(lang: Lang) -> Command {
    let is_empty = |variable: &str| std::env::var_os(variable).is_some_and(|value| value.is_empty());
    let empty = VARIABLES.into_iter().filter(|(_, variable)| is_empty(variable));
    let command = empty.fold(Arguments::command(), |command, (id, _)| {
        command.mut_arg(id, |argument| argument.env(Resettable::Reset))
    });
    match lang {
        Lang::En => command,
        Lang::Zh => translate(command, "dianjing"),
    }
}

fn translate(mut command: Command, path: &str) -> Command {
    if let Some(text) = look_up(path) {
        command = command.about(text);
    }
    let arguments: Vec<String> =
        command.get_arguments().map(|argument| argument.get_id().to_string()).collect();
    for id in arguments {
        if let Some(text) = look_up(&format!("{path} {id}")).or_else(|| look_up(&id)) {
            command = command.mut_arg(&id, |argument| argument.help(text));
        }
    }
    let verbs: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    for verb in verbs {
        let path = format!("{path} {verb}");
        command = command.mut_subcommand(&verb, |verb| translate(verb, &path));
    }
    command
}

fn look_up(key: &str) -> Option<&'static str> {
    TEXTS.iter().find(|(known, _)| *known == key).map(|(_, text)| *text)
}

/// Commands by their path, arguments by their id (with the path before it where one id has several meanings).
const TEXTS: &[(&str, &str)] = &[
    ("dianjing", "点睛：用你自己的少量样本，做出精准的小模型"),
    ("dianjing tune", "用带标注的样本做出小模型，并给出报告"),
    ("dianjing audit", "检查数据集中哪里不对、先改什么"),
    ("dianjing audit data", "带标注的样本，tune 能读的任何形式"),
    ("dianjing studio", "在浏览器中打开工作台：导入数据、标注、检查、调校、试用、部署"),
    ("dianjing studio dir", "数据、标注和模型保存在此文件夹（默认：用户数据目录下的 dianjing）"),
    ("port", "监听本机的这个端口；0 表示自动选择空闲端口"),
    (
        "phone",
        "同时允许同一网络中的手机等设备进入，每台设备使用工作台所示的一枚二维码；连接未加密（HTTP），请仅在可信网络中使用",
    ),
    ("no_open", "只打印地址，不打开浏览器"),
    ("dianjing serve", "通过 HTTP 为团队提供同样的工作台，并为程序提供模型"),
    (
        "dianjing serve dir",
        "文件和模型（未指定 --database 时包括全部内容）保存在此文件夹（默认：用户数据目录下的 dianjing）",
    ),
    ("listen", "监听此地址"),
    ("database", "使用此 PostgreSQL 数据库，例如 postgres://user@host/name"),
    ("store", "文件保存在此对象存储，例如 s3://bucket/folder；密钥取自环境变量，如 AWS_ACCESS_KEY_ID"),
    ("max_copies", "对象存储中文件的本地副本最多占用文件夹这么多字节，例如 50G（默认不限）"),
    ("workers", "同时执行这么多个耗时任务"),
    ("max_rate", "每人（及其程序）以及登录前的每个地址每秒最多这么多请求，可一次用掉五秒的量；0 表示不限"),
    (
        "max_connections",
        "同一地址（IPv6 按同一网段计）最多同时打开这么多连接，来自本机及本机代理的连接除外；0 表示不限",
    ),
    ("max_examples", "每个租户最多这么多样本（默认不限）"),
    ("max_bytes", "每个租户的文件和文本最多占用这么多字节，例如 50G（默认不限）"),
    (
        "oidc_issuer",
        "允许使用此 OpenID Connect 登录服务登录，例如 https://accounts.example.com；其密钥取自环境变量 DIANJING_OIDC_SECRET",
    ),
    ("log_format", "日志（输出到 stderr）的格式：供人阅读的 text，或供程序读取的 json"),
    ("oidc_client_id", "在该登录服务中的客户端 ID"),
    ("oidc_name", "登录按钮上显示的服务名称（默认：其地址中的主机名）"),
    ("oidc_domain", "凡在该登录服务中拥有此域名下已验证邮箱者，均可作为第一个团队的查看者进入"),
    ("openapi", "改为打印接口的 OpenAPI 文档"),
    ("dianjing align", "用配对样本对齐两种感官，以便互相搜索"),
    ("dianjing align data", "配对样本的表格：CSV、TSV、JSONL 或 Parquet"),
    ("dianjing align out", "模型包写到这里（默认：当前文件夹下的 名称.djm；名称不带 .djm 则写成文件夹）"),
    ("left", "配对左边所在的列（默认：第一个有内容的列）"),
    ("right", "配对右边所在的列"),
    ("dianjing align base", "两边都用这个底座：它看图和读文字的两个网络在同一空间里"),
    ("left_base", "左边使用的底座（默认按数据种类选择，见 dianjing base list）"),
    ("right_base", "右边使用的底座"),
    ("dianjing search", "用一种感官的内容搜索另一种感官的文件，或用文字为其命名"),
    ("dianjing search bundle", "dianjing align 做出的模型包；用 --base 时是第一个搜索位置"),
    ("dianjing search base", "不用模型包，直接用这个底座同一空间里的两个网络来搜索（见 dianjing base list）"),
    ("among", "在这些文件、文件夹或表格中搜索"),
    ("dianjing search text", "按这些文字搜索"),
    ("like", "按这个文件搜索"),
    ("names", "改为给每个文件取其中最合适的名称（零样本）"),
    ("from", "两边种类相同时，按配对的这一边搜索"),
    ("top", "显示这么多个"),
    ("dianjing select", "选出接下来最值得标注的样本，并逐个说明理由"),
    ("dianjing select data", "待选样本：文件夹或表格；有标注的行和类别文件夹视为已标注"),
    ("budget", "选这么多个；与 --cost 同用时，总成本不超过此值"),
    ("labelled", "已标注的样本；此时 DATA 全部视为未标注"),
    ("model", "按此模型包拿不准的程度来选（默认：用已标注样本建立模型）"),
    (
        "method",
        "选择方法：centroids、typiclust、probcover、k-centre、facility-location、margin、random（默认自动）",
    ),
    ("cost", "表格中标注成本所在的列，例如秒数"),
    ("half_random", "一半随机抽取，用于评估（使用模型时默认如此）"),
    ("all_chosen", "全部按方法选，不随机抽取"),
    ("worth", "再标 100 个提高的正确率低于此比例时，建议停止"),
    ("dianjing select base", "使用这个底座（默认：模型包的底座，或按数据种类选择，见 dianjing base list）"),
    ("dianjing select out", "每个选出的样本一行，写到这里：.csv、.parquet 或 .json"),
    ("dianjing consensus", "把多位标注员的投票合成一个标注，并评估每位标注员"),
    ("votes", "每行一票的表格：样本、标注员、标注"),
    ("item", "样本所在的列"),
    ("examples", "让模型也投票：它从这些样本的票学起；题目按文件名或编号对应"),
    ("time", "投票时间所在的列；由此看出谁变好、谁变差"),
    ("scale", "两个标注之差的含义：nominal（名称）、ordinal（有顺序）、interval（数值）"),
    ("ask", "列出这么多个最需要再问的样本"),
    ("dianjing consensus out", "每个样本一行，写到这里：.csv、.parquet 或 .json"),
    ("labels", "改为检查 numpy.save 保存的标注：类别编号、0/1 表格、数值、像素类别"),
    ("pred_probs", "用这些折外概率来判断，每类一列；数值则为预测值"),
    ("lengths", "把标注当作词的标注：每句有多少个词"),
    ("boxes", "检查标注框：COCO 数据集"),
    ("detections", "用这些检测结果来判断：未用它们训练过的检测器的 COCO 结果"),
    ("features", "用这些特征查找相似、重复和离群样本"),
    ("skip", "不检查这一项；多项用逗号分隔"),
    ("dianjing audit out", "每个样本一行，写到这里：.csv、.parquet 或 .json"),
    ("dianjing apply", "把检查结果落实为数据的新修订版；旧数据保持原样"),
    ("findings", "dianjing audit DATA --out findings.json 写出的文件"),
    ("accept", "落实这些发现：编号、范围（如 3-9）、7=标注（裁定标注）、问题名称，或 all"),
    ("interactive", "逐个询问"),
    ("dianjing apply data", "数据所在位置（默认：检查时的位置）"),
    ("dianjing audit rules", "按这本标签手册检查标注"),
    ("dianjing apply rules", "把裁定的规则写入这本标签手册：JSON，旁边另有可读的页面"),
    ("author", "裁定人的姓名，写入标签手册"),
    ("dianjing apply base", "用这个底座来衡量效果（默认按数据类型选择）"),
    ("dianjing apply out", "新修订版以 CSV 写到这里；该文件须尚不存在"),
    ("dianjing review", "看几个检查发现，得知全部之中有多少是对的"),
    ("dianjing review findings", "dianjing audit 数据 --out findings.json 写出的文件"),
    ("dianjing review fault", "看这一类问题的发现"),
    ("dianjing review answers", "看这么多个，从整个列表中随机抽取"),
    ("dianjing review verdicts", "不逐个询问，从表格读入回答：number, verdict（right、wrong、unclear）"),
    ("dianjing review seed", "同一个数取出同样的发现（默认：沿用已有回答的，否则为 0）"),
    ("dianjing audit report", "把附有证据的报告页写到这里"),
    ("fail_on_findings", "有任何发现时以 3 退出"),
    ("dianjing inspect", "用良品的照片、声音或传感器序列做出缺陷检测器，并保证误报率上限"),
    ("dianjing inspect data", "良品照片：文件夹、含“良品”的类别文件夹、MVTec 布局，或路径表格"),
    ("false_alarms", "良品中至多这一比例会误报"),
    ("confidence", "以此置信度保证上述承诺"),
    ("miss_cost", "有缺陷标注后，一次漏检相当于多少次误报"),
    ("defect_share", "预计有缺陷的零件所占比例；与 --miss-cost 一起使用"),
    ("mm_per_pixel", "每像素多少毫米，用于以毫米报告尺寸"),
    ("without_background", "涂掉零件以外的背景（照片边缘须是均匀的背景）"),
    ("smallest_defect", "看得足够细，能发现这么多像素宽的缺陷（默认：与标出的缺陷一样小）"),
    ("orientation", "零件换个方向放是否仍是良品：free（是）或 matters（否）；默认自动判断"),
    ("detectors", "只用这些检测方式，不自动选择：surface、shape、detail、residual、place、whole、pixels"),
    ("dianjing inspect out", "模型包写到这里（默认：当前文件夹下的 名称.djm；名称不带 .djm 则写成文件夹）"),
    ("dianjing inspect label", "判定所在的列：良品，或缺陷种类"),
    ("dianjing inspect group", "此列取值相同的照片只算一个（批次、相机、连拍）"),
    ("mask", "掩膜路径所在的列"),
    ("leave_out", "排除这个样本（经人查看确有问题）：按报告中的写法填写，可重复"),
    ("group_by_folder", "类别文件夹下同一子文件夹的照片只算一个（批次、相机、连拍）"),
    ("heatmaps", "把每张照片的热图（图片和 16 位数值）写到此文件夹（仅检测器）"),
    ("false_discoveries", "把所有照片作为一批来判：判为缺陷的照片中，平均至多这一比例其实是良品（仅检测器）"),
    ("regions", "把标出的区域写成 COCO 文件（仅检测器）"),
    ("dianjing predict", "让模型判断文件、文件夹或文本"),
    ("dianjing evaluate", "用模型没见过的带标注样本来测量它"),
    ("dianjing export", "把底座和头（或检测器）写成一个 ONNX 图"),
    ("dianjing base", "列出、下载、搬运和检查预训练底座"),
    ("dianjing base list", "列出已知的底座及其是否就绪"),
    ("dianjing base pull", "下载一个底座到缓存"),
    ("dianjing base import", "从文件夹或 base export 写出的 .tar 导入底座"),
    ("dianjing base export", "把底座写成一个 .tar，供没有网络的机器使用"),
    ("dianjing base info", "显示一个底座的信息"),
    ("dianjing sign", "为模型包签名（minisign 格式）"),
    ("dianjing verify", "检查模型包的每个字节；给出公钥时也检查签名"),
    ("dianjing doctor", "检查本机：缓存、底座、包客户端、核心数"),
    ("dianjing config", "显示每项设置及其来源"),
    ("dianjing config show", "显示每项设置、取值及来源"),
    ("dianjing completions", "打印 shell 的补全脚本"),
    ("json", "在标准输出打印 JSON 数据"),
    ("quiet", "除错误外不输出"),
    ("verbose", "输出内部日志；写两次更详细"),
    ("cache", "底座和特征存放的文件夹"),
    ("offline", "绝不使用网络"),
    ("threads", "工作线程数（默认每核一个）"),
    ("engine", "运行网络的引擎"),
    ("dianjing tune data", "类别文件夹、CSV、TSV、JSONL、Parquet，或带 metadata 的文件夹"),
    ("dianjing tune out", "模型包写到这里（默认：当前文件夹下的 名称.djm；名称不带 .djm 则写成文件夹）"),
    ("dianjing base export out", ".tar 写到这里（默认：ID.tar）"),
    ("dianjing base import path", "文件夹或 .tar 文件"),
    ("base", "使用这个底座（默认按数据种类选择，见 dianjing base list）"),
    ("report", "报告写到这里（默认：与模型包放在一起）"),
    ("errors", "没把握就答“不确定”，使答错的比例不超过此值"),
    ("no_words", "只看底座向量，不统计词（文本；导出 ONNX 时需要）"),
    ("seed", "同一数字可完全重现一次运行"),
    ("text", "文本所在的列；给出多列即为多种感官"),
    ("image", "图片路径所在的列；给出多列即为多种感官"),
    ("sound", "声音文件路径所在的列；给出多列即为多种感官"),
    ("video", "视频文件路径所在的列；给出多列即为多种感官"),
    ("series", "传感器序列（各为一张表）路径所在的列；给出多列即为多种感官"),
    ("label", "标注所在的列"),
    ("group", "此列取值相同的样本始终放在一起（零件、批次、相机、作者）"),
    ("annotator", "标注员姓名所在的列"),
    ("part", "训练、验证或测试所在的列"),
    ("task", "指定任务种类，不自动判断"),
    ("separator", "一格内多个标注的分隔符"),
    ("bundle", "模型包：.djm 文件或文件夹"),
    ("inputs", "文件、文件夹或表格；- 表示从标准输入逐行读取文本"),
    ("fail_on_unsure", "有任何不确定的结果、报警或判为缺陷时以 3 退出"),
    ("dianjing evaluate data", "带标注的样本，tune 能读的任何形式"),
    ("onnx", "ONNX 图写到这里"),
    ("size", "检测器的图所接受的照片尺寸（像素），如 1280x1024（仅检测器需要）"),
    ("id", "它的编号，见 dianjing base list"),
    ("accept_terms", "接受需要确认的许可条款"),
    ("dianjing sign key", "私钥文件；不存在时自动生成，公钥 .pub 放在旁边"),
    ("dianjing verify key", "用这个公钥文件检查旁边的 .minisig"),
    ("shell", "要补全的 shell"),
    ("help", "显示帮助"),
    ("version", "显示版本"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(command: &Command, path: &str, out: &mut Vec<String>) {
        out.extend(look_up(path).is_none().then(|| path.to_owned()));
        for argument in command.get_arguments() {
            let id = argument.get_id().as_str();
            if look_up(&format!("{path} {id}")).or_else(|| look_up(id)).is_none() {
                out.push(format!("{path} {id}"));
            }
        }
        command.get_subcommands().for_each(|verb| missing(verb, &format!("{path} {}", verb.get_name()), out));
    }

    #[test]
    fn every_help_text_is_translated() {
        let mut untranslated = Vec::new();
        missing(&Arguments::command(), "dianjing", &mut untranslated);
        assert_eq!(untranslated, Vec::<String>::new());
    }

    #[test]
    fn the_translated_command_is_still_sound() {
        command(Lang::Zh).debug_assert();
    }
}
