import { isJsonObject, type Json } from '../json.ts';
import type { Decision } from './verdict.ts';

/** What the audit log says of a request to decide whose sender a token had proved. */
export interface DecisionProof {
  readonly id: string;
  readonly actor: string;
  readonly actorSource: string;
  readonly action: string;
  readonly runId: string | null;
  readonly detail: Json;
}

type Proved = Omit<Decision, 'actorSource'>;

export function proofId(runId: string, decisionId: string): string {
  return `proof:${runId}:${decisionId}`;
}

/** Written by the server, in PostgreSQL, before the decision is sent through Temporal. */
export function proofOf(runId: string, decision: Proved, tokenId: string): DecisionProof {
  const { id, outcome, actor, reason, digest, override } = decision;
  return {
    id: proofId(runId, id),
    actor,
    actorSource: 'token',
    action: `${outcome}_requested`,
    runId,
    detail: { reason, digest, override, tokenId },
  };
}

/** How the actor of a decision is known: `token` only with its proof, whatever the message said. */
export function provenSource(
  proof: DecisionProof | null,
  runId: string,
  decision: Decision,
): Decision['actorSource'] {
  if (proves(proof, runId, decision)) return 'token';
  return decision.actorSource === 'signal' ? 'signal' : 'local';
}

/** Whether the proof is of exactly this decision: the same words by the same person on the same evidence. */
export function proves(proof: DecisionProof | null, runId: string, decision: Proved): boolean {
  if (proof === null || proof.actorSource !== 'token' || !isJsonObject(proof.detail)) return false;
  const { reason, digest, override } = proof.detail;
  return (
    proof.id === proofId(runId, decision.id) &&
    proof.runId === runId &&
    proof.actor === decision.actor &&
    proof.action === `${decision.outcome}_requested` &&
    reason === decision.reason &&
    digest === decision.digest &&
    override === decision.override
  );
}
