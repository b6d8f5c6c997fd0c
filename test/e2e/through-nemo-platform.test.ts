import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunView } from '../../activities/ports/run-lineage.ts';
import { startRun } from '../../cli/runs/start-run.ts';
import type { Strategy } from '../../domain/experiments/experiment.ts';
import { createFilesClient } from '../../integrations/nemo-platform/files.ts';
import { createJobsClient } from '../../integrations/nemo-platform/jobs.ts';
import { createModelsClient } from '../../integrations/nemo-platform/models.ts';
import { toReference } from '../../integrations/nemo-platform/names.ts';
import type { NemoPlatformSettings } from '../../integrations/nemo-platform/settings.ts';
import { createTransport } from '../../integrations/nemo-platform/transport.ts';
import { eventually } from '../support/eventually.ts';
import { aWorkspace } from '../support/nemo-platform.ts';
import { answered, commandLine, shortGrace } from './support/lasting.ts';
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
    lora: { epochs: 6, batch_size: 8, learning_rate: 3.0e-3 }
    max_tokens: 24
`;
}

/** What `npm run measure:nemo` shows on real data, small enough for every change. The tests build on each other. */
describe('one turn through the real NeMo Platform', () => {
  let stack: Stack;
  let settings: NemoPlatformSettings;
  let adapter: string;

  beforeAll(async () => {
    settings = await aWorkspace();
    stack = await startStack(shortGrace, { candidates: candidates(settings) });
    await stack.importTraffic(workload, 120);
  }, 6 * minutes);
  afterAll(async () => {
    await stack?.stop();
  });

  it(
    'has one training and one evaluation there, though the activity worker is killed in both',
    async () => {
      const runId = await begin('lora');
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

  it(
    'has a lasting deployment of what was approved, by which the gateway answers and which a rollback keeps',
    async () => {
      const flywheel = commandLine(stack);

      adapter = await flywheel.approve(workload);

      expect(await answered(stack, workload)).toBe(adapter);
      expect(await routed(adapter)).toEqual({ enabled: true, virtualModel: true, served: true });
      const things = await flywheel.cleanUp();
      const reason = `${adapter} is in use`;
      expect(things.filter(({ id }) => adapter.endsWith(id))).toEqual([
        expect.objectContaining({ kind: 'virtual model', outcome: 'kept', reason }),
        expect.objectContaining({ kind: 'adapter', outcome: 'kept', reason }),
      ]);
      expect(await hasFiles(adapter)).toBe(true);
      expect(await answered(stack, workload)).toBe(adapter);

      expect(await flywheel.rollBack(workload)).toBe('original');

      expect(await answered(stack, workload)).toBe('nano-1m');
      expect(await routed(adapter)).toEqual({ enabled: true, virtualModel: true, served: true });
    },
    4 * minutes,
  );

  it(
    'has it taken off a time of grace after the route has left it, and then cleaned up',
    async () => {
      const flywheel = commandLine(stack);
      await ended(await begin('base'));

      // What served before the rollback is what this move leaves for good.
      expect(await flywheel.approve(workload)).toBe('nano-1m');

      await eventually(
        async () =>
          expect(await routed(adapter)).toEqual({ enabled: false, virtualModel: false, served: false }),
        minutes,
      );
      expect(await answered(stack, workload)).toBe(`${settings.workspace}/nano-1m`);
      const cleaned = await flywheel.cleanUp();
      expect(cleaned.filter(({ id }) => adapter.endsWith(id))).toEqual([
        expect.objectContaining({ kind: 'adapter', outcome: 'removed' }),
      ]);
      // They go with their adapter.
      expect(await hasFiles(adapter)).toBe(false);
      // Whoever retires it stays with it until the platform's gateway has forgotten it.
      await eventually(async () => {
        const left = await flywheel.cleanUp('--dry-run');
        expect(left.filter(({ id }) => adapter.endsWith(id))).toEqual([]);
      }, minutes);
    },
    4 * minutes,
  );

  async function begin(strategy: Strategy): Promise<string> {
    const { runId } = await startRun(stack.client, workload, {
      ...{ candidates: ['nano'], strategies: [strategy], evalSize, seed: 1 },
      ...{ reason: 'e2e', requestedBy: 'vitest' },
    });
    return runId;
  }

  /** How the platform has the adapter, and by which ways it answers. */
  async function routed(model: string) {
    const models = createModelsClient(createTransport(settings));
    const reference = toReference(model, settings.workspace);
    const providers = await models.providers(settings.workspace);
    return {
      enabled: (await models.adapter(reference))?.enabled,
      virtualModel: (await models.virtualModel(reference)) !== null,
      served: providers.some(({ served_models: served }) =>
        served.some(({ model_entity_id: id }) => id === model),
      ),
    };
  }

  async function hasFiles(model: string): Promise<boolean> {
    const filesets = await createFilesClient(createTransport(settings)).list(settings.workspace);
    return filesets.some(({ name }) => name === toReference(model, settings.workspace).name);
  }

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

  async function ended(runId: string): Promise<RunView> {
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
