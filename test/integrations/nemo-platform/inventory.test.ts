import { expect, test } from 'vitest';
import { z } from 'zod';
import { hasEnded } from '../../../activities/ports/trainer.ts';
import { createFilesClient } from '../../../integrations/nemo-platform/files.ts';
import {
  createGuardrailConfigurations,
  guardrailConfiguration,
} from '../../../integrations/nemo-platform/guardrail-configurations.ts';
import { createInventory } from '../../../integrations/nemo-platform/inventory.ts';
import { createJobsClient } from '../../../integrations/nemo-platform/jobs.ts';
import { createModelsClient } from '../../../integrations/nemo-platform/models.ts';
import { adapterName } from '../../../integrations/nemo-platform/names.ts';
import type { NemoPlatformSettings } from '../../../integrations/nemo-platform/settings.ts';
import { createTransport } from '../../../integrations/nemo-platform/transport.ts';
import { describeInventory } from '../../contracts/inventory.contract.ts';
import { eventually } from '../../support/eventually.ts';
import { aWorkspace } from '../../support/nemo-platform.ts';
import { aTraining } from '../../support/nemo-platform-adapter.ts';

/** Of its own: the suite removes whatever is ours in it. */
const workspace = 'inventory';
/** Automodel and unsloth call an adapter's files after it, and more. */
const weights = 'flywheel-hr-1-a1b2c3d4e5f6';
const rules = { questions: { secret: 'secret' }, answers: { card: String.raw`\d{16}` } };
const oldRules = guardrailConfiguration({ questions: {}, answers: { card: String.raw`\d{12}` } }, 'answer');

describeInventory('NeMo Platform', async () => {
  const settings = await aWorkspace({ workspace });
  const transport = createTransport(settings);
  const models = createModelsClient(transport);
  const files = createFilesClient(transport);
  const { job, dataset, key, runId } = await aCancelledTraining(settings);
  const adapter = adapterName('hr', key);
  // As its training would register it, without the minute that it takes.
  await registerAdapter(settings, adapter, weights);
  await registerAdapter(settings, 'somebodys', 'somebodys');
  await putFile(settings, 'flywheel-left-1');
  const guardrails = createGuardrailConfigurations(transport, workspace);
  await guardrails.ensure(oldRules);
  await models.ensureVirtualModel({ workspace, name: adapter });
  return {
    inventory: createInventory(settings),
    made: [
      { kind: 'virtual model', id: `${workspace}/${adapter}`, runId },
      { kind: 'adapter', id: `${workspace}/${adapter}`, runId },
      { kind: 'job', id: job, runId },
      { kind: 'fileset', id: dataset, runId },
      { kind: 'fileset', id: 'flywheel-left-1' },
      { kind: 'guardrail configuration', id: oldRules.key },
    ],
    foreign: [
      // The base model's, which the stack made for everybody.
      { kind: 'virtual model', id: `${workspace}/nano-1m` },
      { kind: 'adapter', id: `${workspace}/somebodys` },
      { kind: 'fileset', id: 'somebodys' },
    ],
    async isThere({ kind, id }) {
      const name = id.replace(`${workspace}/`, '');
      if (kind === 'virtual model') return (await models.virtualModel({ workspace, name })) !== null;
      if (kind === 'adapter' && name === adapter && (await files.get(workspace, weights))) return true;
      if (kind === 'adapter') return (await models.adapter({ workspace, name })) !== null;
      if (kind === 'guardrail configuration')
        return (await guardrails.list()).some((one) => one.name === name);
      if (kind === 'fileset') return (await files.get(workspace, name)) !== null;
      // The platform makes every job a fileset for its results.
      const results = await files.get(workspace, `job-fileset-${name}`);
      return results !== null || (await createJobsClient(settings, transport).status(name)) !== null;
    },
  };
});

test('leaves the guardrails that a policy checks by, and files that another adapter has', async () => {
  const settings = await aWorkspace({ workspace: `inventory-in-use-${Date.now()}` });
  const guardrails = createGuardrailConfigurations(createTransport(settings), settings.workspace);
  for (const configuration of [oldRules, guardrailConfiguration(rules, 'question')])
    await guardrails.ensure(configuration);
  for (const name of ['flywheel-hr-1', 'somebodys']) await registerAdapter(settings, name, weights);
  const inventory = createInventory(settings, [rules]);
  const listed: string[] = [];

  for await (const thing of inventory.list()) {
    listed.push(`${thing.kind} ${thing.id}`);
    await inventory.remove(thing);
  }

  expect(listed).toEqual([
    `adapter ${settings.workspace}/flywheel-hr-1`,
    `guardrail configuration ${oldRules.key}`,
  ]);
  const files = createFilesClient(createTransport(settings));
  expect(await files.get(settings.workspace, weights)).not.toBeNull();
  expect(await guardrails.list()).toMatchObject([{ name: guardrailConfiguration(rules, 'question').key }]);
}, 300_000);

/** What a training leaves that was cancelled at once: the job, and the fileset of its rows. */
async function aCancelledTraining(settings: NemoPlatformSettings) {
  const { trainer, request } = await aTraining(settings);
  const { id } = await trainer.launch(request);
  await trainer.cancel(id);
  await eventually(async () => {
    if (!hasEnded(await trainer.get(id))) throw new Error(`${id} has not ended`);
  }, 240_000);
  const filesets = await createFilesClient(createTransport(settings)).list(settings.workspace);
  const { key, metadata } = request;
  return {
    job: id,
    key,
    runId: metadata['run_id'] ?? '',
    dataset: filesets.find(({ name }) => name.startsWith('flywheel-data-'))?.name ?? '',
  };
}

async function putFile(settings: NemoPlatformSettings, fileset: string): Promise<void> {
  const lines = (async function* () {
    yield '{}';
  })();
  const files = createFilesClient(createTransport(settings));
  await files.upload({
    workspace: settings.workspace,
    fileset,
    path: 'adapter_config.json',
    bytes: 3,
    lines,
  });
}

async function registerAdapter(settings: NemoPlatformSettings, name: string, fileset: string): Promise<void> {
  const at = settings.workspace;
  await putFile(settings, fileset);
  await createTransport(settings).call({
    doing: `register adapter ${name}`,
    method: 'POST',
    path: `/apis/models/v2/workspaces/${at}/adapters`,
    body: {
      ...{ name, model: `${at}/nano-1m`, fileset: `${at}/${fileset}` },
      ...{ finetuning_type: 'lora', lora_config: { rank: 4, alpha: 4 } },
    },
    reply: z.unknown(),
  });
}
