import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { EvaluatedRow, EvaluationRow } from '../../../activities/ports/evaluator.ts';
import type { Inventory, KeptThing } from '../../../activities/ports/inventory.ts';
import { createEvaluator } from '../../../integrations/nemo-platform/evaluator.ts';
import { createInventory } from '../../../integrations/nemo-platform/inventory.ts';
import { aWorkspace } from '../../support/nemo-platform.ts';

const prompt =
  'Rate the answer "{{ sample.output_text }}" against "{{ item.reference_text }}" as JSON {"score": 0…10}.';

test('a judge whose words are no JSON leaves no score, is counted, and stops nobody', async () => {
  const settings = await aWorkspace();
  // The small model answers, but in no JSON.
  const evaluator = createEvaluator(settings, { model: 'flywheel/nano-1m', prompt });
  const rows: EvaluationRow[] = ['hello', 'who are you'].map((content, n) => ({
    itemId: `item-${n}`,
    body: { messages: [{ role: 'user', content }], temperature: 0, max_tokens: 8 },
    target: { role: 'assistant', content: 'hello' },
  }));

  const { id } = await evaluator.launch({
    key: `judged-${Date.now()}`,
    model: 'nano-1m',
    rows,
    metadata: {},
  });
  let job = await evaluator.get(id);
  while (job.status === 'queued' || job.status === 'running') {
    await sleep(500);
    job = await evaluator.get(id);
  }

  const results: EvaluatedRow[] = [];
  for await (const row of evaluator.results(id)) results.push(row);
  expect(job).toMatchObject({ status: 'succeeded' });
  expect(results.map(({ itemId }) => itemId).sort()).toEqual(['item-0', 'item-1']);
  for (const { metrics, error } of results) {
    expect(error).toBeNull();
    expect(metrics).toMatchObject({ 'llm-judge.score': null, 'string-check': expect.any(Number) as number });
  }

  const inventory = createInventory(settings);
  const ours = await collected(inventory);
  expect(ours).toContainEqual({ kind: 'job', id, createdAt: expect.any(String) as string });
  expect(ours.map(({ kind }) => kind)).toContain('fileset');
  // What was there before us is not listed: the base model's route, the provider.
  expect(ours.map((thing) => thing.id)).not.toContain('flywheel/nano-1m');
  const foreign = inventory.remove({ kind: 'virtual model', id: 'flywheel/nano-1m' });
  await expect(foreign).rejects.toMatchObject({ name: 'RejectedError' });
  for (const thing of ours) await inventory.remove(thing);
  expect(await collected(inventory)).toEqual([]);
}, 300_000);

async function collected(inventory: Inventory): Promise<KeptThing[]> {
  const things: KeptThing[] = [];
  for await (const thing of inventory.list()) things.push(thing);
  return things;
}
