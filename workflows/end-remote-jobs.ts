import { CancellationScope, log } from '@temporalio/workflow';
import type { EndEvaluationInput } from '../activities/end-evaluation.ts';
import type { FineTuneInput } from '../activities/fine-tune.ts';
import { cleaning } from './activity-options.ts';
import { reasonOf } from './failure-reason.ts';

/** The attempt that should have ended the job may be dead, or never have begun: nothing is left at the trainer. */
export function endTraining(training: FineTuneInput): Promise<void> {
  const summary = 'end what was left at the trainer';
  return end(summary, () => cleaning.endTraining.executeWithOptions({ summary }, [training]));
}

/** The same for jobs of a provider's evaluator and judge. */
export function endEvaluation(evaluation: EndEvaluationInput): Promise<void> {
  const summary = 'end what was left at evaluator and judge';
  return end(summary, () => cleaning.endEvaluation.executeWithOptions({ summary }, [evaluation]));
}

async function end(what: string, activity: () => Promise<unknown>): Promise<void> {
  try {
    await CancellationScope.nonCancellable(activity);
  } catch (error) {
    // A device may stay taken, which an operator has to see; the experiment's own outcome is the other one.
    log.error(`Could not ${what}`, { reason: reasonOf(error) });
  }
}
