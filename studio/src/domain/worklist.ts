// Order and counts of the findings to decide.

import type { Decided, Decision, Example, Finding, FindingKind } from '../api/types';

export const outcome: Record<Decision, Decided> = { relabel: 'relabelled', keep: 'kept', remove: 'removed', rule: 'ruled' };

export function undecided(findings: readonly { decision: unknown }[]): number {
  return findings.filter((finding) => finding.decision === null).length;
}

/** Where to go on after deciding the finding at `from`: the next open one, also from the top; null when all are decided. */
export function nextOpen(findings: readonly { decision: unknown }[], from: number): number | null {
  for (let i = 1; i <= findings.length; i += 1) {
    const at = (from + i) % findings.length;
    if (findings[at]?.decision === null) return at;
  }
  return null;
}

/** Whether it may be kept as it is: a rule that was decided on is taken back by an editor only. */
export function mayKeep({ decision }: Pick<Finding, 'decision'>, isEditor: boolean): boolean {
  return decision !== 'ruled' || isEditor;
}

/** The examples of a case by the label they have now: its two classes first. */
export function sides({ conflict, examples }: Pick<Finding, 'conflict' | 'examples'>): { label: string | null; examples: Example[] }[] {
  const labels = [...new Set([conflict?.a ?? null, conflict?.b ?? null, ...examples.map((one) => one.label)])];
  return labels.map((label) => ({ label, examples: examples.filter((one) => one.label === label) })).filter((side) => side.examples.length > 0);
}

/** Whether what is advised takes examples that are not there yet. */
export function asksForMore(action: string): boolean {
  return action === 'collect_more' || action === 'collect_similar';
}

/** What is looked for: a fault, of several senses in one of them. */
export function kindOf({ fault, sense }: { fault: string; sense?: string | null }): string {
  return sense == null ? fault : `${fault} ${sense}`;
}

type Counted = Pick<FindingKind, 'fault' | 'sense' | 'n' | 'n_open'>;

/** How many findings there are of one kind, or of all (empty), and how many of them are open. */
export function counted(kinds: readonly Counted[], kind: string): { total: number; left: number } {
  const these = kinds.filter((one) => kind === '' || kindOf(one) === kind);
  return { total: these.reduce((sum, one) => sum + one.n, 0), left: these.reduce((sum, one) => sum + one.n_open, 0) };
}

/** The counts once a finding is otherwise. */
export function recounted<Kind extends Counted>(kinds: readonly Kind[], before: Finding, after: Finding): Kind[] {
  const more = Number(after.decision === null) - Number(before.decision === null);
  return kinds.map((one) => (kindOf(one) === kindOf(after) ? { ...one, n_open: one.n_open + more } : one));
}
