// Made tables of texts for the tests.

const WHEN = ['since Monday', 'after the update', 'on holiday', 'in the rain'];
/** What is said, and what it is about: several labels. */
const SAID = /** @type {const} */ ([
  ['The screen is cracked', 'screen'], ['My display flickers', 'screen'], ['The battery is empty by noon', 'battery'], ['It does not charge', 'battery'],
  ['The touch screen and the battery gave up', 'battery|screen'], ['Nobody answers the phone', 'service'], ['I was billed twice', 'service'],
]);

/** Texts with several labels, enough of them for the quick model; one label is wrong, and the last ones have none. */
export function complaints() {
  const rows = WHEN.flatMap((when) => SAID.map(([text, labels]) => [`${text} ${when}`, labels]));
  return table(rows.map(([text, labels], i) => [text ?? '', i < 22 ? (i === 3 ? 'screen' : (labels ?? '')) : '']));
}

/** Texts with the hours that each took; the last ones have none. */
export function hours() {
  const work = /** @type {[string, number][]} */ ([['Changed a fuse', 0.5], ['Replaced the motor', 4], ['Painted the whole fence', 9], ['Cleaned the filter', 1]]);
  const rows = WHEN.concat('in the cellar', 'on the roof').flatMap((when, i) => work.map(([what, n]) => [`${what} ${when}`, (n + i / 10).toFixed(1)]));
  return table(rows.map(([text, n], i) => [text ?? '', i < 20 ? (n ?? '') : '']));
}

/** Texts in Chinese of two classes. */
export function chinese() {
  const said = [['屏幕碎了', '屏幕'], ['屏幕一直闪', '屏幕'], ['电池一天要充三次', '电池'], ['电池充不进电', '电池']];
  const when = ['今天早上', '更新以后', '昨天晚上', '在路上'];
  return table(when.flatMap((at) => said.map(([text, label]) => [`${at}${text}`, label ?? ''])));
}

/** @param {string[][]} rows */
function table(rows) {
  return `text,label\n${rows.map((row) => row.map((cell) => `"${cell}"`).join(',')).join('\n')}\n`;
}
