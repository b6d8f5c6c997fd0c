import { CancellationScope, log } from '@temporalio/workflow';
import type { FineTuneInput } from '../activities/fine-tune.ts';
import { cleaning } from './activity-options.ts';
import { reasonOf } from './failure-reason.ts';

/** The attempt that should have ended the job may be dead, or never have begun: nothing is left at the trainer. */
export async function endTraining(training: FineTuneInput): Promise<void> {
  const summary = 'end what was left at the trainer';
  try {
    await CancellationScope.nonCancellable(() =>
      cleaning.endTraining.executeWithOptions({ summary }, [training]),
    );
  } catch (error) {
    // The device may stay taken, which an operator has to see; the experiment's own reason is the other one.
    log.error('What was left at the trainer could not be ended', { reason: reasonOf(error) });
  }
}
