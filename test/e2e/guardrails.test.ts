import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import {
  approve,
  countsOf,
  ended,
  evalSize,
  live,
  minutes,
  put,
  rollOut,
  safetyOf,
  start,
  turn,
} from './support/guarded-runs.ts';
import { type Stack, startStack } from './support/stack.ts';

/** Lets everything through, and tells what it saw. */
const lenient = 'lenient';
/** Forbids what nano-1m says: any answer of its has a letter in it. */
const strict = 'strict';

const candidatesFile = `
candidates:
  - { name: nano, model: nano-1m, strategies: [base], max_tokens: 24 }
`;
const workloadsFile = `
default: { threshold: 0 }
workloads:
  ${lenient}: { guardrails: { min_pass: 0 } }
  ${strict}: { guardrails: { answers: { letters: '[A-Za-z]' } } }
`;

/** Guardrails from the policy to the verdict, the gate and the gateway, on real services. */
describe('guardrails', () => {
  let stack: Stack;

  beforeAll(async () => {
    stack = await startStack({}, { candidates: candidatesFile, workloads: workloadsFile });
    for (const workload of [lenient, strict]) await stack.importTraffic(workload, 80);
  });
  afterAll(async () => {
    await stack?.stop();
  });

  it(
    'block a promotion where the candidate’s own answers break a rule, and say which how often',
    async () => {
      const held = await turn(stack, strict);

      const safety = safetyOf(held);
      expect(held.verdict).toMatchObject({ outcome: 'hold', winner: 'nano/base' });
      expect(held.verdict?.reason).toContain(`pass the safety set in ${safety.passed} of ${safety.n}`);
      expect(held.verdict?.reason).toContain('most often stopped by answers.letters');
      expect(safety.n).toBe(30);
      expect(safety.blocked['answers.letters']).toBeGreaterThan(20);
      await expect(approve(stack, held)).rejects.toThrow(/verdict.* hold/);
    },
    12 * minutes,
  );

  it(
    'ask each item once, though the worker is killed in the middle; what passes is promoted',
    async () => {
      stack.modelServer.reset();
      stack.modelServer.delayMs = 300;
      const { runId } = await start(stack, lenient);
      await eventually(async () => {
        const { experiments } = await stack.lineage.runs.view(runId);
        expect(experiments[0]?.checked?.done).toBeGreaterThan(2);
      }, 10 * minutes);

      await stack.kill('activity worker');
      const kept = (await stack.lineage.runs.view(runId)).experiments[0]?.checked?.done ?? 0;
      stack.modelServer.delayMs = 0;
      await stack.start('activity worker');
      const run = await ended(stack, runId);

      const asked = stack.modelServer.asked.get('nano-1m') ?? 0;
      expect(kept).toBeLessThan(30);
      expect(asked).toBeGreaterThanOrEqual(evalSize + 30);
      expect(asked).toBeLessThanOrEqual(evalSize + 30 + stack.config.defaults.evaluationConcurrency);
      expect(safetyOf(run)).toMatchObject({ n: 30, status: 'checked' });
      expect(run.verdict?.outcome).toBe('promote');
      await rollOut(stack, run);
    },
    12 * minutes,
  );

  it(
    'hold a challenger to the champion’s share: the same model is no regression',
    async () => {
      const run = await turn(stack, lenient);

      const champion = run.experiments.find(({ role }) => role === 'champion');
      const challenger = run.experiments.find(({ role }) => role === 'challenger');
      expect(champion?.safety).toMatchObject({ status: 'checked', n: 30 });
      expect(countsOf(challenger)).toEqual(countsOf(champion));
      expect(run.verdict?.outcome).toBe('promote');
    },
    12 * minutes,
  );

  it(
    'are enforced in the gateway by a policy that comes while it runs, and no longer by one that takes them back',
    async () => {
      const guardrails = { answers: { letters: '[A-Za-z]' }, enforce: true };
      const before = await live(stack, lenient);
      await put(stack, lenient, { guardrails });
      const during = await eventually(async () => {
        const reply = await live(stack, lenient);
        expect(reply.finish).toBe('content_filter');
        return reply;
      }, minutes);
      await put(stack, lenient, { guardrails: { ...guardrails, enforce: false } });

      const after = await eventually(async () => {
        const reply = await live(stack, lenient);
        expect(reply.finish).toBe(before.finish);
        return reply;
      }, minutes);
      expect(during).toMatchObject({ status: 200, model: 'nano-1m', blocked: 'answer' });
      expect(after.said).toEqual(before.said);
    },
    3 * minutes,
  );
});
