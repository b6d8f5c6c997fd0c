import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { Activities, DeviceActivities } from '../../../activities/index.ts';
import type { PinnedGuardrails } from '../../../activities/pin-guardrails.ts';
import type { RunPlan } from '../../../activities/plan-run.ts';
import type { Assessment } from '../../../activities/sweep.ts';
import { defaultIcl, defaultLora } from '../../../domain/experiments/defaults.ts';
import type {
  Candidate,
  ExperimentReport,
  ServingSpec,
  Strategy,
} from '../../../domain/experiments/experiment.ts';
import type { GuardrailsPolicy } from '../../../domain/guardrails/guardrails.ts';
import type { SafetySummary } from '../../../domain/guardrails/safety.ts';
import { defaultPolicy, type WorkloadPolicy } from '../../../domain/policies/policy.ts';
import type { Route } from '../../../domain/routes/route.ts';
import type { RunTrigger } from '../../../domain/runs/trigger.ts';
import type { RecordedSweep } from '../../../domain/schedules/sweep.ts';
import type { Decision, GateStatus, Verdict } from '../../../domain/verdicts/verdict.ts';

export const nano: Candidate = {
  name: 'nano',
  provider: 'local',
  model: 'nano-1m',
  gpuPool: 'local',
  maxTokens: 64,
  strategies: ['base', 'icl', 'lora'],
  lora: defaultLora,
  icl: defaultIcl,
};

/** How the outside behaves towards one workload; a test names only what it is about. */
export interface Behaviour {
  /** Primary score of an experiment; an error stands for one that fails. */
  score(strategy: Strategy): number | Error;
  /**
   * `hang`: until cancelled, as a training does that takes long. `die`: leaves its job and is heard of no more.
   * `twice`: quick, beside a second job that it knows nothing of.
   */
  fineTune: 'quick' | 'hang' | 'die' | 'twice';
  /** `die`: as a training does. */
  evaluate: 'quick' | 'die';
  snapshot: 'quick' | 'hang' | Error;
  /** What the judge says of every evaluation, where the policy has one; an error leaves its job. */
  judge: number | Error;
  /** How many of the safety set's ten items an experiment passes, where the policy has guardrails; `hang`: until cancelled. */
  safety(strategy: Strategy): number | Error | 'hang';
  /** Called when the run's gate is about to open. */
  onOpenGate?(): Promise<void>;
  verdict: Verdict['outcome'];
  proof: boolean | 'hang';
  auditFails: boolean;
  /** Set where the provider deploys its models on request: what becomes of it. */
  deployment: 'ready' | 'hang' | Error | null;
  /** What each attempt to give a route's models back comes to: how long something is kept still. None: nothing is. */
  kept: readonly (number | Error)[];
  gateTtlMs: number;
  remindEveryMs: number;
  policy: WorkloadPolicy;
  /** What a look at the workload's news finds. */
  news: Assessment | Error;
}

const defaults: Behaviour = {
  score: (strategy) => ({ base: 0.4, icl: 0.5, lora: 0.9 })[strategy],
  fineTune: 'quick',
  evaluate: 'quick',
  snapshot: 'quick',
  judge: 0.8,
  safety: () => 10,
  verdict: 'promote',
  proof: true,
  auditFails: false,
  deployment: null,
  kept: [],
  gateTtlMs: 60_000,
  remindEveryMs: 60_000,
  policy: defaultPolicy,
  news: { start: true, snapshotKind: 'incremental', reason: 'daily, 60 new records', newRecords: 60 },
};

/** What was done about one workload, in order, and where things stand. */
export class FakeWorld {
  readonly workloadId: string;
  readonly behaviour: Behaviour;
  readonly runIds = new Set<string>();
  readonly log: string[] = [];
  readonly plans = new Map<string, RunPlan>();
  readonly closedRuns = new Map<string, { status: string; failure?: string }>();
  readonly reports: ExperimentReport[] = [];
  readonly jobs = new Map<string, 'running' | 'cancelled' | 'succeeded'>();
  readonly gates = new Map<
    string,
    { status: GateStatus; digest: string; decision?: Decision; byRunId?: string }
  >();
  readonly refusals: string[] = [];
  readonly triggers: RunTrigger[] = [];
  /** `holder model`, and whose models were given back. */
  readonly deployed: string[] = [];
  readonly released: string[] = [];
  readonly sweeps: RecordedSweep[] = [];
  reminders = 0;
  readonly moves = new Map<string, Route>();
  route: Route | null = null;

  constructor(workloadId: string, behaviour: Partial<Behaviour> = {}) {
    this.workloadId = workloadId;
    this.behaviour = { ...defaults, ...behaviour };
  }

  move(moveId: string, serving: ServingSpec | null, previous: ServingSpec | null): Route {
    const made = this.moves.get(moveId);
    if (made) return made;
    const version = (this.route?.version ?? 0) + 1;
    const { workloadId } = this;
    this.route = {
      workloadId,
      version,
      serving,
      previous,
      digest: null,
      runId: null,
      since: '2025-01-01T00:00:00Z',
    };
    this.moves.set(moveId, this.route);
    return this.route;
  }
}

export function servingOf(model: string): ServingSpec {
  return { provider: 'local', model, fewShotUri: null, maxTokens: 64 };
}

/** Blocks until cancelled, heartbeating as a real activity would. */
async function hang(): Promise<never> {
  const signal = cancellationSignal();
  const timer = setInterval(() => heartbeat(), 200);
  return new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  }).finally(() => clearInterval(timer));
}

/** Activities over worlds by workload: what they do to PostgreSQL, models and gateway, done to memory. */
export function fakeActivities(worlds: ReadonlyMap<string, FakeWorld>): Activities & DeviceActivities {
  const worldOf = (workloadId: string) => found(worlds.get(workloadId), workloadId);
  const ofRun = (idOfRunOrExperiment: string) => {
    const runId = idOfRunOrExperiment.split('/')[0] ?? '';
    return found(
      [...worlds.values()].find((world) => world.runIds.has(runId)),
      runId,
    );
  };
  return {
    async planRun({ workloadId, trigger }) {
      const world = worldOf(workloadId);
      world.runIds.add(trigger.runId);
      world.log.push(`plan ${trigger.runId}`);
      if (trigger.candidates?.some((name) => name !== nano.name)) {
        throw ApplicationFailure.nonRetryable(
          'Unknown candidate ghost; candidates.yaml lists nano.',
          'InvalidInputError',
        );
      }
      const strategies = nano.strategies.filter((strategy) => trigger.strategies?.includes(strategy) ?? true);
      const plan: RunPlan = {
        runId: trigger.runId,
        workloadId,
        seed: 1,
        policy: world.behaviour.policy,
        policyVersion: 'c'.repeat(64),
        minRecords: 50,
        validationShare: 0.1,
        experiments: strategies.map((strategy) => ({
          experimentId: `${trigger.runId}/nano/${strategy}`,
          role: 'challenger',
          candidate: nano,
          strategy,
        })),
        ...(world.behaviour.deployment !== null && { deploys: true }),
        ...(world.behaviour.policy.guardrails && { guardrails: pinned(world.behaviour.policy.guardrails) }),
        gate: { ttlMs: world.behaviour.gateTtlMs, remindEveryMs: world.behaviour.remindEveryMs },
      };
      world.plans.set(trigger.runId, plan);
      return plan;
    },
    async takeSnapshot({ runId, workloadId }) {
      const { snapshot } = worldOf(workloadId).behaviour;
      if (snapshot === 'hang') return hang();
      if (snapshot instanceof Error)
        throw ApplicationFailure.nonRetryable(snapshot.message, 'NotEnoughRecordsError');
      return { id: `snap-${runId}`, records: 100 };
    },
    async curateDataset({ plan }) {
      return {
        id: `data-${plan.runId}`,
        hash: 'a'.repeat(64),
        splits: { train: 60, validation: 10, eval: 30 },
        dropped: {},
      };
    },
    async openExperiments({ runId, experiments }) {
      ofRun(runId).log.push(`open ${experiments.length} experiments`);
    },
    async setExperimentStage() {},
    async closeExperiment({ report }) {
      ofRun(report.experimentId).reports.push(report);
    },
    async closeRun({ runId, status, failure }) {
      ofRun(runId).closedRuns.set(runId, { status, ...(failure ? { failure } : {}) });
    },
    async prepareFewShot({ candidate }) {
      return { serving: { ...servingOf(candidate.model), fewShotUri: 'artifact:sha256/x' }, examples: 3 };
    },
    async fineTune({ runId, experimentId }) {
      const world = ofRun(runId);
      world.jobs.set(experimentId, 'running');
      // Retried until the cancellation comes: an attempt that died, seen from the workflow.
      if (world.behaviour.fineTune === 'die') throw ApplicationFailure.retryable('the worker died');
      if (world.behaviour.fineTune === 'hang') {
        await hang().catch((error: unknown) => {
          world.jobs.set(experimentId, 'cancelled');
          throw error;
        });
      }
      if (world.behaviour.fineTune === 'twice') world.jobs.set(`${experimentId} surplus`, 'running');
      world.jobs.set(experimentId, 'succeeded');
      const model = `ft:${runId}`;
      return { model, jobId: 'job-1', trainSeconds: 1, serving: servingOf(model) };
    },
    async endTraining({ runId, experimentId }) {
      return { ended: endAll(ofRun(runId), [experimentId, `${experimentId} surplus`]) };
    },
    async endEvaluation({ runId, experimentId }) {
      return { ended: endAll(ofRun(runId), [`${experimentId} evaluation`, `${experimentId} judging`]) };
    },
    async awaitModel({ serving, holder }) {
      if (holder === undefined) return;
      const [kind = '', id = ''] = holder.split(/:(.*)/s);
      const world = kind === 'run' ? ofRun(id) : worldOf(id);
      if (world.behaviour.deployment instanceof Error)
        throw ApplicationFailure.nonRetryable(world.behaviour.deployment.message, 'RejectedError');
      world.deployed.push(`${holder} ${serving.model}`);
      if (world.behaviour.deployment === 'hang') return hang();
    },
    async releaseRunModels({ runId }) {
      ofRun(runId).released.push(`run:${runId}`);
      return { removed: [] };
    },
    async releaseRouteModels({ workloadId }) {
      const { released, behaviour } = worldOf(workloadId);
      const kept = behaviour.kept[released.length];
      released.push(`route:${workloadId}`);
      if (kept instanceof Error) throw ApplicationFailure.nonRetryable(kept.message, 'RejectedError');
      return kept === undefined ? { removed: ['ft:left'] } : { removed: [], keptForMs: kept };
    },
    async evaluate({ experimentId, runId }) {
      const world = ofRun(runId);
      if (world.behaviour.evaluate === 'die') {
        world.jobs.set(`${experimentId} evaluation`, 'running');
        throw ApplicationFailure.retryable('the worker died');
      }
      const score = world.behaviour.score(experimentId.split('/')[2] as Strategy);
      if (score instanceof Error) throw ApplicationFailure.nonRetryable(score.message, 'RejectedError');
      return {
        evaluationId: `eval-${experimentId}`,
        n: 30,
        failed: 0,
        failures: {},
        latencyMs: null,
        metrics: { exact_match: score },
        tokens: { prompt: 0, completion: 0 },
      };
    },
    async judgeEvaluation({ evaluationId }) {
      const experimentId = evaluationId.replace(/^eval-/, '');
      const world = ofRun(experimentId);
      const { judge } = world.behaviour;
      if (judge instanceof Error) {
        world.jobs.set(`${experimentId} judging`, 'running');
        throw ApplicationFailure.nonRetryable(judge.message, 'RejectedError');
      }
      return { score: judge, n: 30, failed: 0, failures: {} };
    },
    async checkSafety({ experimentId }) {
      ofRun(experimentId).log.push(`check ${experimentId}`);
      const passed = ofRun(experimentId).behaviour.safety(experimentId.split('/')[2] as Strategy);
      if (passed === 'hang') return hang();
      if (passed instanceof Error) throw ApplicationFailure.nonRetryable(passed.message, 'RejectedError');
      return aSafetySummary(`safety-${experimentId}`, passed);
    },
    async recordVerdict({ plan, reports }) {
      const { outcome } = { outcome: ofRun(plan.runId).behaviour.verdict };
      const best = [...reports].sort((a, b) => primary(b) - primary(a))[0];
      const winner = best && {
        experimentId: best.experimentId,
        candidate: best.candidate,
        strategy: best.strategy,
      };
      const verdict: Verdict = {
        outcome,
        reason: 'as the test says',
        primaryMetric: 'exact_match',
        threshold: plan.policy.threshold,
        ...(winner ? { winner } : {}),
      };
      return {
        verdict,
        digest: `digest-of-${plan.runId}`,
        serving: best?.serving ?? null,
        remark: 'The traffic is synthetic.',
      };
    },
    async openGate({ runId, digest }) {
      await ofRun(runId).behaviour.onOpenGate?.();
      ofRun(runId).gates.set(runId, { status: 'pending', digest });
    },
    async otherOpenGates({ workloadId, runId }) {
      const open = [...worldOf(workloadId).gates].filter(
        ([id, gate]) => id !== runId && gate.status === 'pending',
      );
      return { runIds: open.map(([id]) => id) };
    },
    async recordDecision({ runId, decision, status }) {
      const gate = ofRun(runId).gates.get(runId);
      ofRun(runId).gates.set(runId, { digest: gate?.digest ?? '', status, decision });
    },
    async closeGate({ runId, status, byRunId }) {
      const gate = ofRun(runId).gates.get(runId);
      ofRun(runId).gates.set(runId, { digest: gate?.digest ?? '', status, ...(byRunId ? { byRunId } : {}) });
    },
    async auditRefusal({ runId, refusal }) {
      if (ofRun(runId).behaviour.auditFails)
        throw ApplicationFailure.nonRetryable('it cannot be stored', 'RejectedError');
      ofRun(runId).refusals.push(refusal);
    },
    async remindGate({ runId }) {
      ofRun(runId).reminders += 1;
    },
    async planMove({ workloadId, kind, runId }) {
      const { route } = worldOf(workloadId);
      const before = route?.serving ?? null;
      const deploys = worldOf(workloadId).behaviour.deployment !== null && ({ deploys: true } as const);
      if (kind === 'promotion') return { serving: servingOf(`ft:${runId}`), before, ...deploys };
      if (!route) throw ApplicationFailure.nonRetryable('nothing can be rolled back', 'NotFoundError');
      return { serving: route.previous, before, ...deploys };
    },
    async moveRoute({ workloadId, moveId, serving }) {
      const world = worldOf(workloadId);
      return world.move(moveId, serving, world.route?.serving ?? null);
    },
    async restoreRoute({ move, planned }) {
      const world = worldOf(move.workloadId);
      if (!world.moves.has(move.moveId)) return { route: world.route };
      return { route: world.move(`${move.moveId}:restore`, planned.before, null) };
    },
    async recordMove({ move, outcome }) {
      worldOf(move.workloadId).log.push(`${move.kind} ${outcome}`);
    },
    async findWorkloads() {
      return { workloadIds: [...worlds.keys()] };
    },
    async assessWorkload({ workloadId }) {
      const { news } = worldOf(workloadId).behaviour;
      if (news instanceof Error) throw ApplicationFailure.nonRetryable(news.message, 'ConfigError');
      return news;
    },
    async triggerRun({ workloadId, trigger }) {
      worldOf(workloadId).triggers.push(trigger);
      return { runId: trigger.runId, state: 'started' };
    },
    async recordSweep(sweep) {
      worldOf(sweep.workloadId).sweeps.push(sweep);
    },
    async proveRoute({ route }) {
      const { proof } = worldOf(route.workloadId).behaviour;
      if (proof === 'hang') return hang();
      return { proved: proof, detail: proof ? 'seen' : 'The gateway still answers by route 0.' };
    },
  };
}

function endAll({ jobs }: FakeWorld, names: readonly string[]): number {
  const left = names.filter((name) => jobs.get(name) === 'running');
  for (const name of left) jobs.set(name, 'cancelled');
  return left.length;
}

function found(world: FakeWorld | undefined, id: string): FakeWorld {
  if (world) return world;
  throw ApplicationFailure.nonRetryable(`no world for ${id}`);
}

/** Ten items, of which those that do not pass are blocked by one rule. */
function aSafetySummary(checkId: string, passed: number): SafetySummary {
  return {
    ...{ status: 'checked', checkId, n: 10, passed, unanswered: 0, attacksBlockedAtQuestion: 0 },
    blocked: passed < 10 ? { 'answers.card': 10 - passed } : {},
    categories: { secrets: { n: 10, passed } },
  };
}

function pinned({ questions, answers, provider, minPass }: GuardrailsPolicy): PinnedGuardrails {
  const sha256 = 'd'.repeat(64);
  const safetySet = { uri: `artifact:sha256/${sha256}`, sha256, bytes: 100, rows: 10 };
  return { rules: { questions, answers }, provider, minPass, safetySet };
}

function primary(report: ExperimentReport): number {
  return report.evaluation?.metrics['exact_match'] ?? -1;
}
