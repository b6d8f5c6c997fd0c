import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunView } from '../../activities/ports/run-lineage.ts';
import { startRun } from '../../cli/runs/start-run.ts';
import type { Strategy } from '../../domain/experiments/experiment.ts';
import type { NemoServer } from '../contract-servers/nemo-microservices/server.ts';
import { providersOf } from '../measure/nemo/jobs.ts';
import { eventually } from '../support/eventually.ts';
import { aNemoServer } from '../support/nemo-server.ts';
import { answered, type CleanedThing, commandLine, shortGrace } from './support/lasting.ts';
import { type Stack, startStack } from './support/stack.ts';

const workload = 'help-desk';
const evalSize = 8;
const minutes = 60_000;

/** Two base models of the installation, both the model server's own; each NIM is for Flywheel to deploy. */
const [small, large] = ['flywheel/nano-small', 'flywheel/nano-large'];
const bases = [small, large].map((id) => ({
  ...{ id, servedAs: 'nano-1m', numParameters: 1_000_000, contextSize: 2048 },
}));
/** Where their NIMs are: a name is put together of namespace and model. */
const [smallNim, largeNim] = ['flywheel/flywheel-nano-small', 'flywheel/flywheel-nano-large'];

function candidates({ url, nimUrl, dataStoreUrl }: NemoServer): string {
  const nim = (id: string) => `{ image: registry.example/nim/${id}, tag: "1.8.3", gpus: 1 }`;
  return `
providers:
  nemo:
    kind: nemo-microservices
    url: ${url}
    nim_url: ${nimUrl}
    data_store_url: ${dataStoreUrl}
    evaluator: nemo
    nims:
      ${small}: ${nim(small)}
      ${large}: ${nim(large)}
candidates:
  - name: small
    provider: nemo
    model: ${small}
    lora: { epochs: 2, batch_size: 8, learning_rate: 3.0e-3 }
    max_tokens: 24
  - name: large
    provider: nemo
    model: ${large}
    lora: { epochs: 1, batch_size: 8, learning_rate: 3.0e-3 }
    max_tokens: 24
`;
}

/**
 * From logged calls to traffic on a NIM and back, before the contract server for NeMo Microservices v1. The tests
 * build on each other: each approval finds the route as the one before has left it.
 */
describe('an approved model that NeMo Microservices v1 serves', () => {
  let server: NemoServer;
  let stack: Stack;
  let flywheel: ReturnType<typeof commandLine>;
  let first: string;
  let second: string;

  beforeAll(async () => {
    server = await aNemoServer({ bases, deployed: [] });
    stack = await startStack(shortGrace, {
      candidates: candidates(server),
      workloads: 'default: { threshold: 0 }',
    });
    flywheel = commandLine(stack);
    await stack.importTraffic(workload, 100);
  });
  afterAll(async () => {
    await stack?.stop();
    await server?.close();
  });

  it(
    'is trained and evaluated once, though the activity worker is killed in both',
    async () => {
      const { unending } = server.faults;
      // Both are so short that their end would come before the kill.
      unending.add('customization').add('evaluation');
      const { runId } = await begin('small', 'lora');
      await eventually(
        async () => expect(await trainings(runId)).toMatchObject([{ status: 'running' }]),
        2 * minutes,
      );
      await killed();
      unending.delete('customization');
      await eventually(
        async () => expect(await evaluations(runId)).toMatchObject([{ status: 'running' }]),
        3 * minutes,
      );
      await killed();
      unending.delete('evaluation');
      const view = await ended(runId);

      expect(view.experiments).toMatchObject([{ status: 'succeeded', n: evalSize, failed: 0 }]);
      expect(await trainings(runId)).toMatchObject([{ status: 'completed' }]);
      expect(await evaluations(runId)).toMatchObject([{ status: 'completed' }]);
      // Nobody asks it any more, until somebody approves it.
      await eventually(() => expect(deployments()).toEqual({}), minutes);
    },
    6 * minutes,
  );

  it(
    'has a lasting deployment by which the gateway answers, and which cleaning up leaves alone',
    async () => {
      first = await flywheel.approve(workload);

      expect(first).toMatch(/^flywheel\/flywheel-help-desk-/);
      expect(deployments()).toEqual({ [smallNim]: [first] });
      expect(await servedFrom(smallNim)).toBe(first);

      const things = await flywheel.cleanUp();

      // What it was made from is not needed to serve it.
      expect(kindsOf(things, 'removed')).toEqual(['customization config', 'dataset', 'evaluation job']);
      expect(things.filter(({ outcome }) => outcome === 'kept')).toMatchObject([
        { kind: 'deployment', id: smallNim, reason: `${smallNim}#${first} is in use` },
        { kind: 'model', id: first, reason: `${first} is in use` },
      ]);
      expect(deployments()).toEqual({ [smallNim]: [first] });
      expect(await servedFrom(smallNim)).toBe(first);
    },
    4 * minutes,
  );

  it(
    'gives the route to the next one that is approved, and gets it back by a rollback',
    async () => {
      await ended((await begin('large', 'lora')).runId);
      second = await flywheel.approve(workload);

      expect(second).not.toBe(first);
      expect(await servedFrom(largeNim)).toBe(second);
      expect(deployments()).toEqual({ [smallNim]: [first], [largeNim]: [second] });

      expect(await flywheel.rollBack(workload)).toBe(first);

      expect(await servedFrom(smallNim)).toBe(first);
      expect(deployments()).toEqual({ [smallNim]: [first], [largeNim]: [second] });
    },
    4 * minutes,
  );

  it(
    'is removed a time of grace after the route has left it, and nothing that serves with it',
    async () => {
      // The third on the route shares the first one's NIM; the second is then neither served nor gone back to.
      await ended((await begin('small', 'base')).runId);
      expect(await flywheel.approve(workload)).toBe(small);

      await eventually(() => expect(deployments()).toEqual({ [smallNim]: [first, small] }), minutes);
      expect(await servedFrom(smallNim)).toBe(small);

      const things = await flywheel.cleanUp();
      expect(things.filter(({ kind }) => kind === 'deployment')).toMatchObject([
        { id: smallNim, outcome: 'kept' },
      ]);
      expect(things).toContainEqual(expect.objectContaining({ id: second, outcome: 'removed' }));
      // Whoever retires the second one has it in its books for a moment more.
      await eventually(
        async () =>
          expect(await flywheel.cleanUp('--dry-run')).toMatchObject([
            { kind: 'deployment', id: smallNim, outcome: 'kept' },
            { kind: 'model', id: first, outcome: 'kept' },
          ]),
        minutes,
      );
    },
    4 * minutes,
  );

  function begin(candidate: 'small' | 'large', strategy: Strategy) {
    return startRun(stack.client, workload, {
      ...{ candidates: [candidate], strategies: [strategy], evalSize, seed: 1 },
      ...{ reason: 'e2e', requestedBy: 'vitest' },
    });
  }

  async function ended(runId: string): Promise<RunView> {
    const run = await eventually(async () => {
      const view = await stack.lineage.runs.view(runId);
      expect(view.status).not.toBe('running');
      return view;
    }, 5 * minutes);
    expect(run).toMatchObject({ status: 'completed' });
    return run;
  }

  async function killed(): Promise<void> {
    await stack.kill('activity worker');
    await stack.start('activity worker');
  }

  const jobs = () => providersOf(stack.config, server.url)['nemo-v1'];
  const trainings = (runId: string) => jobs().trainings(runId);
  const evaluations = async (runId: string) => jobs().evaluations?.(runId);

  /** By `namespace/name`, with what they serve for Flywheel: as the server has them. */
  function deployments(): Record<string, string[]> {
    return Object.fromEntries(
      [...server.world.tables.deployments].map(([name, { custom_fields: fields }]) => [
        name,
        String((fields as Record<string, unknown>)['flywheel_models']).split(' '),
      ]),
    );
  }

  /** The model that answers the workload's application, by no other deployment than this. */
  async function servedFrom(deployment: string): Promise<string> {
    const before = server.world.asked.length;
    const model = await answered(stack, workload);
    expect(server.world.asked.slice(before)).toEqual([{ deployment, model }]);
    return model;
  }
});

function kindsOf(things: readonly CleanedThing[], outcome: CleanedThing['outcome']): string[] {
  return [...new Set(things.filter((thing) => thing.outcome === outcome).map(({ kind }) => kind))].sort();
}
