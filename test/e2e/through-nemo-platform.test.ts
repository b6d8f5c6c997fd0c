import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRun } from '../../cli/runs/start-run.ts';
import { createJobsClient } from '../../integrations/nemo-platform/jobs.ts';
import type { NemoPlatformSettings } from '../../integrations/nemo-platform/settings.ts';
import { createTransport } from '../../integrations/nemo-platform/transport.ts';
import { eventually } from '../support/eventually.ts';
import { aWorkspace } from '../support/nemo-platform.ts';
import { type Stack, startStack } from './support/stack.ts';

const workload = 'help-desk';
const evalSize = 12;
const minutes = 60_000;

/** The candidate of `one-turn`, trained, served and evaluated by the real platform. */
function candidates({ url, modelServer = '' }: NemoPlatformSettings): string {
  return `
providers:
  nemo:
    kind: nemo-platform
    url: ${url}
    customizer: peft
    model_server_url: ${modelServer}
    evaluator: nemo
candidates:
  - name: nano
    provider: nemo
    model: nano-1m
    strategies: [lora]
    lora: { epochs: 6, batch_size: 8, learning_rate: 3.0e-3 }
    max_tokens: 24
`;
}

/** What `npm run measure:nemo` shows on real data, small enough for every change. */
describe('one turn through the real NeMo Platform', () => {
  let stack: Stack;
  let settings: NemoPlatformSettings;

  beforeAll(async () => {
    settings = await aWorkspace();
    stack = await startStack({}, { candidates: candidates(settings) });
    await stack.importTraffic(workload, 120);
  }, 6 * minutes);
  afterAll(async () => {
    await stack?.stop();
  });

  it(
    'has one training and one evaluation there, though the activity worker is killed in both',
    async () => {
      const { runId } = await startRun(stack.client, workload, {
        ...{ candidates: ['nano'], evalSize, seed: 1 },
        ...{ reason: 'e2e', requestedBy: 'vitest' },
      });
      await inStage(runId, 'training');
      await eventually(
        async () => expect(await stack.jobsOf(runId)).toMatchObject([{ status: 'running' }]),
        3 * minutes,
      );
      await killed();
      await inStage(runId, 'evaluating');
      await eventually(
        async () => expect(await jobsOf(runId, 'flywheel-eval-')).toHaveLength(1),
        3 * minutes,
      );
      await killed();
      const view = await ended(runId);

      expect(view).toMatchObject({
        status: 'completed',
        experiments: [{ strategy: 'lora', status: 'succeeded', n: evalSize, failed: 0 }],
      });
      expect(await jobsOf(runId, 'flywheel-tune-')).toMatchObject([{ status: 'completed' }]);
      expect(await jobsOf(runId, 'flywheel-eval-')).toMatchObject([{ status: 'completed' }]);
      expect(await stack.jobsOf(runId)).toMatchObject([{ status: 'succeeded' }]);
    },
    10 * minutes,
  );

  async function killed(): Promise<void> {
    await stack.kill('activity worker');
    await stack.start('activity worker');
  }

  async function inStage(runId: string, stage: 'training' | 'evaluating'): Promise<void> {
    await eventually(async () => {
      const { experiments } = await stack.lineage.runs.view(runId);
      expect(experiments).toMatchObject([{ stage }]);
    }, 5 * minutes);
  }

  async function ended(runId: string) {
    return eventually(async () => {
      const view = await stack.lineage.runs.view(runId);
      expect(view.status).not.toBe('running');
      return view;
    }, 5 * minutes);
  }

  /** As the platform lists them. */
  async function jobsOf(runId: string, prefix: string) {
    const jobs = await createJobsClient(settings, createTransport(settings)).list();
    return jobs.filter(
      ({ name, custom_fields: fields }) => name.startsWith(prefix) && fields?.['run_id'] === runId,
    );
  }
});
