import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { ExperimentView, RunView } from '../../../activities/ports/run-lineage.ts';
import { decide } from '../../../cli/runs/decide.ts';
import { startRun } from '../../../cli/runs/start-run.ts';
import type { SafetySummary } from '../../../domain/guardrails/safety.ts';
import { eventually } from '../../support/eventually.ts';
import type { Stack } from './stack.ts';

export const minutes = 60_000;
export const evalSize = 6;

export function start(stack: Stack, workloadId: string) {
  return startRun(stack.client, workloadId, {
    ...{ candidates: ['nano'], evalSize, seed: 1, reason: 'e2e', requestedBy: 'vitest' },
  });
}

export async function ended(stack: Stack, runId: string): Promise<RunView> {
  const run = await eventually(async () => {
    const view = await stack.lineage.runs.view(runId);
    expect(view.status).not.toBe('running');
    return view;
  }, 10 * minutes);
  expect(run.failure).toBeUndefined();
  return run;
}

export async function turn(stack: Stack, workloadId: string): Promise<RunView> {
  return ended(stack, (await start(stack, workloadId)).runId);
}

export function safetyOf({ experiments }: RunView): SafetySummary {
  const { safety } = experiments[0] ?? {};
  if (safety?.status === 'checked') return safety;
  throw new Error(`its safety was not checked: ${JSON.stringify(safety)}`);
}

export function countsOf(experiment: ExperimentView | undefined) {
  if (experiment?.safety?.status !== 'checked') return null;
  const { passed, blocked, categories } = experiment.safety;
  return { passed, blocked, categories };
}

export function approve(stack: Stack, run: RunView) {
  const by = { outcome: 'approve', actor: 'ada', reason: 'an end-to-end test', override: false } as const;
  return decide(stack.client, run, by);
}

export async function rollOut(stack: Stack, run: RunView): Promise<void> {
  const { rollout } = await approve(stack, run);
  const moved = await stack.client.workflow.getHandle(rollout?.workflowId ?? '').result();
  expect(moved).toMatchObject({ outcome: 'moved' });
}

export async function put(stack: Stack, workload: string, entry: object): Promise<void> {
  const reply = await fetch(`${stack.config.gateway.url}/v1/workloads/${workload}/policy`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(entry),
  });
  expect([reply.status, await reply.text()]).toEqual([200, expect.any(String)]);
}

export function gatewayLog({ config }: Stack): Promise<string> {
  return readFile(join(config.home, 'logs', 'gateway.log'), 'utf8');
}

export async function live(stack: Stack, workload: string) {
  const reply = await fetch(`${stack.config.gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-workload-id': workload },
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
