import type { NewDataset } from '../../activities/ports/dataset-lineage.ts';
import type { EvaluationItem } from '../../activities/ports/experiment-lineage.ts';
import type { Lineage } from '../../activities/ports/lineage.ts';
import type { NewRun } from '../../activities/ports/run-lineage.ts';
import type { ArtifactRef, SplitName } from '../../domain/datasets/dataset.ts';
import type {
  EvaluationSummary,
  ExperimentReport,
  ExperimentSpec,
  ServingSpec,
  Strategy,
} from '../../domain/experiments/experiment.ts';
import type { Verdict } from '../../domain/verdicts/verdict.ts';
import { aCandidate } from './experiments.ts';

export function aRun(runId: string, fields: Partial<NewRun> = {}): NewRun {
  return {
    runId,
    workflowId: 'flywheel:hr',
    workloadId: 'hr',
    reason: 'asked for',
    requestedBy: 'ada',
    plan: { seed: 1 },
    ...fields,
  };
}

export function anArtifactRef(digit: string, rows = 1): ArtifactRef {
  const sha256 = digit.repeat(64);
  return { uri: `artifact:sha256/${sha256}`, sha256, bytes: rows * 10, rows };
}

export const aMembership: readonly { recordId: string; split: SplitName }[] = [
  { recordId: 'rec_3', split: 'eval' },
  { recordId: 'rec_1', split: 'train' },
  { recordId: 'rec_2', split: 'validation' },
];

export function aDatasetOf(runId: string): NewDataset {
  return {
    summary: {
      id: `data-${runId}`,
      hash: 'a'.repeat(64),
      splits: { train: 1, validation: 1, eval: 1 },
      dropped: { duplicate: 4 },
    },
    runId,
    workloadId: 'hr',
    snapshotId: `snap-${runId}`,
    seed: 4_294_967_295,
    files: {
      manifest: anArtifactRef('1'),
      train: anArtifactRef('2'),
      validation: anArtifactRef('3'),
      trainExamples: anArtifactRef('4'),
      eval: anArtifactRef('5'),
    },
  };
}

export function aServing(model: string, fields: Partial<ServingSpec> = {}): ServingSpec {
  return { provider: 'local', model, fewShotUri: null, maxTokens: 64, ...fields };
}

export function aSpec(runId: string, strategy: Strategy = 'lora', candidate = 'nano'): ExperimentSpec {
  return {
    experimentId: `${runId}/${candidate}/${strategy}`,
    role: 'challenger',
    candidate: aCandidate({ name: candidate }),
    strategy,
  };
}

export function anEvaluationSummary(
  evaluationId: string,
  fields: Partial<EvaluationSummary> = {},
): EvaluationSummary {
  return {
    evaluationId,
    n: 3,
    failed: 1,
    failures: { timeout: 1 },
    metrics: { tool_accuracy: 0.9, accuracy: 0.8, no_tool_recall: 0.7 },
    latencyMs: { p50: 12.5, p95: 40 },
    tokens: { prompt: 300, completion: 30 },
    ...fields,
  };
}

export function aReport(spec: ExperimentSpec, fields: Partial<ExperimentReport> = {}): ExperimentReport {
  return {
    experimentId: spec.experimentId,
    role: spec.role,
    candidate: spec.candidate.name,
    strategy: spec.strategy,
    status: 'succeeded',
    serving: aServing(`ft:${spec.experimentId}`),
    evaluation: anEvaluationSummary(`eval-${spec.experimentId}`),
    trainSeconds: 61.5,
    ...fields,
  };
}

export function aVerdict(winner: ExperimentSpec, fields: Partial<Verdict> = {}): Verdict {
  return {
    outcome: 'promote',
    winner: {
      experimentId: winner.experimentId,
      candidate: winner.candidate.name,
      strategy: winner.strategy,
    },
    reason: 'nano/lora has 0.90, above 0.75 and above base.',
    primaryMetric: 'tool_accuracy',
    threshold: 0.75,
    ...fields,
  };
}

/** A run with its snapshot and dataset, as far as its experiments. */
export async function openedRun(lineage: Lineage, runId: string): Promise<void> {
  await lineage.runs.open(aRun(runId));
  const id = `snap-${runId}`;
  await lineage.datasets.openSnapshot({ id, runId, workloadId: 'hr', bound: '2026-01-01T00:00:00.000001Z' });
  await lineage.datasets.commitSnapshot(id, anArtifactRef('0', 7), 7, {
    responseSources: { gold: 7 },
    synthetic: true,
    toolsInferred: true,
  });
  await lineage.datasets.commit(aDatasetOf(runId), aMembership);
}

/** A run whose LoRA experiment was trained, measured, judged and approved. Returns its digest and serving. */
export async function approvedRun(
  lineage: Lineage,
  runId: string,
): Promise<{ digest: string; serving: ServingSpec; spec: ExperimentSpec }> {
  const spec = aSpec(runId);
  const digest = `digest-${runId}`;
  await openedRun(lineage, runId);
  await lineage.experiments.open(runId, spec);
  const report = await trainedAndMeasured(lineage, runId, spec);
  await lineage.experiments.close(report);
  await lineage.decisions.recordVerdict(runId, aVerdict(spec), digest, report.serving);
  await lineage.decisions.openGate({
    runId,
    workloadId: 'hr',
    digest,
    expiresAt: '2026-12-31T00:00:00.000Z',
  });
  await lineage.decisions.recordDecision(runId, aDecision(`decision-${runId}`, digest), 'approved');
  await lineage.runs.close(runId, 'completed');
  return { digest, serving: report.serving ?? aServing('none'), spec };
}

export function aDecision(id: string, digest: string) {
  return {
    id,
    outcome: 'approve' as const,
    actor: 'grace',
    actorSource: 'local' as const,
    reason: 'looks right',
    digest,
    override: false,
  };
}

async function trainedAndMeasured(
  lineage: Lineage,
  runId: string,
  spec: ExperimentSpec,
): Promise<ExperimentReport> {
  const { experimentId } = spec;
  const datasetId = `data-${runId}`;
  const jobId = `ftjob-${runId}`;
  const report = aReport(spec);
  await lineage.experiments.recordJob({
    jobId,
    experimentId,
    provider: 'local',
    key: `${runId}-key`,
    datasetId,
    status: 'running',
    hyperparameters: { epochs: 2 },
  });
  await lineage.experiments.updateJob(jobId, 'succeeded', {
    step: 10,
    totalSteps: 10,
    trainLoss: 0.5,
    validationLoss: null,
  });
  const model = report.serving?.model ?? '';
  await lineage.experiments.recordAdapter({
    model,
    provider: 'local',
    baseModel: 'nano-1m',
    jobId,
    experimentId,
    datasetId,
  });
  const evaluationId = `eval-${experimentId}`;
  await lineage.evaluations.open({
    evaluationId,
    experimentId,
    datasetId,
    serving: aServing(model),
    total: 3,
  });
  await lineage.evaluations.close(anEvaluationSummary(evaluationId));
  return report;
}

export function anItem(itemId: string, fields: Partial<EvaluationItem> = {}): EvaluationItem {
  return {
    itemId,
    recordId: `rec_${itemId}`,
    response: { choices: [] },
    failure: null,
    failureDetail: null,
    scores: { accuracy: 1 },
    latencyMs: 10.5,
    promptTokens: 100,
    completionTokens: 10,
    ...fields,
  };
}
