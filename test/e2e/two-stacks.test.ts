import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { RunView } from '../../activities/ports/run-lineage.ts';
import { decide } from '../../cli/runs/decide.ts';
import { startRun } from '../../cli/runs/start-run.ts';
import { temporalCacheDir } from '../../cli/setup/cache.ts';
import { findTemporal } from '../../cli/setup/find-temporal.ts';
import { repositoryRoot } from '../../config/config.ts';
import { putSchedule } from '../../wiring/schedules/apply-schedules.ts';
import { scheduleIds } from '../../wiring/schedules/schedule-ids.ts';
import { flywheelId } from '../../workflows/workflow-ids.ts';
import { eventually } from '../support/eventually.ts';
import { type Stack, startStack } from './support/stack.ts';

const workload = 'help-desk';
const minutes = 60_000;
const traffic = { one: 60, two: 80 };

/**
 * Two stacks at once on one Temporal server and one PostgreSQL server (decision 10): a namespace, a database, a
 * home and a port each. Both have a workload of one name, so that whatever they shared would show.
 */
describe('two stacks side by side', () => {
  let one: Stack;
  let two: Stack;
  let runs: { readonly one: RunView; readonly two: RunView };

  beforeAll(async () => {
    // Both get one of their own: `default` has what other tests left.
    const namespaces = ['stack-one', 'stack-two'];
    for (const namespace of namespaces) await makeNamespace(namespace);
    const [first, second] = await Promise.all(
      namespaces.map((namespace) => startStack({ TEMPORAL_NAMESPACE: namespace })),
    );
    if (!first || !second) throw new Error('no stacks');
    [one, two] = [first, second];
    await Promise.all([one.importTraffic(workload, traffic.one), two.importTraffic(workload, traffic.two)]);
  });
  afterAll(async () => {
    await Promise.all([one?.stop(), two?.stop()]);
  });

  it(
    'run at the same time, each on its own records and into its own lineage',
    async () => {
      const [first, second] = await Promise.all([begin(one), begin(two)]);
      runs = { one: await ended(one, first), two: await ended(two, second) };

      expect(runs.one).toMatchObject({ status: 'completed', snapshot: { records: traffic.one } });
      expect(runs.two).toMatchObject({ status: 'completed', snapshot: { records: traffic.two } });
      for (const [stack, runId] of [
        [one, first],
        [two, second],
      ] as const) {
        expect((await stack.lineage.runs.list()).map((run) => run.runId)).toEqual([runId]);
        expect(await flywheelsOf(stack.client)).toEqual([flywheelId(workload)]);
      }
    },
    4 * minutes,
  );

  it(
    'a promotion in one moves the traffic of that one',
    async () => {
      const decision = await decide(one.client, runs.one, {
        outcome: 'approve',
        actor: 'ada',
        reason: 'an end-to-end test',
        override: runs.one.verdict?.outcome !== 'promote',
      });
      await one.client.workflow.getHandle(decision.rollout?.workflowId ?? '').result();

      expect(await routeOf(one)).toBe('1');
      expect(await routeOf(two)).toBe('0');
      expect((await two.lineage.runs.view(runs.two.runId)).approval?.status).toBe('pending');
    },
    3 * minutes,
  );

  it('a schedule of one is no schedule of the other', async () => {
    const weekly = { cadence: 'weekly', workloadId: workload, when: 'sun 03:00', timezone: 'UTC' } as const;

    const { schedule } = await putSchedule(one.client, { ...weekly, source: 'person' });

    await eventually(async () => expect(await scheduleIds(one.client)).toEqual([schedule]));
    expect(await scheduleIds(two.client)).toEqual([]);
  });
});

/** By the production stack's own script. */
async function makeNamespace(namespace: string): Promise<void> {
  const { path } = await findTemporal({ cacheDir: temporalCacheDir(), onProgress: () => {} });
  const env = {
    ...process.env,
    PATH: `${dirname(path)}:${process.env['PATH']}`,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: namespace,
  };
  await promisify(execFile)('/bin/sh', [join(repositoryRoot, 'docker', 'temporal-namespace.sh')], { env });
}

async function begin(stack: Stack): Promise<string> {
  const { runId } = await startRun(stack.client, workload, {
    candidates: ['nano'],
    strategies: ['base'],
    evalSize: 12,
    seed: 1,
    reason: 'e2e',
    requestedBy: 'vitest',
  });
  return runId;
}

function ended(stack: Stack, runId: string): Promise<RunView> {
  return eventually(async () => {
    const view = await stack.lineage.runs.view(runId);
    expect(view.status).not.toBe('running');
    return view;
  }, 3 * minutes);
}

async function flywheelsOf(client: Client): Promise<string[]> {
  const ids: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query: `WorkflowType = 'flywheel'` }))
    ids.push(workflowId);
  return ids;
}

/** Version of the route by which the stack's gateway answers now. */
async function routeOf(stack: Stack): Promise<string | null> {
  const reply = await fetch(`${stack.config.gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-workload-id': workload, 'cache-control': 'no-cache' },
    body: JSON.stringify({ model: 'nano-1m', messages: [{ role: 'user', content: 'Where is my parcel?' }] }),
  });
  expect(reply.status).toBe(200);
  return reply.headers.get('x-flywheel-route');
}
