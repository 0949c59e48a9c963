// Order and counts of the findings to decide.

import type { Decided, Decision, Finding } from '../api/types';

export const outcome: Record<Decision, Decided> = { relabel: 'relabelled', keep: 'kept', remove: 'removed' };

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

/** Kinds of findings with how many of each are still open, in the order they first appear. */
export function kinds(findings: readonly Finding[]): { fault: string; title: string; open: number }[] {
  const byFault = new Map<string, { fault: string; title: string; open: number }>();
  for (const finding of findings) {
    const kind = byFault.get(finding.fault) ?? { fault: finding.fault, title: finding.title, open: 0 };
    kind.open += Number(finding.decision === null);
    byFault.set(finding.fault, kind);
  }
  return [...byFault.values()];
}
