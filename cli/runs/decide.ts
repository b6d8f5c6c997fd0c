import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { RunView } from '../../activities/ports/lineage.ts';
import type { DecisionOutcome } from '../../domain/verdicts/verdict.ts';
import { type DecideResult, decideUpdate, type RolloutResult } from '../../workflows/messages.ts';
import { gateId } from '../../workflows/workflow-ids.ts';
import { CommandError } from '../command-error.ts';
import { answeredByWorker } from './answered-by-worker.ts';

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
      next: run.status === 'running' ? `npx flywheel watch ${runId}` : `npx flywheel show ${runId}`,
    });
  if (run.approval && run.approval.status !== 'pending')
    throw new CommandError(`Run ${runId} is already ${run.approval.status}.`, {
      code: 'conflict',
      next: `npx flywheel show ${runId}`,
    });
  if (wish.outcome === 'approve' && run.verdict?.outcome !== 'promote' && !wish.override)
    throw new CommandError(
      `The verdict of run ${runId} is ${run.verdict?.outcome ?? 'missing'}, not promote.`,
      {
        code: 'needs_override',
        next: 'To promote all the same, which is audited and shown for ever, add --override.',
      },
    );
  const id = randomUUID();
  return answeredByWorker(
    client.workflow.getHandle(gateId(runId)).executeUpdate(decideUpdate, {
      updateId: id,
      args: [{ ...wish, id, actorSource: 'local', digest }],
    }),
    'The decision was sent',
  );
}

/** Waits until the route has moved, or was restored because the move could not be proven. */
export async function awaitRollout(client: Client, workflowId: string): Promise<RolloutResult> {
  return (await client.workflow.getHandle(workflowId).result()) as RolloutResult;
}
