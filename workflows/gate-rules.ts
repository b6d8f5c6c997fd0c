import type { Decision, GateStatus, VerdictOutcome } from '../domain/verdicts/verdict.ts';

export interface GateState {
  readonly status: GateStatus;
  readonly digest: string;
  readonly verdict: VerdictOutcome;
  /** Who may decide; anyone when empty. */
  readonly approvers: readonly string[];
}

/** Why the gate does not take the decision, in words for the person who made it; null when it does. */
export function refusalOf(gate: GateState, decision: Decision): string | null {
  if (gate.status !== 'pending') return `This gate is closed: ${gate.status}.`;
  if (decision.outcome !== 'approve' && decision.outcome !== 'reject') {
    return `outcome is "${String(decision.outcome)}"; it must be "approve" or "reject".`;
  }
  if (decision.digest !== gate.digest) {
    return `The decision is about evidence ${short(decision.digest)}, but this gate holds ${short(gate.digest)}. Look at the run again and decide on its digest.`;
  }
  if (!decision.actor) return 'A decision needs the name of who decides (actor).';
  if (gate.approvers.length > 0 && !gate.approvers.includes(decision.actor)) {
    return `${decision.actor} may not decide here: the workload's policy names ${gate.approvers.join(', ')}.`;
  }
  if (!decision.reason) return 'A decision needs a reason.';
  if (decision.outcome === 'approve' && gate.verdict !== 'promote' && !decision.override) {
    return `The verdict is ${gate.verdict}, not promote. Approving all the same needs an override, which is audited and shown for ever.`;
  }
  return null;
}

function short(digest: string): string {
  return digest ? digest.slice(0, 12) : '(none)';
}
