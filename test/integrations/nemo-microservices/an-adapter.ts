import { expect } from 'vitest';
import { defaultLora } from '../../../domain/experiments/defaults.ts';
import type { NemoSettings } from '../../../integrations/nemo-microservices/settings.ts';
import { createTrainer } from '../../../integrations/nemo-microservices/trainer.ts';
import { eventually } from '../../support/eventually.ts';
import { inMemoryArtifacts } from '../../support/in-memory-artifacts.ts';

/** A row in OpenAI's form. */
function aRow(n: number): string {
  const call = { id: 'call_1', type: 'function', function: { name: 'payday', arguments: '{}' } };
  const tool = {
    type: 'function',
    function: { name: 'payday', parameters: { type: 'object', properties: {} } },
  };
  return JSON.stringify({
    messages: [
      { role: 'user', content: `when is payday, asked for the ${n}th time` },
      { role: 'assistant', content: null, tool_calls: [call] },
    ],
    tools: [tool],
  });
}

/** A request for the shortest training there is. */
export async function aRequest(artifacts: ReturnType<typeof inMemoryArtifacts>, baseModel: string) {
  return {
    key: `run-${Math.random().toString(36).slice(2)}`,
    baseModel,
    train: await artifacts.putLines(Array.from({ length: 8 }, (_, n) => aRow(n))),
    validation: await artifacts.putLines([aRow(100)]),
    hyperparameters: { ...defaultLora, epochs: 1, batchSize: 8, rank: 4, alpha: 4 },
    seed: 1,
    suffix: 'hr-questions',
    metadata: { run_id: 'run-20261121t080000z-ab12', workload_id: 'hr-questions', dataset_id: 'data-1' },
  };
}

/** The id of an adapter that has just been trained. */
export async function anAdapter(settings: NemoSettings, baseModel: string): Promise<string> {
  const artifacts = inMemoryArtifacts();
  const trainer = createTrainer(settings, artifacts);
  const { id } = await trainer.launch(await aRequest(artifacts, baseModel));
  return eventually(async () => {
    const job = await trainer.get(id);
    expect(job).toMatchObject({ status: 'succeeded', error: null });
    return job.model ?? '';
  }, 540_000);
}
