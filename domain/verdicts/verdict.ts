/** `promote`: the winner may take over. `hold`: nothing is good enough. `inconclusive`: it cannot be told. */
export type VerdictOutcome = 'promote' | 'hold' | 'inconclusive';

/** What the evidence says. It advises: a person decides. */
export interface Verdict {
  readonly outcome: VerdictOutcome;
  /** The best challenger, also on `hold` when one was measured; that is what `--override` would promote. */
  readonly winner?: { readonly experimentId: string; readonly candidate: string; readonly strategy: string };
  /** One sentence with the numbers it rests on. */
  readonly reason: string;
  readonly primaryMetric: string;
  readonly threshold: number;
}

export type DecisionOutcome = 'approve' | 'reject';
/** Where an approval gate stands. Expiry means no. */
export type GateStatus = 'pending' | 'approved' | 'rejected' | 'expired' | 'superseded';

/** A named person's decision on one exact digest of evidence. */
export interface Decision {
  /** Idempotency id: the same id decides once. */
  readonly id: string;
  readonly outcome: DecisionOutcome;
  /** Who; a claim unless a token proved it (`actorSource`). */
  readonly actor: string;
  readonly actorSource: 'local' | 'signal' | 'token';
  readonly reason: string;
  readonly digest: string;
  /** Promote although the verdict is not `promote`. */
  readonly override: boolean;
}
