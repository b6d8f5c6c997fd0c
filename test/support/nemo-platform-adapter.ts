import { setTimeout as sleep } from 'node:timers/promises';
import { type FineTuneRequest, hasEnded } from '../../activities/ports/trainer.ts';
import { defaultLora } from '../../domain/experiments/defaults.ts';
import type { NemoPlatformSettings } from '../../integrations/nemo-platform/settings.ts';
import { createTrainer } from '../../integrations/nemo-platform/trainer.ts';
import { inMemoryArtifacts } from './in-memory-artifacts.ts';

const tool = {
  type: 'function',
  function: { name: 'pto_balance', parameters: { type: 'object', properties: {} } },
};

/** A training row in OpenAI's form. */
export function trainingRow(n: number): string {
  const call = { id: 'call_1', type: 'function', function: { name: 'pto_balance', arguments: '{}' } };
  return JSON.stringify({
    messages: [
      { role: 'user', content: `how many days off do I have left, asked for the ${n}th time` },
      { role: 'assistant', content: null, tool_calls: [call] },
    ],
    tools: [tool],
  });
}

const artifacts = inMemoryArtifacts();

/** A trainer over rows of its own, and what to ask of it: two steps unless said. */
export async function aTraining(
  settings: NemoPlatformSettings,
  overrides: Partial<FineTuneRequest> = {},
  rows = 16,
) {
  const request: FineTuneRequest = {
    key: `run-${Math.random().toString(36).slice(2)}`,
    baseModel: 'nano-1m',
    train: await artifacts.putLines(Array.from({ length: rows }, (_, n) => trainingRow(n))),
    validation: await artifacts.putLines([]),
    hyperparameters: { ...defaultLora, epochs: 1, batchSize: 8, rank: 4, alpha: 4 },
    seed: 1,
    suffix: 'test',
    metadata: { run_id: `run-${Math.random().toString(36).slice(2)}` },
    ...overrides,
  };
  return { trainer: createTrainer(settings, artifacts), request };
}

/** An adapter that was trained there, and is not deployed: its id. */
export async function anAdapter(settings: NemoPlatformSettings, suffix: string): Promise<string> {
  const { trainer, request } = await aTraining(settings, { suffix });
  const { id } = await trainer.launch(request);
  for (;;) {
    const job = await trainer.get(id);
    if (job.model !== null) return job.model;
    if (hasEnded(job)) throw new Error(`the adapter's training ended ${job.status}: ${job.error}`);
    await sleep(500);
  }
}
