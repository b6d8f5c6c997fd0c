import { log } from '@temporalio/activity';
import { RejectedError } from '../domain/errors.ts';
import type { Judgement } from '../domain/judging/judge.ts';
import { judgeBody } from '../domain/judging/judge-request.ts';
import { readJudgement } from '../domain/judging/read-judgement.ts';
import { judgingKey } from './idempotency-keys.ts';
import type { AnswerToJudge, Judge, Judging } from './judge.ts';
import type { EvaluationJob } from './ports/evaluator.ts';
import type { JudgedAnswer, JudgeJobs } from './ports/judge-jobs.ts';
import { finishedJob, type RemoteTiming } from './remote-job.ts';
import { isAboutTheProvider } from './say-hello.ts';

/**
 * Has the provider's evaluator judge all answers in a job of its own, found by its key however often this is
 * repeated. Its judge's replies are read by the rules of every judge. Answers that it has none to are judged
 * `otherwise`: the judge may have been gone for the minute in which the evaluator asked.
 */
export function judgeByJob(jobs: JudgeJobs, otherwise: Judge, timing: RemoteTiming): Judge {
  return async (judging, answers) => {
    if (answers.length === 0) return;
    const open = new Map(answers.map((answer) => [answer.itemId, answer]));
    const jobId = await finishedJobId(jobs, judging, answers, timing);
    for await (const judged of jobId === null ? [] : jobs.results(jobId)) {
      const judgement = toJudgement(judged);
      if (judgement === null || !open.delete(judged.itemId)) continue;
      await judging.store(judged.itemId, judgement);
    }
    if (open.size === 0) return;
    log.warn(`${open.size} answers that the evaluator’s judge has nothing on are judged again`, { jobId });
    await otherwise(judging, [...open.values()]);
  };
}

/** null for a job that failed: a judge that is gone for a moment fails the platform's whole job. */
async function finishedJobId(
  jobs: JudgeJobs,
  judging: Judging,
  answers: readonly AnswerToJudge[],
  timing: RemoteTiming,
): Promise<string | null> {
  try {
    return (await jobOf(jobs, judging, answers, timing)).id;
  } catch (error) {
    if (!(error instanceof RejectedError) || isAboutTheProvider(error)) throw error;
    log.warn('The evaluator’s judging failed', { reason: error.message });
    return null;
  }
}

/** null where nothing can be said: the judge gave no reply, or the evaluator no score. */
function toJudgement({ reply, score }: JudgedAnswer): Judgement | null {
  if (reply !== null) return readJudgement(reply);
  if (score === null) return null;
  if (score >= 0 && score <= 1) return { score, reason: 'The evaluator shows no reason.', failure: null };
  const reason = `The judge gave ${score} instead of a number from 0 to 1.`;
  return { score: null, failure: 'unparsable', reason };
}

function jobOf(
  jobs: JudgeJobs,
  judging: Judging,
  answers: readonly AnswerToJudge[],
  timing: RemoteTiming,
): Promise<EvaluationJob> {
  const { judge, evaluationId, runId, workloadId, signal } = judging;
  const metadata = {
    evaluation_id: evaluationId,
    ...(runId !== undefined && { run_id: runId }),
    ...(workloadId !== undefined && { workload_id: workloadId }),
  };
  // The evaluator asks for structured output in its judge's own way.
  const asked = answers.map((answer) => ({
    itemId: answer.itemId,
    body: judgeBody(answer, judge.rubric, 'words'),
  }));
  return finishedJob({
    ...{ evaluator: jobs, timing, signal, name: 'Judging' },
    // Without the signal: a create that is broken off may leave a job that nobody watches.
    launch: (round) => {
      const key = judgingKey({ runId, evaluationId, judge }, round);
      return jobs.launch({ key, model: judge.model, answers: asked, metadata });
    },
  });
}
