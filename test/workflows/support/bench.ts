import { randomUUID } from 'node:crypto';
import { Client, Connection, WithStartWorkflowOperation } from '@temporalio/client';
import type { QueryDefinition } from '@temporalio/common';
import { DefaultLogger, NativeConnection, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, inject } from 'vitest';
import type { ExperimentReport } from '../../../domain/experiments/experiment.ts';
import type { RunTrigger, TriggerReceipt } from '../../../domain/runs/trigger.ts';
import type { approvalGate, flywheel, rollout } from '../../../workflows/index.ts';
import type { DecideInput, FlywheelResult } from '../../../workflows/messages.ts';
import { decideUpdate, triggerUpdate } from '../../../workflows/messages.ts';
import { initialAttributes } from '../../../workflows/search-attributes.ts';
import { activityQueue, gpuQueue, promptQueue, workflowQueue } from '../../../workflows/task-queues.ts';
import { flywheelId, gateId } from '../../../workflows/workflow-ids.ts';
import { eventually } from '../../support/eventually.ts';
import { bundleWorkflows } from './bundle.ts';
import { type Behaviour, FakeWorld, fakeActivities, servingOf } from './fake-activities.ts';

// Failures are what many of these tests are about.
Runtime.install({ logger: new DefaultLogger('ERROR') });

let bundle: WorkflowBundle;
let connection: Connection;
let native: NativeConnection;
let workers: Worker[] = [];
let running: Promise<unknown>;
const worlds = new Map<string, FakeWorld>();

export let client: Client;

/** Real workers on the real server, with activities that only remember. One set per test file. */
export function useWorkers(): void {
  beforeAll(async () => {
    const address = inject('temporalAddress');
    connection = await Connection.connect({ address });
    native = await NativeConnection.connect({ address });
    client = new Client({ connection });
    bundle = await bundleWorkflows();
    const activities = fakeActivities(worlds);
    const prompt = { maxHeartbeatThrottleInterval: '200 milliseconds', connection: native };
    workers = [
      await Worker.create({
        ...prompt,
        taskQueue: workflowQueue,
        workflowBundle: bundle,
        workflowFailureErrorTypes: { '*': ['Error'] },
      }),
      await Worker.create({ ...prompt, taskQueue: promptQueue, activities }),
      await Worker.create({ ...prompt, taskQueue: activityQueue, activities }),
      await Worker.create({ ...prompt, taskQueue: gpuQueue('local'), activities }),
    ];
    running = Promise.all(workers.map((worker) => worker.run()));
  }, 120_000);

  afterAll(async () => {
    for (const worker of workers) worker.shutdown();
    await running;
    await native.close();
    await connection.close();
  });
}

/** A world for a workload of this test's own. */
export function newWorld(behaviour: Partial<Behaviour> = {}): FakeWorld {
  const world = new FakeWorld(`w-${randomUUID().slice(0, 8)}`, behaviour);
  worlds.set(world.workloadId, world);
  return world;
}

export function newTrigger(overrides: Partial<RunTrigger> = {}): RunTrigger {
  return { runId: `run-${randomUUID().slice(0, 13)}`, reason: 'a test', requestedBy: 'vitest', ...overrides };
}

/** As the CLI does it: an update together with the start. */
export async function trigger(world: FakeWorld, request = newTrigger()): Promise<TriggerReceipt> {
  const start = new WithStartWorkflowOperation<typeof flywheel>('flywheel', {
    workflowId: flywheelId(world.workloadId),
    taskQueue: workflowQueue,
    args: [{ workloadId: world.workloadId }],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowExecutionTimeout: '2 minutes',
  });
  start.workflowHandle().catch(() => {});
  return client.workflow.executeUpdateWithStart(triggerUpdate, {
    args: [request],
    startWorkflowOperation: start,
  });
}

export function flywheelHandle(world: FakeWorld) {
  return client.workflow.getHandle<typeof flywheel>(flywheelId(world.workloadId));
}

/** Runs once to its verdict. */
export async function runOnce(world: FakeWorld, request = newTrigger()): Promise<FlywheelResult> {
  await trigger(world, request);
  return flywheelHandle(world).result();
}

/** A gate alone, as a run with that verdict would have left it. */
export async function openGate(world: FakeWorld): Promise<{ runId: string; digest: string }> {
  const { runId, requestedBy } = newTrigger();
  const { workloadId, behaviour } = world;
  const digest = `digest-of-${runId}`;
  world.runIds.add(runId);
  world.gates.set(runId, { status: 'pending', digest });
  const winner = { experimentId: `${runId}/nano/lora`, candidate: 'nano', strategy: 'lora' } as const;
  await client.workflow.start<typeof approvalGate>('approvalGate', {
    workflowId: gateId(runId),
    taskQueue: workflowQueue,
    workflowExecutionTimeout: '2 minutes',
    args: [
      {
        runId,
        workloadId,
        digest,
        requestedBy,
        remindEveryMs: behaviour.remindEveryMs,
        approvers: behaviour.policy.approvers,
        verdict: {
          outcome: behaviour.verdict,
          winner,
          reason: 'a test',
          primaryMetric: 'exact_match',
          threshold: 0.75,
        },
        leaderboard: [report(runId)],
        remark: 'The traffic is synthetic.',
        expiresAt: new Date(Date.now() + behaviour.gateTtlMs).toISOString(),
      },
    ],
    typedSearchAttributes: initialAttributes(workloadId, 'pending'),
  });
  return { runId, digest };
}

function report(runId: string): ExperimentReport {
  return {
    experimentId: `${runId}/nano/lora`,
    role: 'challenger',
    candidate: 'nano',
    strategy: 'lora',
    status: 'succeeded',
    serving: servingOf(`ft:${runId}`),
    evaluation: {
      evaluationId: 'eval',
      n: 30,
      failed: 0,
      failures: {},
      latencyMs: null,
      metrics: { exact_match: 0.9 },
      tokens: { prompt: 0, completion: 0 },
    },
  };
}

export function gateHandle(runId: string) {
  return client.workflow.getHandle<typeof approvalGate>(gateId(runId));
}

/** What a gate answers to a query. The server lets one wait a second, no longer, for a workflow's first task. */
export function askGate<T>(runId: string, query: string | QueryDefinition<T>): Promise<T> {
  return eventually(() => gateHandle(runId).query<T>(query));
}

export function rolloutHandle(workflowId: string) {
  return client.workflow.getHandle<typeof rollout>(workflowId);
}

/** What names a gate: a run's result, or `openGate`'s. */
type Gate = Pick<FlywheelResult, 'runId' | 'digest'>;

export function decision(run: Gate, overrides: Partial<DecideInput> = {}): DecideInput {
  return {
    outcome: 'approve',
    actor: 'ada',
    reason: 'looks right',
    digest: run.digest,
    ...overrides,
  };
}

export function decide(run: Gate, overrides: Partial<DecideInput> = {}) {
  return gateHandle(run.runId).executeUpdate(decideUpdate, { args: [decision(run, overrides)] });
}

/** The innermost message of what Temporal's client throws. */
export async function messageOf(failing: Promise<unknown>): Promise<string> {
  try {
    await failing;
  } catch (error) {
    let inner = error;
    while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
    return inner instanceof Error ? inner.message : String(inner);
  }
  throw new Error('It did not fail.');
}

/** Waits for a condition; what it throws is not waited out (that is `eventually`). */
export async function untilTrue(check: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error('It never came true.');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
