import { randomUUID } from 'node:crypto';
import { type Client, WorkflowFailedError } from '@temporalio/client';
import type { RunView } from '../../activities/ports/run-lineage.ts';
import type { DecisionOutcome } from '../../domain/verdicts/verdict.ts';
import type { approvalGate } from '../../workflows/index.ts';
import {
  type DecideResult,
  decideUpdate,
  type RolloutInput,
  type RolloutResult,
} from '../../workflows/messages.ts';
import { gateId } from '../../workflows/workflow-ids.ts';
import { CommandError } from '../command-error.ts';
import { answeredByWorker } from './answered-by-worker.ts';
import { innermost } from './workflow-end.ts';

export interface DecisionWish {
  readonly outcome: DecisionOutcome;
  readonly actor: string;
  readonly reason: string;
  readonly override: boolean;
}

/** Sends a person's decision on exactly the evidence that `run` shows. */
export async function decide(client: Client, run: RunView, wish: DecisionWish): Promise<DecideResult> {
  const { runId, digest } = run;
  if (digest === null)
    throw new CommandError(`Run ${runId} has no verdict to decide on; it is ${run.status}.`, {
      code: 'no_verdict',
      next: (hint) => hint(`${run.status === 'running' ? 'watch' : 'show'} ${runId}`),
    });
  if (run.approval && run.approval.status !== 'pending')
    throw new CommandError(`Run ${runId} is already ${run.approval.status}.`, {
      code: 'conflict',
      next: (hint) => hint(`show ${runId}`),
    });
  if (wish.outcome === 'approve' && run.verdict?.outcome !== 'promote' && !wish.override)
    throw new CommandError(
      `The verdict of run ${runId} is ${run.verdict?.outcome ?? 'missing'}, not promote.`,
      {
        code: 'needs_override',
        next: 'To promote all the same, which is audited and shown for ever, add --override.',
      },
    );
  return answeredByWorker(
    client.workflow.getHandle(gateId(runId)).executeUpdate(decideUpdate, {
      updateId: randomUUID(),
      args: [{ ...wish, digest }],
    }),
    'The decision was sent',
  );
}

/** Waits until the approved move has ended: proven, or taken back. Null when nothing was approved. */
export async function awaitRollout(client: Client, decided: DecideResult): Promise<RolloutResult | null> {
  if (decided.status !== 'approved') return null;
  // Another move may be in the way; the gate starts this one after it, and ends.
  const gate = client.workflow.getHandle<typeof approvalGate>(gateId(decided.runId));
  const rollout = decided.rollout ?? (await gate.result()).rollout;
  if (!rollout) return null;
  const { workflowId, executionId } = rollout;
  return client.workflow
    .getHandle<(input: RolloutInput) => Promise<RolloutResult>>(workflowId, executionId)
    .result()
    .catch((error: unknown) => {
      throw error instanceof WorkflowFailedError ? moveLost(decided.runId, error) : error;
    });
}

function moveLost(runId: string, error: WorkflowFailedError): CommandError {
  const { message } = innermost(error);
  return new CommandError(`The move of the route was ended from outside, or failed: ${message}`, {
    code: 'move_lost',
    next: (hint) => `See where the traffic goes: ${hint(`show ${runId}`)}`,
    cause: error,
  });
}
