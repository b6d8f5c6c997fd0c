import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ApplicationFailure,
  ChildWorkflowCancellationType,
  getExternalWorkflowHandle,
  ParentClosePolicy,
  startChild,
} from '@temporalio/workflow';
import type { RunPlan } from '../activities/plan-run.ts';
import type { ExperimentReport } from '../domain/experiments/experiment.ts';
import type { RunTrigger } from '../domain/runs/trigger.ts';
import type { Verdict } from '../domain/verdicts/verdict.ts';
import { lineage } from './activity-options.ts';
import { approvalGate } from './approval-gate.ts';
import { type GateInput, supersedeSignal } from './messages.ts';
import { initialAttributes, verdictAttribute, waitingAttribute } from './search-attributes.ts';
import { workflowQueue } from './task-queues.ts';
import { gateId } from './workflow-ids.ts';

interface NewGate {
  readonly plan: RunPlan;
  readonly trigger: RunTrigger;
  readonly verdict: Verdict;
  readonly digest: string;
  readonly leaderboard: readonly ExperimentReport[];
  readonly remark: string | null;
}

/** Opens the run's gate, leaves it to itself, and closes those of earlier runs. Returns its workflow id. */
export async function openGate(gate: NewGate): Promise<string> {
  const { plan, trigger, verdict, digest, leaderboard, remark } = gate;
  const { runId, workloadId } = plan;
  const expiresAt = new Date(Date.now() + plan.gate.ttlMs).toISOString();
  await lineage.openGate({ runId, workloadId, digest, expiresAt });
  await startGate({
    runId,
    workloadId,
    digest,
    verdict,
    leaderboard,
    expiresAt,
    ...(remark ? { remark } : {}),
    ...(plan.flags ? { flags: plan.flags } : {}),
    requestedBy: trigger.requestedBy,
    remindEveryMs: plan.gate.remindEveryMs,
    ...approversOf(plan),
  });
  await supersedeOthers(workloadId, runId);
  return gateId(runId);
}

/** Runs of before there were policies have none in their plan. */
function approversOf({ policy }: Partial<RunPlan>): Pick<GateInput, 'approvers'> {
  return policy && policy.approvers.length > 0 ? { approvers: policy.approvers } : {};
}

async function startGate(input: GateInput): Promise<void> {
  try {
    await startChild(approvalGate, {
      workflowId: gateId(input.runId),
      taskQueue: workflowQueue,
      args: [input],
      // People take days: the gate outlives the run, and no cancellation of the run takes it along.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
      typedSearchAttributes: [
        ...initialAttributes(input.workloadId, 'pending'),
        { key: verdictAttribute, value: input.verdict.outcome },
        { key: waitingAttribute, value: true },
      ],
      staticSummary: `Approve ${input.verdict.winner?.candidate} × ${input.verdict.winner?.strategy} for ${input.workloadId}?`,
    });
  } catch (error) {
    // A run that was reset comes by here again; its gate is still open.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

async function supersedeOthers(workloadId: string, byRunId: string): Promise<void> {
  const { runIds } = await lineage.otherOpenGates({ workloadId, runId: byRunId });
  for (const runId of runIds) {
    try {
      await getExternalWorkflowHandle(gateId(runId)).signal(supersedeSignal, { byRunId });
    } catch (error) {
      if (!isGone(error)) throw error;
      // Somebody terminated that gate: nobody else will close its row.
      await lineage.closeGate({ runId, workloadId, status: 'superseded' });
    }
  }
}

function isGone(error: unknown): boolean {
  return error instanceof ApplicationFailure && error.type === 'ExternalWorkflowExecutionNotFound';
}
