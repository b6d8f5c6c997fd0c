import { cancellationSignal, heartbeat, log } from '@temporalio/activity';
import type { Example } from '../domain/datasets/dataset.ts';
import { RejectedError } from '../domain/errors.ts';
import { readAnswer } from '../domain/experiments/read-answer.ts';
import {
  type Judgement,
  type JudgeSettings,
  type JudgeSummary,
  summariseJudgements,
} from '../domain/judging/judge.ts';
import type { EvaluateSettings } from './evaluate.ts';
import { judgeId } from './idempotency-keys.ts';
import type { AnswerToJudge, Judge, Judging } from './judge.ts';
import { judgeByChat } from './judge-by-chat.ts';
import { judgeByJob } from './judge-by-job.ts';
import { keepAlive } from './keep-alive.ts';
import type { ArtifactStore } from './ports/artifact-store.ts';
import type { ChatModels } from './ports/chat-model.ts';
import type { EvaluationItem } from './ports/experiment-lineage.ts';
import type { JudgeServices } from './ports/judge-jobs.ts';
import type { Lineage } from './ports/lineage.ts';
import { readExamples } from './read-examples.ts';
import { defaultRemoteTiming } from './remote-job.ts';

export interface JudgeEvaluationInput {
  readonly evaluationId: string;
  readonly datasetId: string;
  readonly judge: JudgeSettings;
  /** For the names of a judging's job; absent in runs of before there were such. */
  readonly runId?: string;
  readonly workloadId?: string;
}

export interface JudgePorts {
  readonly artifacts: Pick<ArtifactStore, 'readLines'>;
  readonly lineage: {
    readonly datasets: Pick<Lineage['datasets'], 'get'>;
    readonly evaluations: Pick<Lineage['evaluations'], 'items'>;
    readonly judgements: Lineage['judgements'];
  };
  readonly chatModels: ChatModels;
  readonly judgeServices: JudgeServices;
}

/** Has a judge score every answer of an evaluation. Repeated, it judges what has no judgement yet. */
export function createJudgeEvaluation(ports: JudgePorts, settings: EvaluateSettings) {
  const { artifacts } = ports;
  const { datasets, evaluations, judgements } = ports.lineage;

  async function judgeEvaluation(input: JudgeEvaluationInput): Promise<JudgeSummary> {
    const { evaluationId, judge } = input;
    const { files } = await datasets.get(input.datasetId);
    const examples = await readExamples(artifacts, files.eval.uri);
    const by = judgeId(judge);
    const known = await judgements.of(evaluationId, by);
    const items = await evaluations.items(evaluationId);
    const progress = { done: known.size, total: items.length };
    const store = async (itemId: string, judgement: Judgement) => {
      await judgements.store({ evaluationId, itemId, judgeId: by, judge, judgement });
      progress.done += 1;
      heartbeat({ ...progress });
    };
    const refusal = await keepAlive(
      () => ({ ...progress }),
      () => {
        const missing = items.filter((item) => !known.has(item.itemId));
        return judgeMissing({ ...input, store, signal: cancellationSignal() }, missing, examples);
      },
    );
    const made = await judgements.of(evaluationId, by);
    const summary = summariseJudgements(items.map(({ itemId }) => made.get(itemId) ?? unjudged(refusal)));
    await judgements.close(evaluationId, summary);
    return summary;
  }

  /** Why the judge cannot be asked at all (no such model, no credit): counted, not waited for, as it only advises. */
  async function judgeMissing(
    judging: Judging,
    items: readonly EvaluationItem[],
    examples: readonly Example[],
  ): Promise<RejectedError | null> {
    const byRecord = new Map(examples.map((example) => [example.recordId, example]));
    const answers: AnswerToJudge[] = [];
    for (const item of items) {
      const example = byRecord.get(item.recordId);
      const answer = item.failure === null && item.response !== null ? readAnswer(item.response) : null;
      if (example === undefined) continue;
      if (answer?.ok) answers.push({ itemId: item.itemId, example, answer: answer.answer });
      else await judging.store(item.itemId, withoutAnswer(item));
    }
    try {
      await judgeOf(judging.judge)(judging, answers);
      return null;
    } catch (error) {
      if (!(error instanceof RejectedError)) throw error;
      log.warn('The judge refuses to judge', { judge: judging.judge.model, reason: error.message });
      return error;
    }
  }

  function judgeOf({ provider }: JudgeSettings): Judge {
    const { concurrency, itemTimeoutMs: timeoutMs, backoffMs = 500 } = settings;
    const byChat = judgeByChat(ports.chatModels(provider), { concurrency, timeoutMs, backoffMs });
    const jobs = ports.judgeServices(provider);
    return jobs === null ? byChat : judgeByJob(jobs, byChat, settings.remote ?? defaultRemoteTiming);
  }

  return { judgeEvaluation };
}

/** No answer is the worst answer; there is nothing to ask about it. */
function withoutAnswer({ failure }: EvaluationItem): Judgement {
  return { score: 0, reason: `No usable answer: ${failure ?? 'unparsable'}.`, failure: null };
}

function unjudged(refusal: RejectedError | null): Judgement {
  return {
    score: null,
    failure: 'provider_error',
    reason: refusal?.message ?? 'Its record is not in the dataset.',
  };
}
