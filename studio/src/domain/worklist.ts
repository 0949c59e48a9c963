// Order and counts of the findings to decide.

import type { Decided, Decision, Example, Finding } from '../api/types';

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

/** What is looked for: a fault, of several senses in one of them. */
export function kindOf({ fault, sense }: { fault: string; sense?: string | null }): string {
  return sense == null ? fault : `${fault} ${sense}`;
}

/** Kinds of findings with how many of each are still open, in the order they first appear. */
export function kinds(findings: readonly Finding[]): { kind: string; title: string; open: number }[] {
  const byKind = new Map<string, { kind: string; title: string; open: number }>();
  for (const finding of findings) {
    const kind = kindOf(finding);
    const counted = byKind.get(kind) ?? { kind, title: finding.title, open: 0 };
    counted.open += Number(finding.decision === null);
    byKind.set(kind, counted);
  }
  return [...byKind.values()];
}
