import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunView } from '../../activities/ports/run-lineage.ts';
import { decide } from '../../cli/runs/decide.ts';
import { rollBack } from '../../cli/runs/roll-back.ts';
import { startRun } from '../../cli/runs/start-run.ts';
import type { Strategy } from '../../domain/experiments/experiment.ts';
import { flywheelId } from '../../workflows/workflow-ids.ts';
import { eventually } from '../support/eventually.ts';
import { type Stack, startStack, type WorkerName } from './support/stack.ts';

const workload = 'help-desk';
/** About 150 records leave some 50 to train on: seconds a training, on a machine with two busy cores. */
const records = 150;
const evalSize = 24;
const minutes = 60_000;

/**
 * The whole story on real services. The tests build on each other: the same records, seed and candidate again
 * and again, so that what a kill changed would show.
 */
describe('one turn of the flywheel', () => {
  let stack: Stack;
  let undisturbed: RunView;
  let killed: RunView;

  beforeAll(async () => {
    stack = await startStack();
    await stack.importTraffic(workload, records);
  });
  afterAll(async () => {
    await stack?.stop();
  });

  it(
    'goes from logged calls to a verdict that waits for a person',
    async () => {
      undisturbed = await runToEnd(stack, ['base', 'icl', 'lora']);

      expect(undisturbed.status).toBe('completed');
      expect(undisturbed.synthetic).toBe(true);
      expect(undisturbed.dataset?.splits.eval).toBe(evalSize);
      expect(undisturbed.experiments.map(({ strategy, status, n }) => ({ strategy, status, n }))).toEqual([
        { strategy: 'base', status: 'succeeded', n: evalSize },
        { strategy: 'icl', status: 'succeeded', n: evalSize },
        { strategy: 'lora', status: 'succeeded', n: evalSize },
      ]);
      expect(undisturbed.approval?.status).toBe('pending');
      expect(await stack.jobsOf(undisturbed.runId)).toMatchObject([{ status: 'succeeded' }]);
    },
    6 * minutes,
  );

  it(
    'survives the death of its workers in training and in evaluation: nothing is lost, trained twice or asked twice',
    async () => {
      stack.modelServer.reset();
      stack.modelServer.delayMs = 150;
      const { runId } = await begin(stack, ['base', 'lora']);

      await eventually(
        async () => expect(await stack.jobsOf(runId)).toMatchObject([{ status: 'running' }]),
        2 * minutes,
      );
      await Promise.all([restart(stack, 'activity worker'), restart(stack, 'workflow worker')]);
      const adapter = await eventually(() => askedAdapter(stack, 6), 4 * minutes);
      await restart(stack, 'activity worker');
      killed = await ended(stack, runId);

      expect(killed.status).toBe('completed');
      expect(killed.dataset?.hash).toBe(undisturbed.dataset?.hash);
      expect(killed.dataset?.id).not.toBe(undisturbed.dataset?.id);
      expect(killed.verdict?.outcome).toBe(undisturbed.verdict?.outcome);
      expect(scoresOf(killed, 'base')).toEqual(scoresOf(undisturbed, 'base'));
      expect(scoresOf(killed, 'lora')).toEqual(scoresOf(undisturbed, 'lora'));
      expect(await stack.jobsOf(runId)).toHaveLength(1);
      // Asked again is at most what was under way at each of the two kills.
      const most = evalSize + 2 * stack.config.defaults.evaluationConcurrency;
      expect(stack.modelServer.asked.get('nano-1m')).toBeLessThanOrEqual(most);
      expect(stack.modelServer.asked.get(adapter)).toBeLessThanOrEqual(most);
      expect(killed.experiments.map((experiment) => experiment.n)).toEqual([evalSize, evalSize]);
      stack.modelServer.delayMs = 0;
    },
    8 * minutes,
  );

  it('makes a job of its own for each run', async () => {
    const [first] = await stack.jobsOf(undisturbed.runId);
    const [second] = await stack.jobsOf(killed.runId);

    expect(first?.id).toBeDefined();
    expect(second?.id).toBeDefined();
    expect(second?.id).not.toBe(first?.id);
  });

  it(
    'leaves no job running when it is cancelled in training',
    async () => {
      const { runId } = await begin(stack, ['lora'], 'slow');
      await eventually(
        async () => expect(await stack.jobsOf(runId)).toMatchObject([{ status: 'running' }]),
        2 * minutes,
      );

      await stack.client.workflow.getHandle(flywheelId(workload)).cancel();
      const cancelled = await ended(stack, runId);

      expect(cancelled.status).toBe('cancelled');
      expect(cancelled.experiments).toMatchObject([{ status: 'cancelled' }]);
      // The run ends only once its job has.
      expect(await stack.jobsOf(runId)).toMatchObject([{ status: 'cancelled' }]);
    },
    4 * minutes,
  );

  it(
    'leaves no job running when the worker that would have ended it is dead',
    async () => {
      const { runId } = await begin(stack, ['lora'], 'slow');
      await eventually(
        async () => expect(await stack.jobsOf(runId)).toMatchObject([{ status: 'running' }]),
        2 * minutes,
      );

      await stack.kill('activity worker');
      await stack.client.workflow.getHandle(flywheelId(workload)).cancel();
      await stack.start('activity worker');
      const cancelled = await ended(stack, runId);

      expect(cancelled.status).toBe('cancelled');
      expect(await stack.jobsOf(runId)).toMatchObject([{ status: 'cancelled' }]);
    },
    4 * minutes,
  );

  it(
    'serves the approved model through the gateway, and gives the traffic back',
    async () => {
      const decision = await decide(stack.client, killed, {
        outcome: 'approve',
        actor: 'ada',
        reason: 'an end-to-end test',
        override: killed.verdict?.outcome !== 'promote',
      });
      const moved = await stack.client.workflow.getHandle(decision.rollout?.workflowId ?? '').result();
      const answer = await chat(stack);
      const trace = await stack.lineage.routes.trace(workload);
      const back = await rollBack(stack.client, { workloadId: workload, actor: 'ada', reason: 'enough' });

      expect(moved).toMatchObject({ outcome: 'moved', version: 1 });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('x-flywheel-route')).toBe('1');
      expect(trace.run?.runId).toBe(killed.runId);
      expect(trace.records.eval).toHaveLength(evalSize);
      expect(back).toMatchObject({ outcome: 'moved', version: 2, model: null });
      const original = await chat(stack);
      expect(original.status).toBe(200);
      expect(original.headers.get('x-flywheel-route')).toBe('2');
      expect(original.headers.get('x-flywheel-model')).toBe('nano-1m');
    },
    3 * minutes,
  );
});

async function restart(stack: Stack, name: WorkerName): Promise<void> {
  await stack.kill(name);
  await stack.start(name);
}

async function begin(
  stack: Stack,
  strategies: Strategy[],
  candidate: 'nano' | 'slow' = 'nano',
): Promise<{ runId: string }> {
  return startRun(stack.client, workload, {
    candidates: [candidate],
    strategies,
    evalSize,
    seed: 1,
    reason: 'e2e',
    requestedBy: 'vitest',
  });
}

async function runToEnd(stack: Stack, strategies: Strategy[]): Promise<RunView> {
  const { runId } = await begin(stack, strategies);
  return ended(stack, runId);
}

async function ended(stack: Stack, runId: string): Promise<RunView> {
  return eventually(async () => {
    const view = await stack.lineage.runs.view(runId);
    expect(view.status).not.toBe('running');
    return view;
  }, 6 * minutes);
}

/** The fine-tuned model, once it was asked so often. */
function askedAdapter(stack: Stack, times: number): string {
  const found = [...stack.modelServer.asked].find(
    ([model, count]) => model.startsWith('ft:') && count >= times,
  );
  expect(found).toBeDefined();
  return found?.[0] ?? '';
}

function scoresOf(view: RunView, strategy: Strategy) {
  return view.experiments.find((experiment) => experiment.strategy === strategy)?.metrics;
}

function chat(stack: Stack): Promise<Response> {
  return fetch(`${stack.config.gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-workload-id': workload, 'cache-control': 'no-cache' },
    body: JSON.stringify({ model: 'nano-1m', messages: [{ role: 'user', content: 'Where is my parcel?' }] }),
  });
}
