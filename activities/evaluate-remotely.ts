import { log } from '@temporalio/activity';
import type { Example } from '../domain/datasets/dataset.ts';
import { chatBody } from '../domain/experiments/chat-body.ts';
import { latencySample } from '../domain/experiments/latency-sample.ts';
import { toOpenAiAnswer, toOpenAiMessage } from '../domain/records/to-openai.ts';
import { type Asking, askItem } from './ask-item.ts';
import { forEachBounded } from './for-each-bounded.ts';
import { remoteEvaluationKey } from './idempotency-keys.ts';
import type { EvaluatedRow, EvaluationJob, EvaluationRow, Evaluator } from './ports/evaluator.ts';
import type { EvaluationItem } from './ports/experiment-lineage.ts';
import { itemAskedAgain, itemOfRow, metricsByKind } from './remote-item.ts';
import { finishedJob, type RemoteTiming } from './remote-job.ts';

export interface RemoteEvaluation {
  readonly evaluator: Evaluator;
  /** For what the job leaves to be asked. */
  readonly asking: Asking;
  readonly concurrency: number;
  readonly runId: string;
  readonly workloadId?: string | undefined;
  readonly evaluationId: string;
  readonly timing: RemoteTiming;
  /** Called with items as they become known. */
  readonly store: (items: readonly EvaluationItem[]) => Promise<void>;
}

/**
 * Has the provider's evaluator ask the examples in a job of its own, and scores the answers that it brings back
 * by the same rules as every other evaluation; its own metrics stand beside them, under its name.
 *
 *     job → rows with an answer: stored
 *         → rows without one, or lost: asked again here, as every item is (`askItem`)
 *         → a sample of the answered ones: asked again here, for how long an answer takes, which no evaluator tells
 *
 * A row without an answer says nothing about the model: the provider may have been gone for the minute in which
 * the evaluator asked. What then has no answer is a failed item. A metric that the evaluator could not compute is 0.
 * However often this is repeated there is one job (`finishedJob`), and what was stored is not asked again.
 */
export async function evaluateRemotely(
  evaluation: RemoteEvaluation,
  examples: readonly Example[],
  stored: ReadonlySet<string>,
): Promise<void> {
  const { asking, concurrency } = evaluation;
  const job = await jobOf(evaluation, examples);
  const rows = new Map<string, EvaluatedRow>();
  for await (const row of evaluation.evaluator.results(job.id)) rows.set(row.itemId, row);
  const names = metricsByKind(examples, rows);
  const sample = latencySample(examples.map(({ recordId }) => recordId));
  const done: EvaluationItem[] = [];
  const open: Example[] = [];
  for (const example of examples.filter(({ recordId }) => !stored.has(recordId))) {
    const row = rows.get(example.recordId);
    const isDone = row?.response && !sample.has(example.recordId);
    if (isDone) done.push(itemOfRow(example, row, { response: row.response, latencyMs: null, names }));
    else open.push(example);
  }
  await evaluation.store(done);
  warnOfLost(job, open, rows);
  await forEachBounded(open, concurrency, asking.signal, async (example, signal) => {
    const row = rows.get(example.recordId);
    const asked = await askItem({ ...asking, signal }, example);
    // Of those that were lost only the sampled count: what the evaluator lost may well be what takes long.
    const latencyMs = sample.has(example.recordId) ? asked.latencyMs : null;
    const item = row?.response
      ? itemOfRow(example, row, { response: row.response, latencyMs, names })
      : itemAskedAgain(example, asked, { row, latencyMs, names });
    await evaluation.store([item]);
  });
}

function warnOfLost(
  { id }: EvaluationJob,
  open: readonly Example[],
  rows: ReadonlyMap<string, EvaluatedRow>,
): void {
  const lost = open.map(({ recordId }) => rows.get(recordId)).filter((row) => !row?.response);
  if (lost.length === 0) return;
  const reasons = [...new Set(lost.map((row) => row?.error ?? 'it returned no row'))].slice(0, 3);
  log.warn(`${lost.length} rows that the evaluator has no answer to are asked again`, { jobId: id, reasons });
}

function jobOf(evaluation: RemoteEvaluation, examples: readonly Example[]): Promise<EvaluationJob> {
  const { evaluator, asking, runId, workloadId, evaluationId, timing } = evaluation;
  const metadata = {
    ...{ run_id: runId, evaluation_id: evaluationId },
    ...(workloadId !== undefined && { workload_id: workloadId }),
  };
  return finishedJob({
    ...{ evaluator, timing, signal: asking.signal, name: 'Evaluation' },
    async launch(round) {
      const key = remoteEvaluationKey({ runId, evaluationId }, round);
      // The rows cost an embedding each where examples are chosen by likeness: not for a job that is there.
      const [found] = await evaluator.findAll(key);
      if (found) return found;
      const rows = await toRows(asking, examples);
      // Without the signal: a create that is broken off may leave a job that nobody watches.
      return evaluator.launch({ key, model: asking.serving.model, rows, metadata });
    },
  });
}

async function toRows(
  { fewShots, serving, signal }: Asking,
  examples: readonly Example[],
): Promise<readonly EvaluationRow[]> {
  const rows: EvaluationRow[] = [];
  for (const example of examples) {
    const fewShot = await fewShots.textFor(serving, example.messages.map(toOpenAiMessage), signal);
    rows.push({
      itemId: example.recordId,
      body: chatBody(example, { fewShot, maxTokens: serving.maxTokens }),
      target: toOpenAiAnswer(example.target),
    });
  }
  return rows;
}
