import type { SnapshotKind } from '../domain/datasets/dataset.ts';
import { InvalidInputError } from '../domain/errors.ts';
import { defaultIcl, defaultLora } from '../domain/experiments/defaults.ts';
import type { Candidate, ExperimentSpec, ServingSpec } from '../domain/experiments/experiment.ts';
import { experimentId } from '../domain/ids.ts';
import type { Json } from '../domain/json.ts';
import type { RunTrigger } from '../domain/runs/trigger.ts';
import type { CandidateCatalog, Lineage } from './ports/lineage.ts';

/** Everything that shapes a run, pinned at its start: later changes of the configuration do not touch it. */
export interface RunPlan {
  readonly runId: string;
  readonly workloadId: string;
  readonly seed: number;
  /** Absent in plans of before there were kinds: `deep`. */
  readonly snapshotKind?: SnapshotKind;
  /** Items to evaluate on; curation's default when absent. */
  readonly evalSize?: number;
  readonly threshold: number;
  readonly minRecords: number;
  readonly validationShare: number;
  readonly experiments: readonly ExperimentSpec[];
  readonly gate: { readonly ttlMs: number; readonly remindEveryMs: number };
}

export interface PlanRunInput {
  readonly workloadId: string;
  readonly workflowId: string;
  readonly trigger: RunTrigger;
}

/** The configured values that a plan pins. */
export interface PlanDefaults {
  readonly threshold: number;
  readonly minRecords: number;
  readonly validationShare: number;
  readonly gateTtlMs: number;
  readonly gateRemindMs: number;
}

export interface PlanRunPorts {
  readonly catalog: CandidateCatalog;
  readonly lineage: {
    readonly runs: Pick<Lineage['runs'], 'open'>;
    readonly routes: Pick<Lineage['routes'], 'get'>;
  };
  readonly defaults: PlanDefaults;
}

/** The same records with the same seed give the same dataset; a run that wants another one names it. */
const defaultSeed = 1;

/** Settles what the run tries, and opens it in the lineage, also when it turns out that it cannot be done. */
export function createPlanRun({ catalog, lineage, defaults }: PlanRunPorts) {
  async function planRun(input: PlanRunInput): Promise<RunPlan> {
    const { workloadId, workflowId, trigger } = input;
    const { runId, reason, requestedBy } = trigger;
    const opened = { runId, workloadId, reason, requestedBy, workflowId };
    try {
      const route = await lineage.routes.get(workloadId);
      const plan = pin(input, defaults, [
        ...challengers(trigger, catalog.all()),
        ...(route?.serving ? [champion(runId, route.serving)] : []),
      ]);
      await lineage.runs.open({ ...opened, plan: plan as unknown as Json });
      return plan;
    } catch (error) {
      if (error instanceof InvalidInputError) {
        await lineage.runs.open({ ...opened, plan: { threshold: defaults.threshold } });
      }
      throw error;
    }
  }
  return { planRun };
}

function pin(
  { workloadId, trigger }: PlanRunInput,
  defaults: PlanDefaults,
  experiments: ExperimentSpec[],
): RunPlan {
  const { threshold, minRecords, validationShare, gateTtlMs, gateRemindMs } = defaults;
  return {
    runId: trigger.runId,
    workloadId,
    seed: trigger.seed ?? defaultSeed,
    snapshotKind: trigger.snapshotKind ?? 'deep',
    ...(trigger.evalSize === undefined ? {} : { evalSize: trigger.evalSize }),
    threshold,
    minRecords,
    validationShare,
    experiments,
    gate: { ttlMs: gateTtlMs, remindEveryMs: gateRemindMs },
  };
}

function challengers(trigger: RunTrigger, known: readonly Candidate[]): ExperimentSpec[] {
  const specs = chosen(trigger.candidates, known).flatMap((candidate) =>
    candidate.strategies
      .filter((strategy) => trigger.strategies?.includes(strategy) ?? true)
      .map((strategy): ExperimentSpec => {
        return {
          experimentId: experimentId(trigger.runId, candidate.name, strategy),
          role: 'challenger',
          candidate,
          strategy,
        };
      }),
  );
  if (specs.length > 0) return specs;
  throw new InvalidInputError(
    `Nothing to try: none of the chosen candidates has strategy ${trigger.strategies?.join(' or ')} in candidates.yaml.`,
  );
}

function chosen(names: readonly string[] | undefined, known: readonly Candidate[]): readonly Candidate[] {
  if (known.length === 0)
    throw new InvalidInputError('candidates.yaml lists no candidate; add at least one.');
  if (!names) return known;
  const unknown = names.filter((name) => !known.some((candidate) => candidate.name === name));
  if (unknown.length > 0) {
    const have = known.map((candidate) => candidate.name).join(', ');
    throw new InvalidInputError(`Unknown candidate ${unknown.join(', ')}; candidates.yaml lists ${have}.`);
  }
  return known.filter((candidate) => names.includes(candidate.name));
}

/** What serves today, measured on the same items; it is asked as it is, so that most settings mean nothing. */
function champion(runId: string, serving: ServingSpec): ExperimentSpec {
  const { provider, model, maxTokens, fewShotUri } = serving;
  const strategy = fewShotUri === null ? 'base' : 'icl';
  return {
    experimentId: experimentId(runId, 'current', 'champion'),
    role: 'champion',
    candidate: {
      name: 'current',
      provider,
      model,
      maxTokens,
      strategies: [strategy],
      gpuPool: 'local',
      lora: defaultLora,
      icl: defaultIcl,
    },
    strategy,
    serving,
  };
}
