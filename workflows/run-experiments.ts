import {
  CancellationScope,
  CancelledFailure,
  ChildWorkflowCancellationType,
  executeChild,
  ParentClosePolicy,
} from '@temporalio/workflow';
import type { RunPlan } from '../activities/plan-run.ts';
import type { DatasetSummary } from '../domain/datasets/dataset.ts';
import type { ExperimentReport, ExperimentSpec } from '../domain/experiments/experiment.ts';
import { lineage } from './activity-options.ts';
import { endEvaluation, endTraining } from './end-remote-jobs.ts';
import { experiment } from './experiment.ts';
import { reasonOf } from './failure-reason.ts';
import { initialAttributes } from './search-attributes.ts';
import { workflowQueue } from './task-queues.ts';
import { experimentWorkflowId } from './workflow-ids.ts';

/**
 * Runs all experiments side by side and waits for every one: a failing one never takes down its siblings.
 * A cancellation reaches them all, and is thrown once they have ended.
 */
export async function runExperiments(
  plan: RunPlan,
  dataset: DatasetSummary,
  onReport: (report: ExperimentReport) => void,
): Promise<ExperimentReport[]> {
  const settled = await Promise.allSettled(
    plan.experiments.map(async (spec) => {
      const report = await runOne(plan, dataset, spec);
      onReport(report);
      return report;
    }),
  );
  // `allSettled` would take a cancelled experiment for a failed one, and the run would end well.
  if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('The run was cancelled.');
  return settled.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}

async function runOne(
  plan: RunPlan,
  dataset: DatasetSummary,
  spec: ExperimentSpec,
): Promise<ExperimentReport> {
  const { runId, workloadId, seed, guardrails } = plan;
  // A run that began before there were policies has none in its plan.
  const judge = (plan.policy as RunPlan['policy'] | undefined)?.judge;
  const name = spec.role === 'champion' ? 'champion' : spec.strategy;
  try {
    return await executeChild(experiment, {
      workflowId: experimentWorkflowId(workloadId, runId, spec.candidate.name, name),
      taskQueue: workflowQueue,
      args: [
        {
          ...{ runId, workloadId, datasetId: dataset.id, seed, spec },
          ...(judge ? { judge } : {}),
          ...(guardrails ? { guardrails } : {}),
        },
      ],
      typedSearchAttributes: initialAttributes(workloadId, 'waiting'),
      staticSummary: `${spec.candidate.name} × ${name}`,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      // Should this run be terminated, its experiments can still stop their jobs.
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    });
  } catch (error) {
    if (CancellationScope.current().consideredCancelled) throw error;
    const { candidate, experimentId, strategy, role } = spec;
    if (strategy === 'lora' && role === 'challenger') {
      await endTraining({ experimentId, runId, workloadId, candidate, datasetId: dataset.id, seed });
    }
    await endEvaluation({ experimentId, runId, ...(judge ? { judge } : {}) });
    return recordLost(spec, reasonOf(error));
  }
}

/** An experiment that could not report itself: an operator ended it, or it failed in a way nobody expected. */
async function recordLost(spec: ExperimentSpec, reason: string): Promise<ExperimentReport> {
  const report: ExperimentReport = {
    experimentId: spec.experimentId,
    role: spec.role,
    candidate: spec.candidate.name,
    strategy: spec.strategy,
    status: 'failed',
    serving: null,
    evaluation: null,
    failure: { stage: 'waiting', reason },
  };
  await lineage.closeExperiment({ report });
  return report;
}
