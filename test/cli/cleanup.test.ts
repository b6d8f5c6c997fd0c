import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import type { Lineage } from '../../activities/ports/lineage.ts';
import { routeHolder, runHolder } from '../../domain/deployments/holder.ts';
import { createDeployer } from '../../integrations/nemo-microservices/deployer.ts';
import { createEntityStore } from '../../integrations/nemo-microservices/entity-store.ts';
import { createTransport } from '../../integrations/nemo-microservices/transport.ts';
import { rolloutId } from '../../workflows/workflow-ids.ts';
import type { NemoServer } from '../contract-servers/nemo-microservices/server.ts';
import { freePort } from '../support/free-port.ts';
import { aDecision, aRun, aServing } from '../support/lineage.ts';
import { aNemoServer, settingsOf } from '../support/nemo-server.ts';
import {
  client,
  decide,
  flywheelHandle,
  gateHandle,
  newTrigger,
  newWorld,
  openGate,
  trigger,
  untilTrue,
  useWorkers,
} from '../workflows/support/bench.ts';
import { setup as setupCli } from './support/cli.ts';

const base = 'flywheel/nano-4m';
const image = { image: `registry.example/nim/${base}`, tag: '1.8.3', gpus: 1 };
const deployment = 'flywheel/flywheel-nano-4m';
/** A run of the database under test, which made what is called so. */
const ownRun = 'run-20261121t080000z-ab12cd';
const ours = (name: string) => `flywheel-${name}-${ownRun}-0123456789abcdef`;
const idOf = (name: string) => `flywheel/${ours(name)}`;

interface Report {
  readonly dryRun: boolean;
  readonly things: readonly { kind: string; id: string; outcome: string; reason: string | null }[];
  readonly problems: readonly { who: string; reason: string }[];
  readonly notListed: readonly string[];
}

/** The command, with a real PostgreSQL and Temporal, before the contract server for NeMo Microservices v1. */
describe('flywheel cleanup', { timeout: 180_000 }, () => {
  useWorkers();

  async function setup(options: { temporal?: string; down?: boolean } = {}) {
    const server = await aNemoServer();
    onTestFinished(() => server.close());
    const candidates = await candidatesFile();
    const configure = (providers: object) => writeCandidates(candidates, server, providers);
    await configure(options.down ? { away: providerAt(`http://127.0.0.1:${await freePort()}`) } : {});
    const bundle = await setupCli({
      TEMPORAL_ADDRESS: options.temporal ?? inject('temporalAddress'),
      FLYWHEEL_CANDIDATES: candidates,
    });
    await openRow(bundle.lineage, ownRun, 'earlier');
    await bundle.lineage.runs.close(ownRun, 'completed');
    return { ...bundle, ...at(server), server, configure, ...reports(bundle.run) };
  }

  function reports(run: Awaited<ReturnType<typeof setupCli>>['run']) {
    const cleanup = async (...args: string[]) => {
      const ran = await run('cleanup', '--older-than', '0', '--json', ...args);
      const report = ran.json() as Report;
      const ids = (outcome: string) =>
        report.things.filter((thing) => thing.outcome === outcome).map(({ id }) => id);
      return { ...ran, report, removed: ids('removed'), kept: ids('kept') };
    };
    return { cleanup };
  }

  /** What is at the server, and how it comes there: by our own clients, as a run would make it. */
  function at(server: NemoServer) {
    const settings = settingsOf(server);
    const entities = createEntityStore(createTransport(settings, settings.url));
    const { deployments, models, datasets } = server.world.tables;
    return {
      deployer: createDeployer(settings, { [base]: image }),
      there: () => [...deployments.keys(), ...models.keys(), ...datasets.keys()].sort(),
      async have(...names: string[]) {
        await entities.ensureNamespace('flywheel');
        for (const name of names) {
          const body = JSON.stringify({ name, namespace: 'flywheel', base_model: base });
          const headers = { 'content-type': 'application/json' };
          await fetch(`${server.url}/v1/models`, { method: 'POST', headers, body });
        }
      },
      haveDataset: async (name: string) => {
        await entities.ensureNamespace('flywheel');
        await entities.ensureDataset({ fullName: `flywheel/${name}`, description: '', customFields: {} });
      },
    };
  }

  /** As a run has left it that could not give it back. */
  async function recordDeployed({ deployments }: Lineage, provider: string, id: string): Promise<void> {
    const target = { provider, model: base, baseModel: null };
    await deployments.hold(target, runHolder('run-ended'));
    await deployments.begin(target, runHolder('run-ended'));
    await deployments.recordDeployment(target, { id, ours: true });
  }

  const serving = (name: string) => aServing(`flywheel/${name}`, { provider: 'nemo' });

  async function openRow(lineage: Lineage, runId: string, workloadId: string): Promise<void> {
    await lineage.runs.open(aRun(runId, { workloadId, workflowId: `flywheel:${workloadId}` }));
  }

  /** A run that has ended with a winner, whose gate waits. */
  async function winner(lineage: Lineage, gate: Gate, name: string): Promise<void> {
    const { runId, workloadId, digest } = gate;
    await openRow(lineage, runId, workloadId);
    const verdict = { outcome: 'promote', reason: '', primaryMetric: 'exact_match', threshold: 0.7 } as const;
    await lineage.decisions.recordVerdict(runId, verdict, digest, serving(name));
    await lineage.runs.close(runId, 'completed');
    await lineage.decisions.openGate({ runId, workloadId, digest, expiresAt: '2030-01-01T00:00:00.000Z' });
  }

  interface Gate {
    readonly runId: string;
    readonly workloadId: string;
    readonly digest: string;
  }

  async function moveTo(lineage: Lineage, workloadId: string, name: string): Promise<void> {
    await lineage.routes.move({
      ...{ moveId: `move:${workloadId}:${name}`, workloadId, kind: 'rollback', serving: serving(name) },
      ...{ digest: null, runId: null, actor: 'ada', reason: 'a test' },
    });
  }

  it('lists by --dry-run what nobody needs, and removes it without', async () => {
    const { lineage, cleanup, have, haveDataset, there, run } = await setup();
    await have(ours('left'), ours('first'), ours('routed'), 'somebodys');
    await haveDataset(ours('rows'));
    await haveDataset('theirs');
    await openRow(lineage, 'run-ended', 'hr');
    await lineage.runs.close('run-ended', 'completed');
    await moveTo(lineage, 'hr', ours('first'));
    await moveTo(lineage, 'hr', ours('routed'));
    const before = there();

    const dry = await cleanup('--dry-run');
    const untouched = there();
    const table = await run('cleanup', '--older-than', '0', '--dry-run');
    const real = await cleanup();

    expect(dry.code).toBe(0);
    expect(dry.report).toMatchObject({ dryRun: true, problems: [] });
    expect(dry.removed.sort()).toEqual([idOf('left'), idOf('rows')]);
    expect(dry.kept.sort()).toEqual([idOf('first'), idOf('routed')]);
    expect(untouched).toEqual(before);
    expect(table.stdout).toMatch(/nemo .* model .* flywheel\/flywheel-left-\S+ .* removed/);
    expect(table.stdout).toMatch(/flywheel-routed-\S+ .* kept: flywheel\/flywheel-routed-\S+ is in use/);
    expect(table.stdout).toMatch(/To remove 2: npx flywheel cleanup --older-than 0\b/);
    expect(real.code).toBe(0);
    expect(real.report.things).toEqual(dry.report.things);
    expect(there()).toEqual([
      idOf('first'),
      idOf('routed'),
      'flywheel/nano-1m',
      'flywheel/somebodys',
      'flywheel/theirs',
    ]);
    expect((await cleanup()).removed).toEqual([]);
  });

  it('names the providers of which it lists nothing, though a training leaves something there', async () => {
    const { cleanup, have, run } = await setup();

    const { report } = await cleanup('--dry-run');
    const empty = await run('cleanup', '--dry-run');
    await have(ours('left'));
    const full = await run('cleanup', '--older-than', '0', '--dry-run');

    expect(report).toMatchObject({ things: [], problems: [], notListed: ['local', 'acme'] });
    for (const { code, stdout } of [empty, full]) {
      expect(code).toBe(0);
      expect(stdout).toMatch(/Not listed: local, acme\. What trainings uploaded and made there stays/);
    }
    expect(empty.stdout).toContain('Flywheel has left nothing that it can list.');
  });

  it('leaves what is young, and what another Flywheel deployed', async () => {
    const { have, there, run, server } = await setup();
    await have(ours('young'));
    const other = createDeployer({ ...settingsOf(server), namespace: 'flywheel-two' }, { [base]: image });
    await other.deploy({ model: base, baseModel: null });

    const { code, stdout } = await run('cleanup');

    expect(code).toBe(0);
    expect(stdout).toMatch(/flywheel-young-\S+ .* kept: it was made after/);
    expect(there()).toContain('flywheel-two/flywheel-nano-4m');
    expect(there()).toContain(idOf('young'));
  });

  it('leaves what another Flywheel made in the same namespace, unless told otherwise', async () => {
    const { cleanup, have, haveDataset, there, deployer, run, lineage } = await setup();
    const theirs = (name: string) => `flywheel-${name}-run-20261121t090000z-ff00ff-0123456789abcdef`;
    await have(theirs('promoted'), ours('left'), 'flywheel-untold');
    await haveDataset(theirs('rows'));
    // A lasting deployment of a route that is in their database.
    await deployer.deploy({ model: `flywheel/${theirs('promoted')}`, baseModel: base });
    const foreign = [deployment, `flywheel/${theirs('promoted')}`, 'flywheel/flywheel-untold'];

    const usual = await cleanup();
    const table = await run('cleanup', '--older-than', '0');
    const left = there();
    const dry = await cleanup('--foreign', '--dry-run');
    const real = await cleanup('--foreign');

    expect(usual.code).toBe(0);
    expect(usual.removed).toEqual([idOf('left')]);
    expect(usual.kept.sort()).toEqual([...foreign, `flywheel/${theirs('rows')}`].sort());
    expect(table.stdout).toMatch(/does not know run-20261121t090000z-ff00ff: .*--foreign removes it/);
    expect(left).toEqual([...foreign, `flywheel/${theirs('rows')}`, 'flywheel/nano-1m'].sort());
    expect(dry.removed).toEqual(real.removed);
    expect(real.removed.sort()).toEqual(usual.kept);
    expect(there()).toEqual(['flywheel/nano-1m']);
    expect(await lineage.deployments.list()).toEqual([]);
  });

  it('keeps everything while a run works, and closes first the run whose workflow was terminated', async () => {
    const { lineage, cleanup, have, there, deployer } = await setup();
    await have(ours('left'));
    const world = newWorld({ fineTune: 'hang' });
    const { runId } = newTrigger();
    await trigger(world, newTrigger({ runId }));
    await untilTrue(() => world.jobs.size > 0);
    await openRow(lineage, runId, world.workloadId);
    // Its worker died when the deployment was made, and its name not yet written down.
    const target = { provider: 'nemo', model: base, baseModel: null };
    await lineage.deployments.hold(target, runHolder(runId));
    await lineage.deployments.begin(target, runHolder(runId));
    await deployer.deploy(target);

    const atWork = await cleanup();
    await flywheelHandle(world).terminate('out of budget');
    const dry = await cleanup('--dry-run');
    const open = await lineage.runs.view(runId);
    const real = await cleanup();

    expect(atWork.removed).toEqual([]);
    expect(atWork.report.things.map(({ reason }) => reason)).toContain(
      `run ${runId} is under way and may need it`,
    );
    // Its name is not known, so that what stands there is not known to be it.
    expect(dry.removed).toEqual([base, deployment, idOf('left')]);
    expect(open.status).toBe('running');
    expect(real.code).toBe(0);
    expect(real.removed).toEqual([base, idOf('left')]);
    expect(await lineage.runs.view(runId)).toMatchObject({
      status: 'failed',
      failure: 'Its workflow was terminated: out of budget.',
    });
    expect(there()).toEqual(['flywheel/nano-1m']);
    expect(await lineage.deployments.list()).toEqual([]);
  });

  it('keeps the winner of a gate that waits, however many runs came since, and not of one that is gone', async () => {
    const { lineage, cleanup, have, there, databaseUrl } = await setup();
    await have(ours('waits'), ours('gone'));
    const [waits, gone] = [newWorld(), newWorld()];
    const [waiting, ended] = [await openGate(waits), await openGate(gone)];
    await winner(lineage, { ...waiting, workloadId: waits.workloadId }, ours('waits'));
    await winner(lineage, { ...ended, workloadId: gone.workloadId }, ours('gone'));
    await manyRuns(databaseUrl, waits.workloadId);
    await gateHandle(ended.runId).terminate('cleaning up');

    const dry = await cleanup('--dry-run');
    const pending = await lineage.runs.view(ended.runId);
    const real = await cleanup();

    expect(dry.removed).toEqual([idOf('gone')]);
    expect(pending.approval?.status).toBe('pending');
    expect(real.removed).toEqual([idOf('gone')]);
    expect(there()).toEqual([idOf('waits'), 'flywheel/nano-1m']);
    expect((await lineage.runs.view(ended.runId)).approval?.status).toBe('expired');
    expect((await lineage.runs.view(waiting.runId)).approval?.status).toBe('pending');
    await gateHandle(waiting.runId).terminate('test is over');
  });

  it('keeps the approved winner whose rollout waits, until it can come no more', async () => {
    const { lineage, cleanup, have } = await setup();
    await have(ours('approved'));
    const world = newWorld();
    const { workloadId } = world;
    const gate = await openGate(world);
    await winner(lineage, { ...gate, workloadId }, ours('approved'));
    // Another move of the route is in its way.
    const other = await client.workflow.start('approvalGate', {
      ...{ workflowId: rolloutId(workloadId), taskQueue: 'nobody-polls-this', args: [] },
    });
    await decide(gate);
    await lineage.decisions.recordDecision(gate.runId, aDecision('yes', gate.digest), 'approved');

    const waiting = await cleanup();
    await gateHandle(gate.runId).terminate('a mistake');
    const otherOpen = await cleanup();
    await other.terminate('so is this');
    const over = await cleanup();

    expect(waiting.kept).toEqual([idOf('approved')]);
    expect(otherOpen.kept).toEqual([idOf('approved')]);
    expect(over.removed).toEqual([idOf('approved')]);
  });

  it('keeps the approved winner of an approval that Temporal does not know', async () => {
    const { lineage, cleanup, have } = await setup();
    await have(ours('approved'));
    const gate = { runId: 'run-unheard-of', workloadId: 'unheard-of', digest: 'd' };
    await winner(lineage, gate, ours('approved'));
    await lineage.decisions.recordDecision(gate.runId, aDecision('yes', gate.digest), 'approved');

    expect((await cleanup()).kept).toEqual([idOf('approved')]);
  });

  it('gives back what a route holds and neither serves nor would go back to', async () => {
    const { lineage, cleanup, have, there, deployer } = await setup();
    await have(ours('adapter'));
    await moveTo(lineage, 'hr', ours('adapter'));
    const adapter = { provider: 'nemo', model: idOf('adapter'), baseModel: base };
    const stray = { provider: 'nemo', model: base, baseModel: null };
    for (const [target, workload] of [[adapter, 'hr'] as const, [stray, 'restored'] as const]) {
      await lineage.deployments.hold(target, routeHolder(workload));
      await lineage.deployments.begin(target, routeHolder(workload));
      await lineage.deployments.recordDeployment(target, await deployer.deploy(target));
    }

    const dry = await cleanup('--dry-run');
    const before = await lineage.deployments.list();
    const real = await cleanup();
    const held = await lineage.deployments.list();

    // The base is held with its adapter, which the route serves: only the stray hold goes.
    expect([dry.removed, real.removed]).toEqual([[], []]);
    expect(before.find(({ model }) => model === base)?.holders).toEqual(['route:hr', 'route:restored']);
    expect(held.map(({ model, holders }) => [model, holders])).toEqual([
      [idOf('adapter'), ['route:hr']],
      [base, ['route:hr']],
    ]);
    expect(there()).toContain(deployment);

    await moveTo(lineage, 'hr', 'elsewhere');
    await moveTo(lineage, 'hr', 'elsewhere-too');
    const dryAgain = await cleanup('--dry-run');
    const gone = await cleanup();

    expect(dryAgain.removed).toEqual(gone.removed);
    expect(gone.removed).toEqual([`${deployment}#${idOf('adapter')}`, deployment, idOf('adapter')]);
    expect(there()).toEqual(['flywheel/nano-1m']);
  });

  it('keeps what nobody can remove any more, as a dry run says; for a provider that is gone until it is back', async () => {
    const { lineage, cleanup, configure, there, server } = await setup();
    const hosted = { kind: 'openai', url: 'http://127.0.0.1:9/v1' };
    await configure({ hosted });
    const before = createDeployer({ ...settingsOf(server), namespace: 'flywheel-two' }, { [base]: image });
    const { id } = await before.deploy({ model: base, baseModel: null });
    await recordDeployed(lineage, 'gone', id);
    await recordDeployed(lineage, 'hosted', 'by-another-name');

    const [dry, real] = [await cleanup('--dry-run'), await cleanup()];
    const books = await lineage.deployments.list();
    await configure({ gone: providerAt(server.url, 'flywheel-two') });
    const [dryAgain, gone] = [await cleanup('--dry-run'), await cleanup()];

    expect([dry.code, real.code]).toEqual([0, 0]);
    expect(real.report.things).toEqual(dry.report.things);
    expect(dry.report.things).toMatchObject([
      { id, outcome: 'kept', reason: expect.stringMatching(/gone is not in candidates.yaml/) },
      { id: 'by-another-name', outcome: 'kept', reason: expect.stringMatching(/deploys nothing at hosted/) },
    ]);
    expect(books).toMatchObject([{ provider: 'gone', removing: false }]);
    expect([dryAgain.removed, gone.removed]).toEqual([[id], [id]]);
    expect(there()).toEqual(['flywheel/nano-1m']);
    expect(await lineage.deployments.list()).toEqual([]);
  });

  it('leaves in its dry run what somebody is removing, until that one must have died', async () => {
    const { lineage, cleanup, databaseUrl } = await setup();
    await recordDeployed(lineage, 'nemo', deployment);
    await lineage.deployments.release(runHolder('run-ended'));
    await lineage.deployments.claimUnused();

    const young = await cleanup('--dry-run');
    const real = await cleanup();
    const sql = postgres(databaseUrl, { max: 1 });
    await sql`update deployments set removing_since = now() - interval '7 minutes'`;
    await sql.end();
    const old = await cleanup('--dry-run');
    const finished = await cleanup();

    expect(young.report.things).toMatchObject([
      { id: deployment, outcome: 'kept', reason: expect.stringMatching(/^somebody is removing it/) },
    ]);
    expect(real.removed).toEqual([]);
    expect([old.removed, finished.removed]).toEqual([[deployment], [deployment]]);
  });

  it('does the rest where a provider is down, and ends with 3', async () => {
    const { cleanup, run, have, there, server } = await setup({ down: true });
    await have(ours('left'));

    const table = await run('cleanup', '--older-than', '0', '--dry-run');
    const real = await cleanup();
    server.faults.refusals.push({ method: 'GET', path: '/v1/datasets', status: 400, times: 1 });
    await have(ours('more'));
    const half = await cleanup();

    expect([table.code, real.code, half.code]).toEqual([3, 3, 3]);
    expect(table.stdout).toContain(idOf('left'));
    expect(table.stderr).toMatch(/away is missing here: away could not/);
    expect(real.report.problems).toMatchObject([{ who: 'away' }]);
    expect(real.removed).toEqual([idOf('left')]);
    // Listed in part: what had been found is dealt with.
    expect(half.report.problems.map(({ who }) => who)).toEqual(['away', 'nemo']);
    expect(half.removed).toEqual([idOf('more')]);
    expect(there()).toEqual(['flywheel/nano-1m']);
  });

  it('says what cannot be removed, goes on with the rest, and ends with 3', async () => {
    const { cleanup, have, there, server } = await setup();
    await have(ours('a'), ours('b'));
    server.faults.refusals.push({ method: 'DELETE', path: '/v1/models', status: 400, times: 1 });

    const { code, report } = await cleanup();

    expect(code).toBe(3);
    expect(report.things.map(({ outcome }) => outcome).sort()).toEqual(['failed', 'removed']);
    expect(report.things.find(({ outcome }) => outcome === 'failed')?.reason).toMatch(/told to refuse/);
    expect(there()).toHaveLength(2);
  });

  it('counts every run as open where Temporal is away, and says so', async () => {
    const { lineage, cleanup, have } = await setup({ temporal: '127.0.0.1:9' });
    await have(ours('left'));
    await openRow(lineage, 'run-maybe', 'hr');

    const { code, report, kept } = await cleanup();

    expect(code).toBe(3);
    expect(kept).toEqual([idOf('left')]);
    expect(report.problems).toMatchObject([
      { who: 'Temporal', reason: expect.stringMatching(/counts as open/) },
    ]);
    expect((await lineage.runs.view('run-maybe')).status).toBe('running');
  });
});

async function candidatesFile(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'flywheel-cleanup-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  return join(dir, 'candidates.yaml');
}

function providerAt(url: string, namespace = 'flywheel') {
  return {
    ...{ kind: 'nemo-microservices', url, nim_url: `${url}/nim`, data_store_url: `${url}/data-store` },
    ...{ namespace, nims: { [base]: image } },
  };
}

async function writeCandidates(file: string, server: NemoServer, more: object): Promise<void> {
  const providers = {
    ...more,
    nemo: providerAt(server.url),
    // Neither is asked. The first trains, the second only answers.
    acme: { url: 'http://127.0.0.1:9/v1', fine_tuning: true },
    answering: { url: 'http://127.0.0.1:9/v1' },
  };
  const candidates = [{ name: 'four', provider: 'nemo', model: base }];
  // JSON is YAML.
  await writeFile(file, JSON.stringify({ providers, candidates }));
}

/** More than any page of a list, all of them younger than what was there. */
async function manyRuns(databaseUrl: string, workloadId: string): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1 });
  await sql`
    insert into runs (id, workflow_id, workload_id, reason, requested_by, plan, status, stage, ended_at)
    select 'run-later-' || n, 'w', ${workloadId}, '', '', '{}', 'completed', 'done', now()
    from generate_series(1, 1001) n`;
  await sql.end();
}
