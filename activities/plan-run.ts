import type { SnapshotKind } from '../domain/datasets/dataset.ts';
import { FlywheelError, InvalidInputError } from '../domain/errors.ts';
import { defaultIcl, defaultLora } from '../domain/experiments/defaults.ts';
import type { Candidate, ExperimentSpec, ServingSpec } from '../domain/experiments/experiment.ts';
import { experimentId, isPlainId, plainIdRule } from '../domain/ids.ts';
import type { Json } from '../domain/json.ts';
import type { WorkloadPolicy } from '../domain/policies/policy.ts';
import { policyVersion } from '../domain/policies/policy-version.ts';
import type { CommandFlags } from '../domain/runs/command-flags.ts';
import type { RunTrigger } from '../domain/runs/trigger.ts';
import { type PinGuardrailsPorts, type PinnedGuardrails, pinGuardrails } from './pin-guardrails.ts';
import type { Deployers } from './ports/deployer.ts';
import type { CandidateCatalog, Lineage } from './ports/lineage.ts';
import type { PolicySource } from './ports/policies.ts';

/** Everything that shapes a run, pinned at its start: later changes of the configuration do not touch it. */
export interface RunPlan {
  readonly runId: string;
  readonly workloadId: string;
  readonly seed: number;
  /** Absent in plans of before there were kinds: `deep`. */
  readonly snapshotKind?: SnapshotKind;
  /** Items to evaluate on; curation's default when absent. */
  readonly evalSize?: number;
  /** What the workload's owners asked for when the run began, and that policy's version. */
  readonly policy: WorkloadPolicy;
  readonly policyVersion: string;
  readonly minRecords: number;
  readonly validationShare: number;
  readonly experiments: readonly ExperimentSpec[];
  /** A provider of an experiment deploys its models on request: they are given back at the run's end. */
  readonly deploys?: true;
  /** What answers are held against; absent where the policy has no guardrails, or the run is older than they. */
  readonly guardrails?: PinnedGuardrails;
  readonly gate: { readonly ttlMs: number; readonly remindEveryMs: number };
  /** For the commands that the Web UI shows. */
  readonly flags?: CommandFlags;
}

export interface PlanRunInput {
  readonly workloadId: string;
  readonly workflowId: string;
  readonly trigger: RunTrigger;
}

/** The configured values that a plan pins. */
export interface PlanDefaults {
  readonly minRecords: number;
  readonly validationShare: number;
  readonly gateTtlMs: number;
  readonly gateRemindMs: number;
  readonly flags: CommandFlags;
}

export interface PlanRunPorts extends PinGuardrailsPorts {
  readonly catalog: CandidateCatalog;
  readonly policies: PolicySource;
  readonly deployers: Deployers;
  readonly lineage: {
    readonly runs: Pick<Lineage['runs'], 'open'>;
    readonly policies: Pick<Lineage['policies'], 'record'>;
    readonly routes: Pick<Lineage['routes'], 'get'>;
  };
  readonly defaults: PlanDefaults;
}

/** The same records with the same seed give the same dataset; a run that wants another one names it. */
const defaultSeed = 1;

/** Settles what the run tries, and opens it in the lineage, also when it turns out that it cannot be done. */
export function createPlanRun(ports: PlanRunPorts) {
  const { catalog, policies, deployers, lineage, defaults } = ports;

  async function planRun(input: PlanRunInput): Promise<RunPlan> {
    const { workloadId, workflowId, trigger } = input;
    const { runId, reason, requestedBy } = trigger;
    // The only way around the doors that check it is a workflow started by hand.
    if (!isPlainId(workloadId)) throw new InvalidInputError(`A workload id must be ${plainIdRule}.`);
    const opened = { runId, workloadId, reason, requestedBy, workflowId };
    let pinned: PinnedPolicy | null = null;
    try {
      pinned = await pinPolicy(workloadId);
      const route = await lineage.routes.get(workloadId);
      const experiments = [
        ...challengers(trigger, pinned.policy, catalog.all()),
        ...(route?.serving ? [champion(runId, route.serving)] : []),
      ];
      const deploys = experiments.some(({ candidate }) => deployers(candidate.provider) !== null);
      const pinnedPlan = pin(input, pinned, defaults, experiments);
      const guardrails = await pinGuardrails(ports, pinned.policy.guardrails);
      const plan: RunPlan = {
        ...pinnedPlan,
        ...(guardrails && { guardrails }),
        ...(deploys && { deploys }),
      };
      const stored = await lineage.runs.open({
        ...opened,
        policyVersion: plan.policyVersion,
        plan: plan as unknown as Json,
      });
      // An attempt whose answer was lost has settled it: what the lineage shows is what the run does.
      return isPlan(stored) ? stored : plan;
    } catch (error) {
      if (error instanceof FlywheelError && !error.retryable) {
        const version = pinned && { policyVersion: pinned.policyVersion };
        await lineage.runs.open({ ...opened, ...version, plan: {} });
      }
      throw error;
    }
  }

  /** Stored before any run refers to it. */
  async function pinPolicy(workloadId: string): Promise<PinnedPolicy> {
    const policy = await policies.of(workloadId);
    const version = policyVersion(policy);
    await lineage.policies.record(version, policy);
    return { policy, policyVersion: version };
  }

  return { planRun };
}

function isPlan(stored: unknown): stored is RunPlan {
  return typeof stored === 'object' && stored !== null && 'experiments' in stored && 'runId' in stored;
}

type PinnedPolicy = Pick<RunPlan, 'policy' | 'policyVersion'>;

function pin(
  { workloadId, trigger }: PlanRunInput,
  pinned: PinnedPolicy,
  { minRecords, validationShare, gateTtlMs, gateRemindMs, flags }: PlanDefaults,
  experiments: ExperimentSpec[],
): RunPlan {
  return {
    runId: trigger.runId,
    workloadId,
    seed: trigger.seed ?? defaultSeed,
    snapshotKind: trigger.snapshotKind ?? 'deep',
    ...(trigger.evalSize === undefined ? {} : { evalSize: trigger.evalSize }),
    ...pinned,
    minRecords,
    validationShare,
    experiments,
    gate: { ttlMs: gateTtlMs, remindEveryMs: gateRemindMs },
    flags,
  };
}

/** What the policy allows; the trigger chooses among it. */
function challengers(
  trigger: RunTrigger,
  policy: WorkloadPolicy,
  known: readonly Candidate[],
): ExperimentSpec[] {
  const mayTry = known.filter(({ name }) => policy.candidates?.includes(name) ?? true);
  const specs = chosen(trigger.candidates, mayTry).flatMap((candidate) =>
    candidate.strategies
      .filter((strategy) => trigger.strategies?.includes(strategy) ?? true)
      .filter((strategy) => policy.strategies?.includes(strategy) ?? true)
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
  const wanted = trigger.strategies ? `strategy ${trigger.strategies.join(' or ')}` : 'any strategy';
  throw new InvalidInputError(
    `Nothing to try: none of the chosen candidates has ${wanted} in candidates.yaml and the workload's policy.`,
  );
}

function chosen(names: readonly string[] | undefined, known: readonly Candidate[]): readonly Candidate[] {
  if (known.length === 0)
    throw new InvalidInputError(
      "There is no candidate: candidates.yaml lists none, or none that the workload's policy allows.",
    );
  if (!names) return known;
  const unknown = names.filter((name) => !known.some((candidate) => candidate.name === name));
  if (unknown.length > 0) {
    const have = known.map((candidate) => candidate.name).join(', ');
    throw new InvalidInputError(
      `Unknown candidate ${unknown.join(', ')}; candidates.yaml, as the workers read it when they started, and the workload's policy have ${have}.`,
    );
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
