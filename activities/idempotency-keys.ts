import { type Candidate, type ServingSpec, trainerOf } from '../domain/experiments/experiment.ts';
import type { GuardrailRules } from '../domain/guardrails/guardrails.ts';
import { canonicalJson, sha256 } from '../domain/hash.ts';
import type { JudgeSettings } from '../domain/judging/judge.ts';

/** 64 bits: plenty within one run, short enough to read in a job list. */
const hashLength = 16;

/**
 * A trainer that restarts loses its running job and invites a new one. More often than this it is not bad luck
 * but something that each job brings about, such as memory.
 */
export const mostRounds = 4;

/**
 * Key of the run's training of these weights: starts with the runId, so that next week's run trains anew, and
 * goes on with everything that shapes the result, so that a retry, a reset or a second worker finds the job.
 * A job that the trainer lost is launched again as the next `round`.
 */
export function fineTuneKey(
  job: { runId: string; datasetHash: string; candidate: Candidate; seed: number },
  round: number,
): string {
  const { model, lora } = job.candidate;
  const provider = trainerOf(job.candidate);
  const content = { datasetHash: job.datasetHash, provider, model, lora, seed: job.seed };
  const key = `${job.runId}-${shortHash(content)}`;
  return round === 1 ? key : `${key}-${round}`;
}

/** One evaluation per experiment and per what is asked of whom: another prompt or item set is another one. */
export function evaluationId(asked: {
  experimentId: string;
  /** Hash of the eval split's bytes. */
  evalHash: string;
  serving: ServingSpec;
}): string {
  return `eval-${shortHash(asked)}`;
}

/** Key of an evaluator's job for an evaluation; one that it lost is launched again as the next `round`. */
export function remoteEvaluationKey(
  of: { readonly runId: string; readonly evaluationId: string },
  round: number,
): string {
  const key = `${of.runId}-${of.evaluationId}`;
  return round === 1 ? key : `${key}-${round}`;
}

/** Key of an evaluator's job that judges an evaluation's answers. */
export function judgingKey(
  of: { readonly runId: string | undefined; readonly evaluationId: string; readonly judge: JudgeSettings },
  round: number,
): string {
  const key = [of.runId, of.evaluationId, judgeId(of.judge)].filter((part) => part !== undefined).join('-');
  return round === 1 ? key : `${key}-${round}`;
}

/** One judgement per item and judge: another model or rubric judges anew. */
export function judgeId(judge: JudgeSettings): string {
  return `judge-${shortHash(judge)}`;
}

/** One check per experiment, what is asked of whom, and the rules: changed rules judge anew. */
export function safetyCheckId(checked: {
  experimentId: string;
  /** Hash of the safety set's bytes. */
  safetySet: string;
  /** Hash of the eval split's bytes, which tell what a call of the workload looks like. */
  evalHash: string;
  serving: ServingSpec;
  rules: GuardrailRules;
  provider: string | null;
}): string {
  return `safety-${shortHash(checked)}`;
}

function shortHash(content: unknown): string {
  return sha256(canonicalJson(content)).slice(0, hashLength);
}
