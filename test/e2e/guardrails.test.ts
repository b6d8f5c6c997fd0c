import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExperimentView, RunView } from '../../activities/ports/run-lineage.ts';
import { decide } from '../../cli/runs/decide.ts';
import { startRun } from '../../cli/runs/start-run.ts';
import type { SafetySummary } from '../../domain/guardrails/safety.ts';
import { eventually } from '../support/eventually.ts';
import { aWorkspace } from '../support/nemo-platform.ts';
import { type Stack, startStack } from './support/stack.ts';

const minutes = 60_000;
const evalSize = 6;
/** Any answer of nano-1m's has a letter in it. */
const rule = "letters: '[A-Za-z]'";
const forbidden = `{ answers: { ${rule} } }`;

/** Lets everything through, and tells what it saw. */
const lenient = 'lenient';
/** Forbids what nano-1m says; Flywheel checks. */
const strict = 'strict';
/** The same, and NeMo Guardrails checks. */
const strictAtNemo = 'strict-at-nemo';

/** Guardrails from the policy to the verdict, the gate and the gateway, on real services. */
describe('guardrails', () => {
  let stack: Stack;
  let held: RunView;

  beforeAll(async () => {
    const { url, workspace } = await aWorkspace();
    stack = await startStack({}, { candidates: candidatesFile(url, workspace), workloads: workloadsFile });
    for (const workload of [lenient, strict, strictAtNemo]) await stack.importTraffic(workload, 80);
  });
  afterAll(async () => {
    await stack?.stop();
  });

  it(
    'block a promotion where the candidate’s own answers break a rule, and say which how often',
    async () => {
      held = await turn(stack, strict);

      const safety = safetyOf(held);
      expect(held.verdict).toMatchObject({ outcome: 'hold', winner: 'nano/base' });
      expect(held.verdict?.reason).toContain(`pass the safety set in ${safety.passed} of ${safety.n}`);
      expect(held.verdict?.reason).toContain('most often stopped by answers.letters');
      expect(safety.n).toBe(30);
      expect(safety.blocked['answers.letters']).toBeGreaterThan(20);
      await expect(approve(stack, held)).rejects.toThrow(/override/);
    },
    4 * minutes,
  );

  it(
    'come to the same with NeMo Guardrails: the same answers, the same rule, the same counts',
    async () => {
      const run = await turn(stack, strictAtNemo);

      const { checkId: _ours, ...ours } = safetyOf(held);
      const { checkId: _theirs, ...theirs } = safetyOf(run);
      expect(theirs).toEqual(ours);
      expect(run.verdict?.outcome).toBe('hold');
    },
    5 * minutes,
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
      }, 2 * minutes);

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
    4 * minutes,
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
    4 * minutes,
  );

  it(
    'are enforced in the gateway by a policy that comes while it runs, and no longer by one that takes them back',
    async () => {
      const loud = { threshold: 0, guardrails: { answers: { letters: '[A-Za-z]' }, enforce: true } };
      const before = await live(stack);
      await put(stack, loud);
      const during = await eventually(async () => {
        const reply = await live(stack);
        expect(reply.finish).toBe('content_filter');
        return reply;
      });
      await put(stack, { ...loud, guardrails: { ...loud.guardrails, provider: 'platform' } });
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      const byNemo = await live(stack);
      await put(stack, { ...loud, guardrails: { ...loud.guardrails, enforce: false } });

      const after = await eventually(async () => {
        const reply = await live(stack);
        expect(reply.finish).not.toBe('content_filter');
        return reply;
      });
      expect(during).toMatchObject({ status: 200, model: 'nano-1m', blocked: 'answer' });
      expect(byNemo).toMatchObject({ status: 200, finish: 'content_filter', blocked: 'answer' });
      expect(after.said).toEqual(before.said);
    },
    3 * minutes,
  );
});

function candidatesFile(platformUrl: string, workspace: string): string {
  return `
providers:
  platform: { kind: nemo-platform, url: '${platformUrl}', workspace: ${workspace} }
candidates:
  - { name: nano, model: nano-1m, strategies: [base], max_tokens: 24 }
`;
}

const workloadsFile = `
default: { threshold: 0 }
workloads:
  ${lenient}: { guardrails: { min_pass: 0 } }
  ${strict}: { guardrails: ${forbidden} }
  ${strictAtNemo}: { guardrails: { answers: { ${rule} }, provider: platform } }
`;

function start(stack: Stack, workloadId: string) {
  return startRun(stack.client, workloadId, {
    ...{ candidates: ['nano'], evalSize, seed: 1, reason: 'e2e', requestedBy: 'vitest' },
  });
}

async function ended(stack: Stack, runId: string): Promise<RunView> {
  const run = await eventually(async () => {
    const view = await stack.lineage.runs.view(runId);
    expect(view.status).not.toBe('running');
    return view;
  }, 3 * minutes);
  expect(run.failure).toBeUndefined();
  return run;
}

async function turn(stack: Stack, workloadId: string): Promise<RunView> {
  return ended(stack, (await start(stack, workloadId)).runId);
}

function safetyOf({ experiments }: RunView): SafetySummary {
  const { safety } = experiments[0] ?? {};
  if (safety?.status === 'checked') return safety;
  throw new Error(`its safety was not checked: ${JSON.stringify(safety)}`);
}

function countsOf(experiment: ExperimentView | undefined) {
  if (experiment?.safety?.status !== 'checked') return null;
  const { passed, blocked, categories } = experiment.safety;
  return { passed, blocked, categories };
}

function approve(stack: Stack, run: RunView) {
  const by = { outcome: 'approve', actor: 'ada', reason: 'an end-to-end test', override: false } as const;
  return decide(stack.client, run, by);
}

async function rollOut(stack: Stack, run: RunView): Promise<void> {
  const { rollout } = await approve(stack, run);
  const moved = await stack.client.workflow.getHandle(rollout?.workflowId ?? '').result();
  expect(moved).toMatchObject({ outcome: 'moved' });
}

async function put(stack: Stack, entry: object): Promise<void> {
  const reply = await fetch(`${stack.config.gateway.url}/v1/workloads/${lenient}/policy`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(entry),
  });
  expect([reply.status, await reply.text()]).toEqual([200, expect.any(String)]);
}

async function live(stack: Stack) {
  const reply = await fetch(`${stack.config.gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-workload-id': lenient },
    body: JSON.stringify({
      model: 'the-original',
      messages: [{ role: 'user', content: 'where is my order' }],
    }),
  });
  const body = (await reply.json()) as {
    choices?: { message: { content: string | null; tool_calls?: object[] }; finish_reason: string }[];
  };
  const [choice] = body.choices ?? [];
  return {
    status: reply.status,
    model: reply.headers.get('x-flywheel-model'),
    blocked: reply.headers.get('x-flywheel-blocked'),
    finish: choice?.finish_reason ?? JSON.stringify(body),
    said: choice?.message.content ?? null,
  };
}
