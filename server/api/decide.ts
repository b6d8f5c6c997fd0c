import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Lineage } from '../../activities/ports/lineage.ts';
import { ConflictError } from '../../domain/errors.ts';
import { sha256 } from '../../domain/hash.ts';
import { proofId, proofOf, proves } from '../../domain/verdicts/proof.ts';
import type { Decision, GateStatus } from '../../domain/verdicts/verdict.ts';
import type { DecideResult, StartedRollout } from '../../workflows/messages.ts';
import type { Caller } from '../auth/access.ts';
import type { AddEndpoint } from '../auth/guard.ts';
import { RequestError } from '../openai-error.ts';
import { type BodyOptions, readBody } from './read-body.ts';
import { storableText } from './storable-text.ts';

export interface DecideOptions extends BodyOptions {
  readonly lineage: {
    readonly runs: Pick<Lineage['runs'], 'view'>;
    readonly audit: Pick<Lineage['audit'], 'append' | 'find'>;
  };
  /** Throws `ConflictError` where the gate does not take it. */
  readonly sendDecision: (runId: string, decision: Omit<Decision, 'actorSource'>) => Promise<DecideResult>;
}

const Request = z.strictObject({
  outcome: z.enum(['approve', 'reject']),
  reason: storableText.min(1, 'must not be empty').max(2_000),
  /** Of the evidence that was looked at: `GET /v1/runs/<run>` shows it. */
  digest: z.string().min(1),
  override: z.boolean().default(false),
  /** Only without tokens: a claim, stored as one. */
  actor: storableText.min(1).max(200).optional(),
});

/** `POST /v1/runs/<run>/decision`: a person's yes or no to exactly the evidence that the digest names. */
export function addDecide(on: AddEndpoint, options: DecideOptions): void {
  on('POST', '/v1/runs/:run/decision', 'approve', async (context, caller) => {
    const runId = context.req.param('run') ?? '';
    const { actor: claimed, ...wish } = await readBody(context.req.raw, Request, options);
    const actor = actorOf(caller, claimed);
    const key = context.req.header('idempotency-key');
    const decision = { id: decisionId(runId, actor, key), ...wish, actor };
    return context.json(await decide(runId, decision, caller, options));
  });
}

interface Decided {
  readonly runId: string;
  readonly workload: string;
  readonly status: GateStatus;
  readonly digest: string;
  readonly actor: string;
  readonly actorSource: Caller['source'];
  /** The workflow that moves the route, once approved and unless another move is in its way. */
  readonly rollout?: StartedRollout;
}

async function decide(
  runId: string,
  decision: Omit<Decision, 'actorSource'>,
  caller: Caller,
  { lineage, sendDecision }: DecideOptions,
): Promise<Decided> {
  const run = await lineage.runs.view(runId);
  const facts = { runId, workload: run.workload, digest: decision.digest };
  const who = { actor: decision.actor, actorSource: caller.source };
  if (run.digest === null)
    throw new ConflictError(`Run ${runId} has no verdict to decide on; it is ${run.status}.`);
  if (run.approval && run.approval.status !== 'pending') {
    // The same request again, whose answer got lost.
    if (await lineage.audit.find(`decision:${runId}:${decision.id}`))
      return { ...facts, status: run.approval.status, ...who };
    throw new ConflictError(`Run ${runId} is already ${run.approval.status}.`);
  }
  if (caller.tokenId !== null) await prove(runId, run.workload, decision, caller.tokenId, lineage.audit);
  const result = await sendDecision(runId, decision);
  return {
    ...facts,
    status: result.status,
    ...who,
    ...(result.rollout && { rollout: result.rollout }),
  };
}

/** Whoever can write to Temporal can send a decision in any name, but cannot write this. */
async function prove(
  runId: string,
  workloadId: string,
  decision: Omit<Decision, 'actorSource'>,
  tokenId: string,
  audit: DecideOptions['lineage']['audit'],
): Promise<void> {
  await audit.append({ workloadId, ...proofOf(runId, decision, tokenId) });
  if (proves(await audit.find(proofId(runId, decision.id)), runId, decision)) return;
  throw new ConflictError('The Idempotency-Key was used before, for another decision. Send a new one.');
}

function actorOf(caller: Caller, claimed: string | undefined): string {
  if (caller.client === null) {
    if (claimed !== undefined) return claimed;
    throw new RequestError({
      status: 400,
      code: 'missing_actor',
      message: 'actor is missing. Without tokens a decision has to say who makes it.',
      param: 'actor',
    });
  }
  if (claimed === undefined || claimed === caller.client) return caller.client;
  throw new RequestError({
    status: 403,
    code: 'actor_mismatch',
    message: `actor says "${claimed}", but the token is of "${caller.client}". Leave actor out: the token tells it.`,
    param: 'actor',
  });
}

function decisionId(runId: string, actor: string, key: string | undefined): string {
  return key ? `dec_${sha256([runId, actor, key].join('\n')).slice(0, 32)}` : randomUUID();
}
