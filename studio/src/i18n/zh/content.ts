import type { content as en } from '../en/content';

export const content: Record<keyof typeof en, string> = {
  'content.video.unplayable': '这个浏览器放不了这段视频。以下是其中四帧：',
  'content.video.frames': '{name} 的四帧画面，按先后排列',
  'content.download': '下载文件',
  'content.series.drawing': '{name} 各传感器随时间的变化',
  'content.series.sensor': '{name}：从 {low} 到 {high}',
  'content.series.steps': '{n} 个时间点',
  'content.series.rate': '{n} 个时间点，{seconds} 秒',
  'content.missing': '缺失',

  'try.drop.video': '把视频拖到这里',
  'try.drop.series': '把传感器序列拖到这里',
  'try.drop.series.text': '一张各传感器随时间变化的表格：CSV、JSON 或 Parquet。',
  'try.senses.text': '有什么就给什么，缺的可以空着。',
  'try.senses.file': '为 {name} 选择文件',
  'try.senses.clear': '去掉 {name}',
  'try.senses.relied': '这个答案依据什么',
  'try.senses.absent': '没有提供',
  'piece.between': '{file}，{start} – {end}',
  'piece.rest': '{file}，{start} 起',
  'try.stretches': '{n} 个区段',
  'try.stretches.text': '它比学过的片段长得多，所以每个区段各有答案。点一下就能听。',
  'try.stretches.play': '播放 {from} 到 {to}：{answer}',
};
