import { expect, test } from 'vitest';
import { z } from 'zod';
import { createJobsClient } from '../../../integrations/nemo-platform/jobs.ts';
import { createTransport } from '../../../integrations/nemo-platform/transport.ts';
import { eventually } from '../../support/eventually.ts';
import { aWorkspace } from '../../support/nemo-platform.ts';

test('the real platform ends a job at its time limit in the words that we know it by', async () => {
  const settings = await aWorkspace();
  const transport = createTransport(settings);
  const jobs = createJobsClient(settings, transport);
  const name = `flywheel-brief-${Date.now()}`;
  const command = ['sh', '-c', 'echo begun; exec sleep 60'];
  const steps = [{ name: 'wait', executor: { provider: 'subprocess', profile: 'brief', command } }];
  await transport.call({
    doing: 'create a job that takes longer than its profile allows',
    method: 'POST',
    path: `/apis/jobs/v2/workspaces/${settings.workspace}/jobs`,
    body: { name, source: 'tests', spec: {}, platform_spec: { steps } },
    reply: z.unknown(),
  });

  await expect.poll(() => jobs.status(name), { timeout: 200_000 }).toMatchObject({ status: 'error' });

  const job = await jobs.status(name);
  expect(job?.timeLimit).toMatch(/Raise ttl_seconds_active .*, now 4 s/);
  // What a job wrote is stored some seconds later.
  await eventually(async () => expect(await jobs.log(name, 10)).toContain('begun'), 60_000);
}, 600_000);
