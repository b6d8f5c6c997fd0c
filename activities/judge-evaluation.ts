import { cancellationSignal, heartbeat, log } from '@temporalio/activity';
import { RejectedError } from '../domain/errors.ts';
import {
  type Judgement,
  type JudgeSettings,
  type JudgeSummary,
  summariseJudgements,
} from '../domain/judging/judge.ts';
import type { EvaluateSettings } from './evaluate.ts';
import { forEachBounded } from './for-each-bounded.ts';
import { judgeId } from './idempotency-keys.ts';
import { judgeItem } from './judge-item.ts';
import { keepAlive } from './keep-alive.ts';
import type { ArtifactStore } from './ports/artifact-store.ts';
import type { ChatModels } from './ports/chat-model.ts';
import type { EvaluationItem } from './ports/experiment-lineage.ts';
import type { Lineage } from './ports/lineage.ts';
import { readExamples } from './read-examples.ts';

export interface JudgeEvaluationInput {
  readonly evaluationId: string;
  readonly datasetId: string;
  readonly judge: JudgeSettings;
}

export interface JudgePorts {
  readonly artifacts: Pick<ArtifactStore, 'readLines'>;
  readonly lineage: {
    readonly datasets: Pick<Lineage['datasets'], 'get'>;
    readonly evaluations: Pick<Lineage['evaluations'], 'items'>;
    readonly judgements: Lineage['judgements'];
  };
  readonly chatModels: ChatModels;
}

/** Has a judge score every answer of an evaluation. Repeated, it asks about what has no judgement yet. */
export function createJudgeEvaluation(ports: JudgePorts, settings: EvaluateSettings) {
  const { artifacts, chatModels } = ports;
  const { datasets, evaluations, judgements } = ports.lineage;

  async function judgeEvaluation(input: JudgeEvaluationInput): Promise<JudgeSummary> {
    const { evaluationId, judge } = input;
    const { files } = await datasets.get(input.datasetId);
    const examples = new Map(
      (await readExamples(artifacts, files.eval.uri)).map((example) => [example.recordId, example]),
    );
    const by = judgeId(judge);
    const known = await judgements.of(evaluationId, by);
    const items = await evaluations.items(evaluationId);
    const missing = items.filter((item) => !known.has(item.itemId) && examples.has(item.recordId));
    const progress = { done: known.size, total: items.length };
    const asking = {
      chatModel: chatModels(judge.provider),
      judge,
      timeoutMs: settings.itemTimeoutMs,
      backoffMs: settings.backoffMs ?? 500,
    };
    const judgeAndStore = async (item: EvaluationItem, signal: AbortSignal) => {
      const example = examples.get(item.recordId);
      if (example === undefined) return;
      const judgement = await judgeItem({ ...asking, signal }, example, item);
      await judgements.store({ evaluationId, itemId: item.itemId, judgeId: by, judge, judgement });
      progress.done += 1;
      heartbeat({ ...progress });
    };
    let refusal: RejectedError | null = null;
    try {
      await keepAlive(
        () => ({ ...progress }),
        () => forEachBounded(missing, settings.concurrency, cancellationSignal(), judgeAndStore),
      );
    } catch (error) {
      // A judge that cannot be asked at all (no such model, no credit) is counted, not waited for: it only advises.
      if (!(error instanceof RejectedError)) throw error;
      refusal = error;
      log.warn('The judge refuses to judge', { judge: judge.model, reason: error.message });
    }
    const made = await judgements.of(evaluationId, by);
    const summary = summariseJudgements(items.map(({ itemId }) => made.get(itemId) ?? unjudged(refusal)));
    await judgements.close(evaluationId, summary);
    return summary;
  }

  return { judgeEvaluation };
}

function unjudged(refusal: RejectedError | null): Judgement {
  return {
    score: null,
    failure: 'provider_error',
    reason: refusal?.message ?? 'Its record is not in the dataset.',
  };
}
