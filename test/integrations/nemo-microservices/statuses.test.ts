import { describe, expect, it } from 'vitest';
import { ContainerLogs } from '../../../integrations/nemo-microservices/container-logs.schema.ts';
import { Job as CustomizationJob } from '../../../integrations/nemo-microservices/customizer.schema.ts';
import { ModelDeployment } from '../../../integrations/nemo-microservices/deployment-management.ts';
import {
  Job as EvaluationJob,
  SampleRow,
} from '../../../integrations/nemo-microservices/evaluation.schema.ts';

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

describe('a key that a service quotes in its reply', () => {
  const told = 'pull failed: Authorization: Bearer nvapi-0123456789abcdef, HF_TOKEN=hf_abcdefghijkl';
  const failed = {
    id: 'job-1',
    status: 'failed',
    status_details: { message: told, status_logs: [{ detail: told }] },
  };
  const event = { type: 'Warning', message: told };

  it.each([
    ['a training’s detail', () => CustomizationJob.parse(failed).job.error],
    ['an evaluation’s message', () => EvaluationJob.parse(failed).job.error],
    ['a row’s error', () => SampleRow.parse({ item: { item_id: 'a' }, sample: { error: told } }).error],
    ['an error of its logs', () => ContainerLogs.parse({ error: { message: told } })],
    ['an event of its logs', () => ContainerLogs.parse({ entries: { pod: { events: [event] } } })],
    [
      'a deployment’s description',
      () =>
        ModelDeployment.parse({
          ...{ name: 'nim', namespace: 'flywheel' },
          status_details: { status: 'failed', description: told },
        }).description,
    ],
  ])('is in no error: %s', (_, read) => {
    expect(read()).toContain('pull failed');
    expect(read()).not.toMatch(/0123456789|abcdefgh/);
  });
});
