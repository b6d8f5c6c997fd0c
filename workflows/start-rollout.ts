import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ApplicationFailure,
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  sleep,
  startChild,
} from '@temporalio/workflow';
import type { Decision } from '../domain/verdicts/verdict.ts';
import type { GateInput, StartedRollout } from './messages.ts';
import { rollout } from './rollout.ts';
import { initialAttributes } from './search-attributes.ts';
import { workflowQueue } from './task-queues.ts';
import { promotionMoveId, rolloutId } from './workflow-ids.ts';

/** A move takes minutes at most; a day of them in one's way means that something is stuck. */
const patienceMs = 24 * 60 * 60 * 1000;
const longestPauseMs = 60_000;

/** Starts the approved move, after the one that may be under way: one route never has two. */
export async function startRollout(gate: GateInput, decision: Decision): Promise<StartedRollout> {
  const { runId, workloadId, digest } = gate;
  const workflowId = rolloutId(workloadId);
  const until = Date.now() + patienceMs;
  for (let pauseMs = 1_000; Date.now() < until; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      const { firstExecutionRunId } = await startChild(rollout, {
        workflowId,
        taskQueue: workflowQueue,
        args: [
          {
            workloadId,
            runId,
            digest,
            moveId: promotionMoveId(runId),
            kind: 'promotion',
            actor: decision.actor,
            reason: decision.reason,
            ...(gate.flags ? { flags: gate.flags } : {}),
          },
        ],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        cancellationType: ChildWorkflowCancellationType.ABANDON,
        typedSearchAttributes: initialAttributes(workloadId, 'moving'),
        staticSummary: `Promote ${gate.verdict.winner?.candidate} × ${gate.verdict.winner?.strategy} for ${workloadId}`,
      });
      return { workflowId, executionId: firstExecutionRunId };
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      await sleep(pauseMs, { summary: 'another move of this route is under way' });
    }
  }
  throw ApplicationFailure.nonRetryable(
    `Approved, but not moved: ${workflowId} has been under way for a day. End it, then run ${workloadId} again and approve that run.`,
    'ConflictError',
  );
}
