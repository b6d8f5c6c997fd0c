import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { RunPlan } from '../activities/plan-run.ts';
import type { RecordedVerdict } from '../activities/record-verdict.ts';
import type { DatasetSummary } from '../domain/datasets/dataset.ts';
import type { ExperimentReport } from '../domain/experiments/experiment.ts';
import type { RunTrigger } from '../domain/runs/trigger.ts';
import { lineage, pipeline } from './activity-options.ts';
import { reasonOf, typeOf } from './failure-reason.ts';
import {
  type FlywheelInput,
  type FlywheelResult,
  triggerUpdate,
  turnQuery,
  withdrawSignal,
} from './messages.ts';
import { openGate } from './open-gate.ts';
import { releaseRunModels } from './release-models.ts';
import { runExperiments } from './run-experiments.ts';
import { RunProgress } from './run-progress.ts';
import { TriggerQueue, validateTrigger } from './trigger-queue.ts';

/**
 * One turn of the flywheel for one workload, one open at a time:
 *
 *     trigger → plan → snapshot → curate → experiments → verdict → gate (left behind, open)
 *
 * A trigger that comes meanwhile waits, and is the next turn.
 */
export async function flywheel(input: FlywheelInput): Promise<FlywheelResult> {
  const triggers = new TriggerQueue(input.pending);
  receive(triggers);
  const trigger = await firstTrigger(triggers);
  try {
    const result = await new Turn(input.workloadId, trigger).run();
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
    if (triggers.next) return await nextTurn(input.workloadId, triggers.next);
    return result;
  } catch (error) {
    // Whoever asked for the next run did not ask for this one's failure or cancellation.
    if (triggers.next) return await nextTurn(input.workloadId, triggers.next);
    throw error;
  }
}

function receive(triggers: TriggerQueue): void {
  setHandler(triggerUpdate, (trigger) => triggers.add(trigger), {
    validator: validateTrigger,
    description: 'Asks for a run of this workload. Several during one run make one more.',
  });
  setHandler(withdrawSignal, ({ runId }) => triggers.withdraw(runId), {
    description: 'Takes back a run that has not begun.',
  });
  setHandler(
    turnQuery,
    () => ({ running: triggers.current?.runId ?? null, queued: triggers.next?.runId ?? null }),
    {
      description: 'The run at work and the one that waits.',
    },
  );
}

async function firstTrigger(triggers: TriggerQueue): Promise<RunTrigger> {
  // It comes with the start; only a workflow that was started by hand has to wait for one.
  await condition(() => triggers.current !== null, '1 minute', { summary: 'wait for a trigger' });
  if (triggers.current) return triggers.current;
  throw ApplicationFailure.nonRetryable(
    'No trigger came. Start runs with `flywheel run <workload>`, which sends one.',
    'InvalidInputError',
  );
}

/** All children are closed or left behind by now: they would not survive it otherwise. */
function nextTurn(workloadId: string, pending: RunTrigger): Promise<never> {
  return CancellationScope.nonCancellable(() => continueAsNew<typeof flywheel>({ workloadId, pending }));
}

class Turn {
  private readonly workloadId: string;
  private readonly trigger: RunTrigger;
  private readonly progress: RunProgress;

  constructor(workloadId: string, trigger: RunTrigger) {
    this.workloadId = workloadId;
    this.trigger = trigger;
    this.progress = new RunProgress(workloadId, trigger);
  }

  async run(): Promise<FlywheelResult> {
    let plan: RunPlan | null = null;
    try {
      plan = await this.plan();
      const dataset = await this.curate(plan);
      const reports = await this.experiment(plan, dataset);
      const recorded = await this.judge(plan, dataset, reports);
      // The verdict is out: from here on the run ends well, whoever wants it cancelled now.
      const settled = plan;
      return await CancellationScope.nonCancellable(() => this.finish(settled, recorded, reports));
    } catch (error) {
      await CancellationScope.nonCancellable(() => this.abandon(error));
      throw asWorkflowFailure(error);
    } finally {
      // The children have ended, each in its own way: nobody asks these models any more.
      if (plan?.deploys) await releaseRunModels(plan.runId);
    }
  }

  private async plan(): Promise<RunPlan> {
    const { workloadId, trigger } = this;
    const plan = await lineage.planRun.executeWithOptions(
      { summary: 'settle candidates, strategies and seed' },
      [{ workloadId, trigger, workflowId: workflowInfo().workflowId }],
    );
    this.progress.update({ plan });
    return plan;
  }

  private async curate(plan: RunPlan): Promise<DatasetSummary> {
    this.progress.update({ stage: 'snapshot' });
    const snapshot = await pipeline.takeSnapshot.executeWithOptions({ summary: 'freeze the records' }, [
      { runId: plan.runId, workloadId: plan.workloadId, kind: plan.snapshotKind ?? 'deep' },
    ]);
    this.progress.update({ stage: 'curation', snapshot });
    const dataset = await pipeline.curateDataset.executeWithOptions(
      { summary: `curate and split ${snapshot.records} records` },
      [{ plan }],
    );
    this.progress.update({ stage: 'experiments', dataset });
    return dataset;
  }

  private async experiment(plan: RunPlan, dataset: DatasetSummary): Promise<ExperimentReport[]> {
    await lineage.openExperiments({ runId: plan.runId, experiments: [...plan.experiments] });
    const reports = await runExperiments(plan, dataset, (report) => this.progress.addReport(report));
    const challengers = reports.filter((report) => report.role === 'challenger');
    if (challengers.some((report) => report.status === 'succeeded')) return reports;
    throw ApplicationFailure.nonRetryable(
      `Every experiment failed: ${reasons(challengers)}`,
      'AllExperimentsFailed',
    );
  }

  private async judge(
    plan: RunPlan,
    dataset: DatasetSummary,
    reports: ExperimentReport[],
  ): Promise<RecordedVerdict> {
    this.progress.update({ stage: 'verdict' });
    const recorded = await lineage.recordVerdict.executeWithOptions(
      { summary: `compare ${reports.length} experiments` },
      [{ plan, datasetHash: dataset.hash, reports }],
    );
    this.progress.update({ verdict: recorded.verdict, remark: recorded.remark });
    return recorded;
  }

  private async finish(
    plan: RunPlan,
    { verdict, digest, serving, remark }: RecordedVerdict,
    leaderboard: ExperimentReport[],
  ): Promise<FlywheelResult> {
    const gate = serving
      ? await openGate({ plan, trigger: this.trigger, verdict, digest, leaderboard, remark })
      : null;
    await lineage.closeRun({ runId: plan.runId, status: 'completed' });
    this.progress.update({ stage: 'done', ...(gate ? { gateWorkflowId: gate } : {}) });
    return {
      runId: plan.runId,
      outcome: verdict.outcome,
      ...(verdict.winner ? { winner: `${verdict.winner.candidate} × ${verdict.winner.strategy}` } : {}),
      digest,
      ...(gate ? { gateWorkflowId: gate } : {}),
    };
  }

  /** Leaves nothing open in the lineage. The children have ended: each waited for its jobs. */
  private async abandon(error: unknown): Promise<void> {
    const status = isCancellation(error) ? 'cancelled' : 'failed';
    const failure = status === 'cancelled' ? 'Cancelled on request.' : reasonOf(error);
    this.progress.update({ stage: status, failure });
    await lineage.closeRun({ runId: this.trigger.runId, status, failure });
  }
}

function reasons(reports: readonly ExperimentReport[]): string {
  return reports
    .map(({ candidate, strategy, failure }) => `${candidate} × ${strategy}: ${failure?.reason ?? 'unknown'}`)
    .join('; ');
}

/** The run's own failure says why in its first line, not "Activity task failed". */
function asWorkflowFailure(error: unknown): unknown {
  if (isCancellation(error) || error instanceof ApplicationFailure) return error;
  return ApplicationFailure.create({
    message: reasonOf(error),
    type: typeOf(error),
    nonRetryable: true,
    ...(error instanceof Error ? { cause: error } : {}),
  });
}
