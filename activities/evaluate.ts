import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { Example } from '../domain/datasets/dataset.ts';
import { RejectedError } from '../domain/errors.ts';
import type { EvaluationSummary, ServingSpec } from '../domain/experiments/experiment.ts';
import { summarise } from '../domain/experiments/summarise.ts';
import { type AskTiming, askItem } from './ask-item.ts';
import { evaluateRemotely } from './evaluate-remotely.ts';
import { forEachBounded } from './for-each-bounded.ts';
import { evaluationId } from './idempotency-keys.ts';
import { keepAlive } from './keep-alive.ts';
import type { ArtifactStore } from './ports/artifact-store.ts';
import type { ChatModels } from './ports/chat-model.ts';
import type { Evaluators } from './ports/evaluator.ts';
import type { EvaluationItem } from './ports/experiment-lineage.ts';
import type { FewShots } from './ports/few-shots.ts';
import type { Lineage } from './ports/lineage.ts';
import { readExamples } from './read-examples.ts';
import { defaultRemoteTiming, type RemoteTiming } from './remote-job.ts';

export interface EvaluateInput {
  readonly experimentId: string;
  readonly runId: string;
  /** For the names of what a remote evaluator makes; absent in runs of before there were such. */
  readonly workloadId?: string;
  readonly datasetId: string;
  readonly serving: ServingSpec;
}

export interface EvaluatePorts {
  readonly artifacts: Pick<ArtifactStore, 'readLines'>;
  readonly lineage: {
    readonly datasets: Pick<Lineage['datasets'], 'get'>;
    readonly evaluations: Lineage['evaluations'];
  };
  readonly chatModels: ChatModels;
  readonly evaluators: Evaluators;
  readonly fewShots: FewShots;
}

export interface EvaluateSettings {
  /** Items in flight at a time. */
  readonly concurrency: number;
  readonly itemTimeoutMs: number;
  /** Half a second unless told otherwise: a passing error is mostly gone by then. */
  readonly backoffMs?: number;
  /** Of an evaluator's job. */
  readonly remote?: RemoteTiming;
}

/**
 * Asks every item of the eval split, as the route would, and stores each answer as it comes; where the provider's
 * own evaluator asks, when its job has ended. Repeated after any interruption it asks what is missing and nothing else.
 *
 * An item that does not fit the model's context is a wrong answer like any other. Where none fits, the model
 * has not been measured at all: this throws `RejectedError`, so that the experiment fails and says so.
 */
export function createEvaluate(ports: EvaluatePorts, settings: EvaluateSettings) {
  const { artifacts, chatModels, evaluators, fewShots } = ports;
  const { datasets, evaluations } = ports.lineage;
  const remoteTiming = settings.remote ?? defaultRemoteTiming;
  const timing: AskTiming = { backoffMs: 500, ...settings };

  async function evaluate(input: EvaluateInput): Promise<EvaluationSummary> {
    const { serving, experimentId, datasetId } = input;
    const { files } = await datasets.get(datasetId);
    const id = evaluationId({ experimentId, evalHash: files.eval.sha256, serving });
    await evaluations.open({ evaluationId: id, experimentId, datasetId, serving, total: files.eval.rows });
    const stored = await evaluations.storedItemIds(id);
    const examples = await readExamples(artifacts, files.eval.uri);
    const progress = { done: stored.size, total: files.eval.rows };
    await keepAlive(
      () => ({ ...progress }),
      () => askMissing(input, id, { examples, stored, progress }),
    );
    const items = await evaluations.items(id);
    const summary = await close(id, items);
    refuseIfNothingFits(items, serving);
    return summary;
  }

  /** By the provider's evaluator where there is one, else one by one. */
  async function askMissing(
    { serving, runId, workloadId }: EvaluateInput,
    id: string,
    { examples, stored, progress }: Asked,
  ): Promise<void> {
    const missing = examples.filter(({ recordId }) => !stored.has(recordId));
    if (missing.length === 0) return;
    const { concurrency } = settings;
    // As they become known: at a kill only those in flight have to be asked again.
    const store = async (items: readonly EvaluationItem[]) => {
      await evaluations.storeItems(id, items);
      progress.done += items.length;
      heartbeat({ ...progress });
    };
    const chatModel = chatModels(serving.provider);
    const asking = { chatModel, serving, fewShots, timing, signal: cancellationSignal() };
    const evaluator = evaluators(serving.provider);
    if (evaluator !== null) {
      const remote = { evaluator, asking, concurrency, runId, workloadId, evaluationId: id, store };
      return evaluateRemotely({ ...remote, timing: remoteTiming }, examples, stored);
    }
    await forEachBounded(missing, concurrency, asking.signal, async (example, signal) =>
      store([await askItem({ ...asking, signal }, example)]),
    );
  }

  async function close(id: string, items: readonly EvaluationItem[]): Promise<EvaluationSummary> {
    const summary = summarise(id, items);
    await evaluations.close(summary);
    return summary;
  }

  return { evaluate };
}

/** What there is to ask, and what of it is there. */
interface Asked {
  readonly examples: readonly Example[];
  readonly stored: ReadonlySet<string>;
  readonly progress: { done: number; readonly total: number };
}

function refuseIfNothingFits(items: readonly EvaluationItem[], { model, maxTokens }: ServingSpec): void {
  const [first] = items;
  if (first === undefined || items.some((item) => item.failure !== 'too_long')) return;
  throw new RejectedError(
    `None of the ${items.length} items fits into the context of ${model} beside an answer of ${maxTokens} tokens ` +
      `(${first.failureDetail ?? 'the provider gives no numbers'}). Choose a candidate with a longer context.`,
    { code: 'context_length_exceeded' },
  );
}
