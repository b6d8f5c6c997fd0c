import { z } from 'zod';
import { hasEnded } from '../../../activities/ports/trainer.ts';
import { createFilesClient } from '../../../integrations/nemo-platform/files.ts';
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

describeInventory('NeMo Platform', async () => {
  const settings = await aWorkspace({ workspace });
  const transport = createTransport(settings);
  const models = createModelsClient(transport);
  const files = createFilesClient(transport);
  const { job, dataset, key, runId } = await aCancelledTraining(settings);
  const adapter = adapterName('hr', key);
  // As its training would register it, without the minute that it takes.
  for (const name of [adapter, 'somebodys']) {
    await putFile(settings, name);
    await registerAdapter(settings, name);
  }
  await models.ensureVirtualModel({ workspace, name: adapter });
  return {
    inventory: createInventory(settings),
    made: [
      { kind: 'virtual model', id: `${workspace}/${adapter}`, runId },
      { kind: 'adapter', id: `${workspace}/${adapter}`, runId },
      { kind: 'job', id: job, runId },
      { kind: 'fileset', id: dataset, runId },
      { kind: 'fileset', id: adapter, runId },
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
      if (kind === 'adapter') return (await models.adapter({ workspace, name })) !== null;
      if (kind === 'fileset') return (await files.get(workspace, name)) !== null;
      // The platform makes every job a fileset for its results.
      const results = await files.get(workspace, `job-fileset-${name}`);
      return results !== null || (await createJobsClient(settings, transport).status(name)) !== null;
    },
  };
});

/** What a training leaves that was cancelled at once: the job, and the fileset of its rows. */
async function aCancelledTraining(settings: NemoPlatformSettings) {
  const { trainer, request } = await aTraining(settings);
  const { id } = await trainer.launch(request);
  await trainer.cancel(id);
  await eventually(async () => {
    if (!hasEnded(await trainer.get(id))) throw new Error(`${id} has not ended`);
  }, 60_000);
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
  await files.upload({ workspace, fileset, path: 'adapter_config.json', bytes: 3, lines });
}

async function registerAdapter(settings: NemoPlatformSettings, name: string): Promise<void> {
  await createTransport(settings).call({
    doing: `register adapter ${name}`,
    method: 'POST',
    path: `/apis/models/v2/workspaces/${workspace}/adapters`,
    body: {
      ...{ name, model: `${workspace}/nano-1m`, fileset: `${workspace}/${name}` },
      ...{ finetuning_type: 'lora', lora_config: { rank: 4, alpha: 4 } },
    },
    reply: z.unknown(),
  });
}
