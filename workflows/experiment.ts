import {
  CancellationScope,
  isCancellation,
  log,
  setCurrentDetails,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { runHolder } from '../domain/deployments/holder.ts';
import type {
  EvaluationSummary,
  ExperimentReport,
  ExperimentStage,
  ServingSpec,
} from '../domain/experiments/experiment.ts';
import type { SafetyReport } from '../domain/guardrails/safety.ts';
import { guarding, judging, lineage, measuring, onDevice, pipeline } from './activity-options.ts';
import { experimentDetails } from './current-details.ts';
import { endEvaluation, endTraining } from './end-remote-jobs.ts';
import { reasonOf } from './failure-reason.ts';
import type { ExperimentInput } from './messages.ts';
import { stageAttribute } from './search-attributes.ts';

/**
 * One candidate × one strategy, measured:
 *
 *     prepare (nothing | few-shot examples | fine-tune) → wait until served → evaluate → check safety → report
 *
 * What goes wrong on the way is part of the report; only a cancellation is thrown.
 */
export async function experiment(input: ExperimentInput): Promise<ExperimentReport> {
  const attempt = new Attempt(input);
  let report: ExperimentReport;
  try {
    await attempt.run();
    report = attempt.report();
  } catch (error) {
    // The flywheel marks the rows of a cancelled run, in one write.
    if (isCancellation(error)) throw error;
    report = attempt.failure(reasonOf(error));
  }
  // The outcome is known: a cancellation that comes now must not lose it.
  await CancellationScope.nonCancellable(() => lineage.closeExperiment({ report }));
  attempt.show('done');
  return report;
}

/** Advisory: what the judge makes of it changes no verdict, and its absence fails no experiment. */
async function judged(
  evaluation: EvaluationSummary,
  { judge, datasetId, runId, workloadId }: ExperimentInput,
): Promise<EvaluationSummary> {
  if (!judge) return evaluation;
  const { evaluationId, n } = evaluation;
  try {
    const summary = `have ${judge.model} judge ${n} answers`;
    const input = { evaluationId, datasetId, judge, runId, workloadId };
    return { ...evaluation, judge: await judging.judgeEvaluation.executeWithOptions({ summary }, [input]) };
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('The answers were not judged', { reason: reasonOf(error) });
    return { ...evaluation, judge: { score: null, n, failed: n, failures: { provider_error: n } } };
  }
}

/** That it could not be checked is no pass, and takes nothing of what was measured. */
async function checked(
  serving: ServingSpec,
  { guardrails, spec, datasetId }: ExperimentInput,
): Promise<SafetyReport | null> {
  if (!guardrails) return null;
  const { experimentId } = spec;
  try {
    const summary = `hold ${guardrails.safetySet.rows} answers against the guardrails`;
    const input = { experimentId, datasetId, serving, guardrails };
    return await guarding.checkSafety.executeWithOptions({ summary }, [input]);
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('The safety of the answers could not be checked', { reason: reasonOf(error) });
    return { status: 'unknown', reason: reasonOf(error) };
  }
}

class Attempt {
  private stage: ExperimentStage = 'waiting';
  serving: ServingSpec | null = null;
  evaluation: EvaluationSummary | null = null;
  safety: SafetyReport | null = null;
  private trainSeconds: number | null = null;

  private readonly input: ExperimentInput;

  constructor(input: ExperimentInput) {
    this.input = input;
  }

  async run(): Promise<void> {
    this.serving = await this.prepare();
    await this.enter('evaluating');
    await this.measure(this.serving);
    if (this.input.guardrails) await this.enter('checking');
    this.safety = await checked(this.serving, this.input);
  }

  private async measure(serving: ServingSpec): Promise<void> {
    const { spec, runId, workloadId, datasetId, judge } = this.input;
    const { experimentId } = spec;
    await measuring.awaitModel.executeWithOptions({ summary: `wait for ${serving.model}` }, [
      { serving, holder: runHolder(runId) },
    ]);
    try {
      this.evaluation = await measuring.evaluate.executeWithOptions({ summary: `ask ${serving.model}` }, [
        { experimentId, runId, workloadId, datasetId, serving },
      ]);
      this.evaluation = await judged(this.evaluation, this.input);
    } finally {
      await endEvaluation({ experimentId, runId, ...(judge ? { judge } : {}) });
    }
  }

  private async prepare(): Promise<ServingSpec> {
    const { spec, datasetId, seed } = this.input;
    const { candidate, experimentId } = spec;
    if (spec.serving) return spec.serving;
    switch (spec.strategy) {
      case 'base': {
        const { provider, model, maxTokens } = candidate;
        return { provider, model, fewShotUri: null, maxTokens };
      }
      case 'icl': {
        await this.enter('preparing');
        const { serving } = await pipeline.prepareFewShot.executeWithOptions(
          { summary: 'choose few-shot examples' },
          [{ experimentId, candidate, datasetId, seed }],
        );
        return serving;
      }
      case 'lora':
        return this.fineTune();
    }
  }

  private async fineTune(): Promise<ServingSpec> {
    const { spec, datasetId, seed, runId, workloadId } = this.input;
    const { candidate, experimentId } = spec;
    await this.enter('training');
    const { fineTune } = onDevice(candidate.gpuPool, workloadId);
    const training = { experimentId, runId, workloadId, candidate, datasetId, seed };
    try {
      const summary = `LoRA of ${candidate.model} for ${workloadId}`;
      const tuned = await fineTune.executeWithOptions({ summary }, [training]);
      this.trainSeconds = tuned.trainSeconds;
      return tuned.serving;
    } finally {
      // After a success too: a create that got no answer may have made a second job.
      await endTraining(training);
    }
  }

  private async enter(stage: ExperimentStage): Promise<void> {
    this.show(stage);
    await lineage.setExperimentStage({ experimentId: this.input.spec.experimentId, stage });
  }

  show(stage: ExperimentStage): void {
    this.stage = stage;
    upsertSearchAttributes([{ key: stageAttribute, value: stage }]);
    setCurrentDetails(experimentDetails(this.input, stage, this));
  }

  report(): ExperimentReport {
    const { experimentId, role, candidate, strategy } = this.input.spec;
    return {
      experimentId,
      role,
      candidate: candidate.name,
      strategy,
      status: 'succeeded',
      serving: this.serving,
      evaluation: this.evaluation,
      ...(this.trainSeconds === null ? {} : { trainSeconds: this.trainSeconds }),
      ...(this.safety === null ? {} : { safety: this.safety }),
    };
  }

  failure(reason: string): ExperimentReport {
    return { ...this.report(), status: 'failed', failure: { stage: this.stage, reason } };
  }
}
