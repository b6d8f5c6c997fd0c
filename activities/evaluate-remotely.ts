import { log } from '@temporalio/activity';
import type { Example } from '../domain/datasets/dataset.ts';
import { FlywheelError, RejectedError, UnavailableError } from '../domain/errors.ts';
import { chatBody } from '../domain/experiments/chat-body.ts';
import type { ServingSpec } from '../domain/experiments/experiment.ts';
import { toOpenAiAnswer, toOpenAiMessage } from '../domain/records/to-openai.ts';
import { answeredItem, failedItem } from './evaluation-item.ts';
import { mostRounds, remoteEvaluationKey } from './idempotency-keys.ts';
import { isUnwanted } from './is-unwanted.ts';
import { pause } from './pause.ts';
import type { EvaluatedRow, EvaluationJob, EvaluationRow, Evaluator } from './ports/evaluator.ts';
import type { EvaluationItem } from './ports/experiment-lineage.ts';
import type { FewShots } from './ports/few-shots.ts';

export interface RemoteEvaluation {
  readonly evaluator: Evaluator;
  readonly fewShots: FewShots;
  readonly serving: ServingSpec;
  readonly runId: string;
  readonly workloadId?: string | undefined;
  readonly evaluationId: string;
  readonly timing: RemoteTiming;
  readonly signal: AbortSignal;
}

export interface RemoteTiming {
  /** Between two looks at a job. */
  readonly pollMs: number;
  /** How long the evaluator may be silent before the attempt gives up. */
  readonly silenceMs: number;
}

export const defaultRemoteTiming: RemoteTiming = { pollMs: 2_000, silenceMs: 120_000 };

/**
 * Has the provider's evaluator ask the examples in a job of its own, and scores the answers that it brings back
 * by the same rules as every other evaluation; its own metrics stand beside them, under its name. A row that it
 * lost is a failed item, and a metric that it could not compute is 0.
 *
 * However often it is repeated there is one job, found by its key; one that the evaluator lost is made again.
 */
export async function evaluateRemotely(
  evaluation: RemoteEvaluation,
  examples: readonly Example[],
): Promise<readonly EvaluationItem[]> {
  const job = await finishedJob(evaluation, await toRows(evaluation, examples));
  const rows = new Map<string, EvaluatedRow>();
  for await (const row of evaluation.evaluator.results(job.id)) rows.set(row.itemId, row);
  const names = metricsByKind(examples, rows);
  return examples.map((example) => {
    const row = rows.get(example.recordId);
    const item = toItem(example, row, job);
    const foreign = foreignScores(row, names[example.target.kind]);
    return { ...item, scores: { ...item.scores, ...foreign } };
  });
}

type TargetKind = Example['target']['kind'];

/** What the evaluator measures of answers in calls, and of those in text: it does not measure both alike. */
function metricsByKind(
  examples: readonly Example[],
  rows: ReadonlyMap<string, EvaluatedRow>,
): Readonly<Record<TargetKind, ReadonlySet<string>>> {
  const namesOf = (kind: TargetKind) =>
    new Set(
      examples
        .filter(({ target }) => target.kind === kind)
        .flatMap(({ recordId }) => Object.keys(rows.get(recordId)?.metrics ?? {})),
    );
  return { text: namesOf('text'), tool_calls: namesOf('tool_calls') };
}

async function finishedJob(
  evaluation: RemoteEvaluation,
  rows: readonly EvaluationRow[],
): Promise<EvaluationJob> {
  const { evaluator, serving, runId, workloadId, evaluationId } = evaluation;
  for (let round = 1; ; round++) {
    const key = remoteEvaluationKey({ runId, evaluationId }, round);
    const metadata = {
      ...{ run_id: runId, evaluation_id: evaluationId },
      ...(workloadId !== undefined && { workload_id: workloadId }),
    };
    // Without the signal: a create that is broken off may leave a job that nobody watches.
    const launched = await evaluator.launch({ key, model: serving.model, rows, metadata });
    const job = await watchOrEnd(evaluation, launched);
    if (job.status === 'succeeded') return job;
    const again = job.errorRetryable || launched.status === 'cancelled';
    if (!again || round === mostRounds) throw failed(job);
    log.warn('The evaluation is launched again', { jobId: job.id, reason: job.error });
  }
}

async function watchOrEnd(evaluation: RemoteEvaluation, job: EvaluationJob): Promise<EvaluationJob> {
  try {
    return await watch(evaluation, job);
  } catch (error) {
    if (evaluation.signal.aborted && (await isUnwanted())) await cancel(evaluation.evaluator, job.id);
    throw error;
  }
}

async function watch(
  { evaluator, timing, signal }: RemoteEvaluation,
  job: EvaluationJob,
): Promise<EvaluationJob> {
  let current = job;
  for (let lastAnswer = Date.now(); !hasEnded(current); ) {
    await pause(timing.pollMs, signal);
    try {
      current = await evaluator.get(job.id);
      lastAnswer = Date.now();
    } catch (error) {
      if (!(error instanceof UnavailableError) || Date.now() - lastAnswer > timing.silenceMs) throw error;
    }
  }
  return current;
}

/** The cancellation must not turn into another failure. */
async function cancel(evaluator: Evaluator, jobId: string): Promise<void> {
  try {
    await evaluator.cancel(jobId);
  } catch (error) {
    if (!(error instanceof FlywheelError)) throw error;
    log.error('The evaluation job could not be cancelled', { jobId, reason: error.message });
  }
}

function hasEnded({ status }: EvaluationJob): boolean {
  return status === 'succeeded' || status === 'failed' || status === 'cancelled';
}

function failed({ id, status, error }: EvaluationJob): RejectedError {
  const what = status === 'cancelled' ? 'was cancelled there, not by this run' : 'failed';
  return new RejectedError(`Evaluation job ${id} ${what}: ${error ?? 'the evaluator gives no reason'}.`);
}

async function toRows(
  { fewShots, serving, signal }: RemoteEvaluation,
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

function toItem(example: Example, row: EvaluatedRow | undefined, job: EvaluationJob): EvaluationItem {
  // Evaluators do not tell how long an answer took.
  if (row?.response) return answeredItem(example, { response: row.response, latencyMs: null });
  const detail = row?.error ?? `Evaluation job ${job.id} returned no row for this item.`;
  return failedItem(example, { failure: 'provider_error', detail });
}

/** What the evaluator made of it, 0 where it made nothing of it: every item has each metric of its kind. */
function foreignScores(row: EvaluatedRow | undefined, names: ReadonlySet<string>): Record<string, number> {
  const values = [...names].map((name) => [`evaluator/${name}`, row?.metrics[name] ?? null] as const);
  return {
    ...Object.fromEntries(values.map(([name, value]) => [name, value ?? 0])),
    'evaluator/missing': Number(row === undefined || values.some(([, value]) => value === null)),
  };
}
