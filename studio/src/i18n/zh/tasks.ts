import type { tasks as en } from '../en/tasks';

export const tasks: Record<keyof typeof en, string> = {
  'task': '答案是什么',
  'task.class': '单个类别',
  'task.class.text': '每个样本只属于其中一类。',
  'task.classes': '多个标签',
  'task.classes.text': '可以同时有几个标签，也可以一个都没有。',
  'task.number': '数值',
  'task.number.text': '每个样本一个数，例如重量或等级。',
  'task.fixed': '还没有标注时可以更改。',
  'task.none': '都不符合',
  'task.none.give': '都不符合',
  'task.save': '保存并继续',
  'task.toggle': '{name}：选中或取消',
  'task.value': '数值',
  'task.value.hint': '输入数字，按回车。↑ 和 ↓ 改变末位。',
  'task.value.range': '目前从 {low} 到 {high}',
  'task.value.wrong': '这不是数字。',
  'task.value.first': '请始终使用同一个单位。',
  'task.n.values': '{n} 个数值',
};
