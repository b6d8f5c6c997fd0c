import picocolors from 'picocolors';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { RunView } from '../../activities/ports/run-lineage.ts';
import { leaderboard } from '../../cli/render/leaderboard.ts';
import { decide } from '../../cli/runs/decide.ts';
import { startRun } from '../../cli/runs/start-run.ts';
import type { ExperimentReport, ServingSpec } from '../../domain/experiments/experiment.ts';
import { joinFewShot } from '../../domain/experiments/few-shot.ts';
import { readIndex } from '../../domain/experiments/few-shot-index.ts';
import { selectSimilar } from '../../domain/experiments/similar-examples.ts';
import type { JsonObject } from '../../domain/json.ts';
import { openArtifactStore } from '../../wiring/open-artifact-store.ts';
import { experimentWorkflowId } from '../../workflows/workflow-ids.ts';
import { eventually } from '../support/eventually.ts';
import { type Said, type ScriptedJudge, type Shown, startScriptedJudge } from '../support/scripted-judge.ts';
import { type Stack, startStack } from './support/stack.ts';

const workload = 'help-desk';
/** Judged by the model that answers, which has never seen a rubric. */
const selfJudged = 'help-desk-self-judged';
const records = 100;
const evalSize = 12;
const minutes = 60_000;
const rubric = 'The same tool with the same arguments, or the same refusal.';

interface Question extends JsonObject {
  model: string;
  messages: { role: string; content: string }[];
}

/** Few-shot examples by likeness, and a judge, from the policy to the promoted route, on real services. */
describe('few-shot examples by likeness, judged', () => {
  let judge: ScriptedJudge;
  let stack: Stack;
  let run: RunView;
  let report: ExperimentReport;
  let asked: Question[];

  beforeAll(async () => {
    judge = await startScriptedJudge(byRule);
    stack = await startStack({}, { candidates: candidatesFile(judge.baseUrl), workloads: workloadsFile });
    await Promise.all([stack.importTraffic(workload, records), stack.importTraffic(selfJudged, records)]);
  });
  afterAll(async () => {
    await stack?.stop();
    await judge?.close();
  });

  it(
    'keeps an index of the training data with the experiment, embedded by the model server',
    async () => {
      ({ run, report } = await turn(stack, workload));
      asked = [...questionsOf(stack)];

      const index = readIndex(
        await openArtifactStore(stack.config).readText(servingOf(report).fewShotUri ?? ''),
      );
      const trained = await trainingRecords(stack, run);

      expect(report.serving?.similarity).toMatchObject({
        provider: 'local',
        model: 'nano-1m',
        maxExamples: 2,
      });
      expect(index.length).toBeGreaterThan(2);
      expect(index.filter(({ recordId }) => !trained.has(recordId))).toEqual([]);
      for (const { embedding } of index) expect(Math.hypot(...embedding)).toBeCloseTo(1, 3);
    },
    2 * minutes,
  );

  it('asks each question with the examples that are most like it', async () => {
    const fewShots = asked.map(fewShotOf);

    const wanted = await Promise.all(asked.map((question) => chosenFor(stack, report, question)));

    expect(asked).toHaveLength(evalSize);
    expect(fewShots).toEqual(wanted);
    expect(new Set(fewShots).size).toBeGreaterThan(1);
  });

  it('shows what the judge thought, its failures counted, in report, lineage and leaderboard', () => {
    const shown = run.experiments.find(({ strategy }) => strategy === 'icl');
    const noAnswer = evalSize - judge.judged.length;
    const scores = judge.judged.flatMap(({ said }) => (typeof said === 'string' ? [] : [said.score]));
    const failed = judge.judged.length - scores.length;

    // An answer that was none scores 0 without being asked about; a judge out of form gives no score.
    const expected = {
      score: expect.closeTo(
        scores.reduce((sum, one) => sum + one, 0) / (scores.length + noAnswer),
        9,
      ) as number,
      n: evalSize,
      failed,
      failures: failed > 0 ? { unparsable: failed } : {},
    };
    expect(failed).toBeGreaterThan(0);
    expect(scores.length).toBeGreaterThan(0);
    expect(report.evaluation?.judge).toEqual(expected);
    expect(shown?.judge).toEqual(expected);
    expect(leaderboard(run, picocolors.createColors(false))).toContain(`% (${failed} unjudged)`);
    expect(judge.judged.every((one) => one.rubric.includes(rubric))).toBe(true);
  });

  it(
    'serves the approved route with the same examples, chosen for each call anew',
    async () => {
      const decision = await decide(stack.client, run, {
        ...{ outcome: 'approve', actor: 'ada', reason: 'an end-to-end test' },
        override: run.verdict?.outcome !== 'promote',
      });
      await stack.client.workflow.getHandle(decision.rollout?.workflowId ?? '').result();
      stack.modelServer.reset();

      const replies: Response[] = [];
      for (const question of asked.slice(0, 3)) replies.push(await askGateway(stack, question));

      expect(replies.map(({ status }) => status)).toEqual([200, 200, 200]);
      expect(replies.map(({ headers }) => headers.get('x-flywheel-route'))).toEqual(['1', '1', '1']);
      expect(questionsOf(stack).map(fewShotOf)).toEqual(asked.slice(0, 3).map(fewShotOf));
    },
    2 * minutes,
  );

  it(
    'counts every judgement that a judge cannot give, and reaches its verdict without it',
    async () => {
      const judged = await turn(stack, selfJudged);

      const found = judged.report.evaluation?.judge;
      // The model server holds nobody to a schema, and nano-1m never writes one by itself.
      const unanswered = evalSize - (found?.failed ?? 0);
      expect(judged.run).toMatchObject({ status: 'completed', approval: { status: 'pending' } });
      expect(found).toMatchObject({ n: evalSize, score: unanswered === 0 ? null : 0 });
      expect(found?.failed).toBeGreaterThan(0);
      expect(Object.values(found?.failures ?? {}).reduce((sum, one) => sum + one, 0)).toBe(found?.failed);
      expect(judged.run.experiments[0]?.judge).toEqual(found);
    },
    2 * minutes,
  );
});

/** Exact is best; and for one question in three it forgets the form. */
function byRule({ conversation, reference_answer: reference, candidate_answer: candidate }: Shown): Said {
  const question = JSON.stringify(conversation.findLast(({ role }) => role === 'user')?.content);
  if (question.length % 3 === 0) return 'I would give this answer a 7 out of 10.';
  const same = JSON.stringify(reference) === JSON.stringify(candidate);
  return same ? { score: 1, reason: 'The same.' } : { score: 0.25, reason: 'Another answer.' };
}

function candidatesFile(judgeUrl: string): string {
  return `
providers:
  graders: { url: '${judgeUrl}' }
candidates:
  - name: nano
    model: nano-1m
    strategies: [icl]
    icl: { selection: similar, max_examples: 2 }
    max_tokens: 24
`;
}

const workloadsFile = `
default:
  threshold: 0.01
workloads:
  ${workload}:
    judge: { provider: graders, model: judge-1, rubric: '${rubric}' }
  ${selfJudged}:
    judge: { provider: local, model: nano-1m }
`;

async function turn(stack: Stack, workloadId: string): Promise<{ run: RunView; report: ExperimentReport }> {
  const { runId } = await startRun(stack.client, workloadId, {
    ...{ candidates: ['nano'], strategies: ['icl'], evalSize, seed: 1, reason: 'e2e', requestedBy: 'vitest' },
  });
  const run = await eventually(async () => {
    const view = await stack.lineage.runs.view(runId);
    expect(view.status).not.toBe('running');
    return view;
  }, 2 * minutes);
  expect(run.failure).toBeUndefined();
  const workflowId = experimentWorkflowId(workloadId, runId, 'nano', 'icl');
  const report = (await stack.client.workflow.getHandle(workflowId).result()) as ExperimentReport;
  return { run, report };
}

function servingOf({ serving }: ExperimentReport): ServingSpec {
  if (serving === null) throw new Error('the experiment has no serving');
  return serving;
}

async function trainingRecords(stack: Stack, run: RunView): Promise<Set<string>> {
  const { files } = await stack.lineage.datasets.get(run.dataset?.id ?? '');
  const ids = new Set<string>();
  for await (const line of openArtifactStore(stack.config).readLines(files.trainExamples.uri))
    ids.add((JSON.parse(line) as { recordId: string }).recordId);
  return ids;
}

/** What the model was asked since the last reset. */
function questionsOf(stack: Stack): Question[] {
  return stack.modelServer.questions as Question[];
}

function fewShotOf({ messages }: Question): string {
  const system = messages.find(({ role }) => role === 'system')?.content ?? '';
  return system.slice(system.indexOf(joinFewShot([''])));
}

/** The question's examples by the rule, from the stored index and the model server's own embedding of it. */
async function chosenFor(stack: Stack, report: ExperimentReport, question: Question): Promise<string> {
  const { fewShotUri, similarity } = servingOf(report);
  const index = readIndex(await openArtifactStore(stack.config).readText(fewShotUri ?? ''));
  const input = question.messages.findLast(({ role }) => role === 'user')?.content ?? '';
  const reply = await fetch(`${inject('modelServerUrl')}/v1/embeddings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'nano-1m', input }),
  });
  const { data } = (await reply.json()) as { data: { embedding: number[] }[] };
  const options = {
    maxExamples: similarity?.maxExamples ?? 0,
    relevanceShare: similarity?.relevanceShare ?? 0,
  };
  return joinFewShot(selectSimilar(data[0]?.embedding ?? [], index, options).map(({ text }) => text));
}

/** As an application asks it: without the examples. */
function askGateway(stack: Stack, question: Question): Promise<Response> {
  const messages = question.messages.map((message) =>
    message.role === 'system'
      ? {
          ...message,
          content: message.content.slice(0, message.content.indexOf(joinFewShot(['']))).trimEnd(),
        }
      : message,
  );
  return fetch(`${stack.config.gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-workload-id': workload, 'cache-control': 'no-cache' },
    body: JSON.stringify({ ...question, model: 'the-original', messages }),
  });
}
