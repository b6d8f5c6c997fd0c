import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import type { Lineage } from '../../../activities/ports/lineage.ts';
import { runHolder } from '../../../domain/deployments/holder.ts';
import { createInventory } from '../../../integrations/nemo-platform/inventory.ts';
import { createModelsClient } from '../../../integrations/nemo-platform/models.ts';
import { createTransport } from '../../../integrations/nemo-platform/transport.ts';
import { setup as setupCli } from '../../cli/support/cli.ts';
import { aServing, aSpec, openedRun } from '../../support/lineage.ts';
import { aWorkspace } from '../../support/nemo-platform.ts';

/** A workspace of its own: cleaning up would take what other tests have in theirs. */
const workspace = 'cleanup';

async function setup() {
  const settings = await aWorkspace({ workspace });
  const dir = await mkdtemp(join(tmpdir(), 'flywheel-cleanup-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const nemo = { kind: 'nemo-platform', url: settings.url, workspace, customizer: 'peft' };
  const candidates = [{ name: 'nano', provider: 'nemo', model: 'nano-1m' }];
  // JSON is YAML.
  await writeFile(join(dir, 'candidates.yaml'), JSON.stringify({ providers: { nemo }, candidates }));
  const bundle = await setupCli({
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    FLYWHEEL_CANDIDATES: join(dir, 'candidates.yaml'),
  });
  const inventory = createInventory(settings);
  const there = async () => {
    const things: string[] = [];
    for await (const { kind, id } of inventory.list()) things.push(`${kind} ${id}`);
    return things.sort();
  };
  return { ...bundle, settings, there };
}

/** A run that has ended, and whose adapter this was. */
async function trained(lineage: Lineage, model: string): Promise<void> {
  const { experimentId, ...spec } = aSpec('run-1');
  const datasetId = 'data-run-1';
  await openedRun(lineage, 'run-1');
  await lineage.experiments.open('run-1', { experimentId, ...spec });
  await lineage.experiments.recordJob({
    ...{ jobId: 'job-1', experimentId, provider: 'nemo', key: 'key', datasetId },
    ...{ status: 'succeeded', hyperparameters: {} },
  });
  const at = { experimentId, datasetId, jobId: 'job-1', baseModel: 'nano-1m' };
  await lineage.experiments.recordAdapter({ ...at, model, provider: 'nemo' });
  await lineage.runs.close('run-1', 'completed');
}

test('cleaning up leaves a platform with what the route serves and what is not ours', async () => {
  const { run, lineage, settings, there } = await setup();
  const models = createModelsClient(createTransport(settings));
  for (const name of ['flywheel-routed', 'flywheel-begun', 'flywheel-left', 'flywheel-theirs', 'somebodys'])
    await models.ensureVirtualModel({ workspace, name });
  await trained(lineage, `${workspace}/flywheel-left`);
  const begun = { provider: 'nemo', model: `${workspace}/flywheel-begun`, baseModel: null };
  // Its worker died before it could write down what it is called, and its run was terminated.
  await lineage.deployments.hold(begun, runHolder('terminated'));
  await lineage.deployments.begin(begun, runHolder('terminated'));
  const serving = aServing(`${workspace}/flywheel-routed`, { provider: 'nemo' });
  await lineage.routes.move({
    ...{ moveId: 'move', workloadId: 'hr', kind: 'rollback', digest: null, runId: null },
    ...{ serving, actor: 'ada', reason: 'a test' },
  });
  const before = await there();

  const dry = await run('cleanup', '--older-than', '0', '--dry-run', '--json');
  const untouched = await there();
  const real = await run('cleanup', '--older-than', '0', '--json');

  expect(before).toEqual(
    ['begun', 'left', 'routed', 'theirs'].map((name) => `virtual model ${workspace}/flywheel-${name}`),
  );
  expect([dry.code, real.code]).toEqual([0, 0]);
  expect(untouched).toEqual(before);
  // Of an adapter that is in another Flywheel's database.
  expect(await there()).toEqual(
    ['routed', 'theirs'].map((name) => `virtual model ${workspace}/flywheel-${name}`),
  );
  expect(real.json()).toEqual({ ...(dry.json() as object), dryRun: false });
  expect(await models.virtualModel({ workspace, name: 'somebodys' })).not.toBeNull();
  expect(await lineage.deployments.list()).toEqual([]);
}, 300_000);
