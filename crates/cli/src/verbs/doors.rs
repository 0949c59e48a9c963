//! How a phone comes into the studio, on the terminal.

use std::io::{IsTerminal as _, stderr};

use pipeline::Lang;
use server::Door;

use crate::args::Arguments;

/// Light around a code, in squares.
const QUIET: usize = 2;

/// Says how a phone comes in.
pub(super) fn say(arguments: &Arguments, doors: &[Door], lang: Lang) {
    let Some((likeliest, others)) = doors.split_first() else {
        let (en, zh) = (
            "This computer is in no network, so no phone can come in: join one, and let it in from the settings.",
            "本机未连接任何网络，手机无法进入：请先连接网络，再到“设置”中让手机进入。",
        );
        return super::say(arguments, lang.pick(en, zh));
    };
    // A code that is light on dark, as it would be without colours, is read by few phones.
    if stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) {
        super::say(arguments, &drawn(&likeliest.code));
    }
    let (en, zh) = (
        "A phone in the same network comes in here, once and within ten minutes; the settings let more in. Plain HTTP: only in networks that you trust.",
        "同一网络中的手机可由此进入（仅一次，十分钟内有效）；在“设置”中可让更多设备进入。连接未加密（HTTP）：请仅在可信网络中使用。",
    );
    super::say(arguments, lang.pick(en, zh));
    [likeliest].into_iter().chain(others).for_each(|door| super::say(arguments, &door.address));
}

/// A code for a terminal, two rows a line, dark on light whatever its colours are.
fn drawn(code: &[Vec<bool>]) -> String {
    let width = code.first().map_or(0, Vec::len) + 2 * QUIET;
    let is_dark = |row: usize, column: usize| {
        let at = |place: usize| place.checked_sub(QUIET);
        at(row).zip(at(column)).is_some_and(|(row, column)| {
            code.get(row).and_then(|row| row.get(column)).copied().unwrap_or(false)
        })
    };
    let square = |row: usize, column: usize| match (is_dark(row, column), is_dark(row + 1, column)) {
        (true, true) => '█',
        (true, false) => '▀',
        (false, true) => '▄',
        (false, false) => ' ',
    };
    let line = |row: usize| {
        format!("\x1b[30;107m{}\x1b[0m", (0..width).map(|column| square(row, column)).collect::<String>())
    };
    (0..code.len() + 2 * QUIET).step_by(2).map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::drawn;

    #[test]
    fn a_code_is_drawn_two_rows_a_line_with_light_around() {
        let code = [vec![true, false, true], vec![true, true, false], vec![false, true, true]];
        let plain = drawn(&code).replace("\x1b[30;107m", "").replace("\x1b[0m", "");
        let lines: Vec<&str> = plain.lines().collect();
        assert_eq!(lines, ["       ", "  █▄▀  ", "   ▀▀  ", "       "]);
    }
}
