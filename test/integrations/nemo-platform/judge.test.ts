import { expect, test } from 'vitest';
import { judgingKey } from '../../../activities/idempotency-keys.ts';
import type { Judging } from '../../../activities/judge.ts';
import { judgeByChat } from '../../../activities/judge-by-chat.ts';
import { judgeByJob } from '../../../activities/judge-by-job.ts';
import type { Inventory, KeptThing } from '../../../activities/ports/inventory.ts';
import type { Judgement } from '../../../domain/judging/judge.ts';
import { createChatModel } from '../../../integrations/nemo-platform/chat-model.ts';
import { createInventory } from '../../../integrations/nemo-platform/inventory.ts';
import { createJudgeJobs } from '../../../integrations/nemo-platform/judge.ts';
import { describeJudge, scriptedModel } from '../../contracts/judge.contract.ts';
import { anAttempt, runIn } from '../../support/activity-environment.ts';
import { anExample } from '../../support/experiments.ts';
import { aWorkspace, aWorkspaceServing } from '../../support/nemo-platform.ts';

const timing = { pollMs: 500, silenceMs: 60_000 };
const asking = { concurrency: 2, timeoutMs: 60_000, backoffMs: 1 };

describeJudge('NeMo Platform’s Evaluator', async ({ baseUrl }) => {
  const settings = await aWorkspaceServing(scriptedModel, baseUrl);
  return judgeByJob(createJudgeJobs(settings), judgeByChat(createChatModel(settings), asking), timing);
});

test('one job per key, whoever asks; a judge that keeps to no form is counted; all is ours to clean up', async () => {
  const settings = await aWorkspace();
  const jobs = createJudgeJobs(settings);
  const judge = judgeByJob(jobs, judgeByChat(createChatModel(settings), asking), timing);
  // The small model refuses structured output, and without it answers in no JSON.
  const by = { provider: 'nemo', model: 'nano-1m', rubric: 'Is it polite?' };
  const evaluation = { runId: 'run-1', evaluationId: `eval-${Date.now()}`, judge: by };
  const made: Record<string, Judgement[]> = { one: [], two: [] };
  const judging: Judging = {
    ...{ ...evaluation, signal: AbortSignal.timeout(500_000) },
    store: async (itemId, judgement) => void made[itemId]?.push(judgement),
  };
  const answers = Object.keys(made).map((itemId) => ({
    ...{ itemId, example: anExample(1), answer: { kind: 'text' as const, text: 'hi' } },
  }));

  // As where one attempt was given up and lives on beside the next.
  await Promise.all([1, 2].map(() => runIn(anAttempt(), () => judge(judging, answers))));

  const unparsable = expect.objectContaining({ score: null, failure: 'unparsable' }) as Judgement;
  expect(made).toEqual({ one: [unparsable, unparsable], two: [unparsable, unparsable] });
  const [job] = await jobs.findAll(judgingKey(evaluation, 1));
  expect(job).toMatchObject({ status: 'succeeded' });
  expect(await jobs.findAll(judgingKey(evaluation, 2))).toEqual([]);

  const inventory = createInventory(settings);
  const ours = await collected(inventory);
  expect(ours).toContainEqual({
    kind: 'job',
    role: 'work',
    id: job?.id,
    createdAt: expect.any(String) as string,
    runId: 'run-1',
  });
  expect(ours.map(({ kind }) => kind)).toContain('fileset');
  // What was there before us is not listed: the base model's route, the provider.
  expect(ours.map((thing) => thing.id)).not.toContain('flywheel/nano-1m');
  const foreign = inventory.remove({ kind: 'virtual model', id: 'flywheel/nano-1m' });
  await expect(foreign).rejects.toMatchObject({ name: 'RejectedError' });
  for (const thing of ours) await inventory.remove(thing);
  expect(await collected(inventory)).toEqual([]);
}, 600_000);

async function collected(inventory: Inventory): Promise<KeptThing[]> {
  const things: KeptThing[] = [];
  for await (const thing of inventory.list()) things.push(thing);
  return things;
}
