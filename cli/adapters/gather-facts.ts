import type { AdapterListing } from '../../activities/ports/adapter-files.ts';
import type { AdapterOrigin } from '../../activities/ports/adapter-lineage.ts';
import type { EvaluationItem } from '../../activities/ports/experiment-lineage.ts';
import type { Lineage } from '../../activities/ports/lineage.ts';
import type { ExperimentView, RunView } from '../../activities/ports/run-lineage.ts';
import type { AdapterFacts, EvaluationFacts } from '../../domain/adapters/adapter-facts.ts';
import { licenceOf } from '../../domain/adapters/licence.ts';
import { wilsonInterval } from '../../domain/adapters/wilson.ts';
import { NotFoundError } from '../../domain/errors.ts';

export interface Gathered {
  readonly facts: AdapterFacts;
  readonly run: RunView;
  readonly items: readonly EvaluationItem[];
}

/** Everything that the lineage and the provider know of an adapter. */
export async function gatherFacts(
  lineage: Pick<Lineage, 'runs' | 'datasets' | 'evaluations'>,
  origin: AdapterOrigin,
  base: { readonly listing: AdapterListing; readonly card: string | null; readonly reference: string },
): Promise<Gathered> {
  const [run, dataset, items] = await Promise.all([
    lineage.runs.view(origin.runId),
    lineage.datasets.get(origin.dataset.id),
    origin.evaluationId === null ? [] : lineage.evaluations.items(origin.evaluationId),
  ]);
  const own = run.experiments.find(isOf(origin));
  if (own === undefined)
    throw new NotFoundError(`Run ${run.runId} has no experiment ${origin.experimentId}.`);
  const { id, hash, splits, dropped } = dataset.summary;
  const { setAside } = origin.job;
  const facts: AdapterFacts = {
    model: origin.model,
    workload: run.workload,
    createdAt: origin.createdAt,
    base: {
      id: origin.baseModel,
      reference: base.reference,
      onHub: base.reference === base.listing.base.hubId,
      licence: licenceOf(base.card),
      licenceFiles: termFiles(base.listing),
    },
    training: {
      runId: origin.runId,
      jobId: origin.job.id,
      seed: origin.dataset.seed,
      hyperparameters: origin.job.hyperparameters,
      seconds: own.trainSeconds ?? null,
      setAside,
    },
    dataset: { id, hash, splits, dropped },
    provenance: run,
    primaryMetric: run.primaryMetric,
    threshold: run.threshold,
    evaluation: origin.evaluationId === null ? null : evaluationFacts(origin.evaluationId, own, run, items),
    experiments: run.experiments,
    verdict: run.verdict && {
      outcome: run.verdict.outcome,
      reason: run.verdict.reason,
      won: run.verdict.winner === `${origin.candidate}/${origin.strategy}`,
      digest: run.digest,
    },
    approval: approvalOf(run),
  };
  return { facts, run, items };
}

/** What states the base model's terms, but for its card: the exported folder has a card of its own. */
export function termFiles({ base }: AdapterListing): string[] {
  return base.files.map(({ name }) => name).filter((name) => name !== 'README.md');
}

function isOf(origin: AdapterOrigin) {
  return ({ candidate, strategy, role }: ExperimentView) =>
    role === 'challenger' && candidate === origin.candidate && strategy === origin.strategy;
}

function evaluationFacts(
  id: string,
  own: ExperimentView,
  run: RunView,
  items: readonly EvaluationItem[],
): EvaluationFacts {
  const metric = run.primaryMetric ?? Object.keys(own.metrics)[0];
  const { n, failed, failures, metrics, latencyMs = null } = own;
  return { id, n, failed, failures, metrics, interval: intervalOf(metric, own, items), latencyMs };
}

/** Only where the items bear the metric out as a share of right answers; a metric over a part of them has no such n. */
function intervalOf(metric: string | undefined, own: ExperimentView, items: readonly EvaluationItem[]) {
  if (metric === undefined || items.length !== own.n) return null;
  const scores = items.map((item) => item.scores[metric] ?? 0);
  const right = scores.filter((score) => score === 1).length;
  const isShare = scores.every((score) => score === 0 || score === 1);
  const agrees = Math.abs(right / own.n - (own.metrics[metric] ?? Number.NaN)) < 1e-9;
  return isShare && agrees ? wilsonInterval(right, own.n) : null;
}

function approvalOf({ approval }: RunView): AdapterFacts['approval'] {
  if (approval?.outcome === undefined || approval.actor === undefined || approval.at === undefined)
    return null;
  const { outcome, actor, at, override = false } = approval;
  return { outcome, actor, at, override };
}
