import type { JudgeSettings } from '../domain/judging/judge.ts';
import { defaultEndTiming, endJobs, type RemoteJobs } from './end-jobs.ts';
import { judgingKey, remoteEvaluationKey } from './idempotency-keys.ts';
import { keepAlive } from './keep-alive.ts';
import type { EvaluationJob, Evaluators } from './ports/evaluator.ts';
import type { JudgeServices } from './ports/judge-jobs.ts';
import type { Lineage } from './ports/lineage.ts';

export interface EndEvaluationInput {
  readonly experimentId: string;
  readonly runId: string;
  /** Who judged the answers, where somebody did. */
  readonly judge?: JudgeSettings;
}

export interface EndEvaluationPorts {
  readonly evaluators: Evaluators;
  readonly judgeServices: JudgeServices;
  readonly lineage: { readonly evaluations: Pick<Lineage['evaluations'], 'ofExperiment'> };
}

/**
 * Ends the jobs that an experiment's measuring may have left at evaluators and judges, however it went: they would go
 * on asking models for nobody. The lineage knows its evaluations, each opened before its job is made; the jobs are
 * found by their keys.
 *
 * Fails, to be tried again, while a service does not answer or has not ended a job; the others are ended all the same.
 */
export function createEndEvaluation(
  { evaluators, judgeServices, lineage }: EndEvaluationPorts,
  timing = defaultEndTiming,
) {
  async function endEvaluation(input: EndEvaluationInput): Promise<{ ended: number }> {
    const { experimentId, runId, judge } = input;
    const evaluations = await lineage.evaluations.ofExperiment(experimentId);
    let ended = 0;
    const end = async (jobs: RemoteJobs<EvaluationJob> | null, keyOf: (round: number) => string) => {
      if (jobs === null) return;
      for await (const _ of endJobs({ jobs, timing }, keyOf)) ended += 1;
    };
    const outcomes = await keepAlive(
      () => ({ ended }),
      () =>
        Promise.allSettled(
          evaluations.flatMap(({ evaluationId, serving }) => {
            const of = { runId, evaluationId };
            const asking = async () => end(evaluators(serving.provider), (n) => remoteEvaluationKey(of, n));
            if (judge === undefined) return [asking()];
            const judging = async () =>
              end(judgeServices(judge.provider), (n) => judgingKey({ ...of, judge }, n));
            return [asking(), judging()];
          }),
        ),
    );
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    return { ended };
  }

  return { endEvaluation };
}
