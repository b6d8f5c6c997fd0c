import type { TrainingStatus } from '../../activities/ports/trainer.ts';

/** `pending` is a state like any other; the blueprint takes it for a failure. */
const statuses: Readonly<Record<string, TrainingStatus>> = {
  created: 'queued',
  pending: 'queued',
  completed: 'succeeded',
  failed: 'failed',
  cancelled: 'cancelled',
};

/**
 * The state of a job, of training and of evaluation alike. `running`, `cancelling`, `unknown` and whatever is added:
 * it has not ended. Progress is never consulted.
 */
export function toStatus(status: string): TrainingStatus {
  return statuses[status] ?? 'running';
}
