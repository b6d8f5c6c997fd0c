import { describe, expect, it } from 'vitest';
import { Job as CustomizationJob } from '../../../integrations/nemo-microservices/customizer.schema.ts';
import { Job as EvaluationJob } from '../../../integrations/nemo-microservices/evaluation.schema.ts';

/** Every status that the v1 services have, and one that a later release may add. */
const statuses = [
  ['created', 'queued'],
  // The blueprint takes it for a failure of an evaluation.
  ['pending', 'queued'],
  ['running', 'running'],
  // Being cancelled is not cancelled: what was learnt or asked until then may still be under way.
  ['cancelling', 'running'],
  ['unknown', 'running'],
  ['ready', 'running'],
  ['of_a_later_release', 'running'],
  ['completed', 'succeeded'],
  ['failed', 'failed'],
  ['cancelled', 'cancelled'],
] as const;

describe.each([
  ['customization', CustomizationJob],
  ['evaluation', EvaluationJob],
])('a job of %s', (_, Job) => {
  it.each(statuses)('that is %s is %s to us', (status, ours) => {
    const details = { message: 'as told', status_logs: [{ message: 'Stage', detail: 'as told' }] };
    const { job } = Job.parse({ id: 'job-1', status, output_model: 'ns/model@1', status_details: details });

    expect(job).toMatchObject({ id: 'job-1', status: ours, error: ours === 'failed' ? 'as told' : null });
  });
});
