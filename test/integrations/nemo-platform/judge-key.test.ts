import postgres from 'postgres';
import { expect, onTestFinished, test } from 'vitest';
import { createJudgeEvaluation } from '../../../activities/judge-evaluation.ts';
import { createChatModel } from '../../../integrations/nemo-platform/chat-model.ts';
import { createJobsClient } from '../../../integrations/nemo-platform/jobs.ts';
import { createJudgeJobs } from '../../../integrations/nemo-platform/judge.ts';
import type { NemoPlatformSettings } from '../../../integrations/nemo-platform/settings.ts';
import { createTransport } from '../../../integrations/nemo-platform/transport.ts';
import { openLineage } from '../../../wiring/open-lineage.ts';
import { anAttempt, runIn } from '../../support/activity-environment.ts';
import { createTestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { anExample } from '../../support/experiments.ts';
import { anItem, aServing, aSpec, openedRun } from '../../support/lineage.ts';
import { aWorkspaceServing } from '../../support/nemo-platform.ts';
import { startScriptedJudge } from '../../support/scripted-judge.ts';

const key = 'nvapi-0f1e2d3c4b5a69788796a5b4c3d2e1f0';
const runId = 'run-1';
const evaluationId = 'eval-1';
const recordIds = ['rec_1', 'rec_2', 'rec_3'];

/** A lineage with an evaluation of three answers, to be judged by a model that wants a key. */
async function setup() {
  const judge = await startScriptedJudge(
    // The second answer is refused, in words that quote the key.
    ({ candidate_answer: given }) =>
      given === 'answer of rec_2' ? { status: 422 } : { score: 0.75, reason: 'good enough' },
    { model: 'keyed', key },
  );
  onTestFinished(() => judge.close());
  const settings = await aWorkspaceServing('keyed', judge.baseUrl, key);
  const database = await createTestDatabase();
  const lineage = openLineage({ database: { url: database.url, embedded: false } });
  onTestFinished(async () => {
    await lineage.close();
    await database.drop();
  });
  await openedRun(lineage, runId);
  const spec = aSpec(runId, 'base');
  await lineage.experiments.open(runId, spec);
  const { experimentId } = spec;
  const datasetId = `data-${runId}`;
  await lineage.evaluations.open({
    ...{ evaluationId, experimentId, datasetId, serving: aServing('m'), total: 3 },
  });
  const items = recordIds.map((recordId) => {
    const response = { choices: [{ message: { role: 'assistant', content: `answer of ${recordId}` } }] };
    return anItem(recordId, { recordId, response });
  });
  await lineage.evaluations.storeItems(evaluationId, items);
  return { settings, database, lineage, datasetId };
}

async function* lines(): AsyncIterable<string> {
  for (const recordId of recordIds) yield JSON.stringify(anExample(1, { recordId }));
}

test('a judge’s key is a secret of the platform: in no job of ours, and in no row that we write', async () => {
  const { settings, database, lineage, datasetId } = await setup();
  const { judgeEvaluation } = createJudgeEvaluation(
    {
      ...{ artifacts: { readLines: lines }, lineage },
      chatModels: () => createChatModel(settings),
      judgeServices: () => createJudgeJobs(settings),
    },
    {
      ...{ concurrency: 2, itemTimeoutMs: 60_000, backoffMs: 1 },
      remote: { pollMs: 500, silenceMs: 60_000 },
    },
  );
  const judge = { provider: 'nemo', model: 'keyed', rubric: 'Is it good enough?' };

  const summary = await runIn(anAttempt(), judgeEvaluation, { evaluationId, datasetId, judge, runId });

  expect(summary).toEqual({ score: 0.75, n: 3, failed: 1, failures: { provider_error: 1 } });
  const rows = await allRows(database.url);
  expect(rows).toContain('good enough');
  expect(rows).toContain('not this one');
  expect(rows).not.toContain(key);
  const jobs = await eventually(async () => {
    const texts = await jobTexts(settings);
    // The evaluator's log tells of the refusal, in the words that it got.
    expect(texts.join()).toContain('not this one, [redacted]');
    return texts;
  });
  expect(jobs).toHaveLength(1);
  expect(jobs.join()).toContain('llm-judge');
  expect(jobs.join()).not.toContain(key);
}, 600_000);

/** Every row of every table of ours, as text. */
async function allRows(url: string): Promise<string> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    const tables = await sql<{ name: string }[]>`
      select format('%I.%I', schemaname, tablename) as name from pg_tables
      where schemaname in ('public', 'flywheel_logs')`;
    const texts = await Promise.all(
      tables.map(({ name }) => sql.unsafe<{ row: string }[]>(`select t::text as row from ${name} t`)),
    );
    return texts.flatMap((found) => found.map(({ row }) => row)).join('\n');
  } finally {
    await sql.end();
  }
}

/** The workspace's jobs as the evaluator keeps them, with the bodies that we sent, and their logs. */
async function jobTexts(settings: NemoPlatformSettings): Promise<string[]> {
  const transport = createTransport(settings);
  const jobs = createJobsClient(settings, transport);
  const evaluator = `${settings.url}/apis/evaluator/v2/workspaces/${settings.workspace}/evaluate/jobs`;
  return Promise.all(
    (await jobs.list()).map(async ({ name }) => {
      const reply = await fetch(`${evaluator}/${name}`);
      expect(reply.status).toBe(200);
      return [await reply.text(), ...(await jobs.log(name, 1_000))].join('\n');
    }),
  );
}
