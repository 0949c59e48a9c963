export const content = {
  'content.video.unplayable': 'This browser cannot play this video. Four of its frames:',
  'content.video.frames': 'Four frames of {name}, in order',
  'content.download': 'Download the file',
  'content.series.drawing': 'The sensors of {name} over time',
  'content.series.sensor': '{name}: from {low} to {high}',
  'content.series.steps': '{n} {n|step|steps}',
  'content.series.rate': '{n} {n|step|steps}, {seconds} s',
  'content.missing': 'missing',

  'try.drop.video': 'Drop a video here',
  'try.drop.series': 'Drop a series here',
  'try.drop.series.text': 'A table of sensors over time: CSV, JSON or Parquet.',
  'try.senses.text': 'Give what you have. What is missing may stay empty.',
  'try.senses.file': 'Choose a file for {name}',
  'try.senses.clear': 'Take {name} away',
  'try.senses.relied': 'What the answer rests on',
  'try.senses.absent': 'not there',
} as const;
