import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { RunPlan } from '../activities/plan-run.ts';
import type { RunStage } from '../activities/ports/run-lineage.ts';
import type { DatasetSummary, SnapshotSummary } from '../domain/datasets/dataset.ts';
import type { ExperimentReport } from '../domain/experiments/experiment.ts';
import type { RunTrigger } from '../domain/runs/trigger.ts';
import type { Verdict } from '../domain/verdicts/verdict.ts';
import { runDetails } from './current-details.ts';
import { stageAttribute, verdictAttribute, workloadAttribute } from './search-attributes.ts';

/** What is known of a run so far. */
export interface RunFacts {
  readonly workloadId: string;
  readonly trigger: RunTrigger;
  readonly stage: RunStage | 'failed' | 'cancelled';
  readonly plan?: RunPlan;
  readonly snapshot?: SnapshotSummary;
  readonly dataset?: DatasetSummary;
  readonly reports: readonly ExperimentReport[];
  readonly verdict?: Verdict;
  /** What the numbers rest on. */
  readonly remark?: string | null;
  readonly gateWorkflowId?: string;
  readonly failure?: string;
}

/** Keeps what the Web UI shows of a run up to date, so that it alone tells an operator what is happening. */
export class RunProgress {
  private facts: RunFacts;

  constructor(workloadId: string, trigger: RunTrigger) {
    this.facts = { workloadId, trigger, stage: 'planning', reports: [] };
    upsertSearchAttributes([
      { key: workloadAttribute, value: workloadId },
      // Attributes survive continue-as-new: the last run's verdict is not this one's.
      { key: verdictAttribute, value: null },
    ]);
    this.update({});
  }

  update(news: Partial<RunFacts>): void {
    this.facts = { ...this.facts, ...news };
    if (news.stage || this.facts.stage === 'planning') {
      upsertSearchAttributes([{ key: stageAttribute, value: this.facts.stage }]);
    }
    if (news.verdict) upsertSearchAttributes([{ key: verdictAttribute, value: news.verdict.outcome }]);
    setCurrentDetails(runDetails(this.facts));
  }

  addReport(report: ExperimentReport): void {
    this.update({ reports: [...this.facts.reports, report] });
  }
}
