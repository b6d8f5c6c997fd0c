import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../domain/json.ts';
import { createChecks } from '../../../integrations/nemo-microservices/checks.ts';
import { createDeployer } from '../../../integrations/nemo-microservices/deployer.ts';
import type { NimImage } from '../../../integrations/nemo-microservices/settings.ts';
import type { NemoServer } from '../../contract-servers/nemo-microservices/server.ts';
import { aNemoServer, settingsOf } from '../../support/nemo-server.ts';

/** One deployment of a base for several models and processes: what each of them may do to it. */

const base = 'flywheel/nano-4m';
const fullName = 'flywheel/flywheel-nano-4m';
const env = { NIM_LOG_LEVEL: 'INFO', NGC_API_KEY: 'nvapi-0123456789' };
const image: NimImage = { image: `registry.example/nim/${base}`, tag: '1.8.3', gpus: 1, env };
const [served, another] = ['one@cust-1', 'two@cust-2'].map((name) => ({
  model: `flywheel/flywheel-hr-${name}`,
  baseModel: base,
})) as [Target, Target];
interface Target {
  readonly model: string;
  readonly baseModel: string;
}

let server: NemoServer;
beforeEach(async () => {
  server = await aNemoServer();
});
afterEach(() => server.close());

function deployerOf(changes: Partial<NimImage> = {}) {
  return createDeployer(settingsOf(server), { [base]: { ...image, ...changes } });
}

function entity(): JsonObject {
  const found = server.world.tables.deployments.get(fullName);
  if (!found) throw new Error(`no deployment ${fullName}`);
  return found;
}

describe('a container that was changed in candidates.yaml', () => {
  test.each([
    ['image_tag', { tag: '1.9.0' }],
    ['gpu', { gpus: 2 }],
    ['NIM_LOG_LEVEL', { env: { ...env, NIM_LOG_LEVEL: 'DEBUG' } }],
  ])('takes no new model as long as the old one stands, for %s', async (field, changes) => {
    await deployerOf().deploy(served);
    const changed = deployerOf(changes);

    const refused = changed.deploy(another);

    await expect(refused).rejects.toMatchObject({ name: 'RejectedError', code: 'conflict' });
    await expect(refused).rejects.toThrow(`${fullName} runs another container`);
    await expect(refused).rejects.toThrow(`(${field})`);
    expect(entity()['custom_fields']).toEqual({ flywheel_models: served.model });
    // A route goes on, and is gone back to.
    expect(await changed.deploy(served)).toMatchObject({ ours: true });
    expect(await checked({ ...image, ...changes })).toMatch(/runs another container/);
    // Deleted at a quiet time, it is made by the new one.
    await changed.remove(null, served);
    await changed.deploy(another);
    expect(containerOf()).toMatchObject(asSent(changes));
  });

  test('is told by what the service shows: not by a secret that it hides, nor by variables of its own', async () => {
    await deployerOf().deploy(served);
    const { nim_deployment: nim } = entity()['config'] as { nim_deployment: JsonObject };
    nim['additional_envs'] = { ...env, NGC_API_KEY: '******', NIM_PEFT_SOURCE: 'http://entity-store:8000' };
    delete nim['gpu'];

    expect(await deployerOf().deploy(another)).toMatchObject({ ours: true });
    expect(await checked(image)).toBeNull();
  });
});

describe('a model that comes while the last one goes', () => {
  test('keeps the deployment', async () => {
    const deployer = deployerOf();
    await deployer.deploy(served);
    // Another process writes as soon as the list is empty.
    onChange((fields) => (fields['flywheel_models'] === '' ? { flywheel_models: another.model } : fields));

    await deployer.remove(null, served);

    expect(entity()['custom_fields']).toEqual({ flywheel_models: another.model });
  });

  test('or none comes, and who took the last one off died: the next one removes the rest', async () => {
    const deployer = deployerOf();
    await deployer.deploy(served);
    server.faults.refusals.push({ method: 'DELETE', path: '/model-deployments', status: 400, times: 1 });
    await expect(deployer.remove(null, served)).rejects.toMatchObject({ name: 'RejectedError' });
    expect(entity()['custom_fields']).toEqual({ flywheel_models: '' });

    await deployer.remove(null, served);
    await deployer.remove(`${fullName}#${served.model}`, served);

    expect(server.world.tables.deployments.has(fullName)).toBe(false);
  });

  test('is told to come again where it was too late', async () => {
    const deployer = deployerOf();
    await deployer.deploy(served);
    onChange((fields) => {
      server.world.tables.deployments.delete(fullName);
      return fields;
    });

    await expect(deployer.deploy(another)).rejects.toMatchObject({ name: 'UnavailableError', kind: 'busy' });
  });
});

/** What becomes of custom fields that are written. */
function onChange(write: (fields: JsonObject) => JsonObject): void {
  const found = entity();
  let fields = found['custom_fields'] as JsonObject;
  Object.defineProperty(found, 'custom_fields', {
    enumerable: true,
    get: () => fields,
    set: (written: JsonObject) => {
      fields = write(written);
    },
  });
}

function containerOf() {
  return (entity()['config'] as { nim_deployment: JsonObject }).nim_deployment;
}

function asSent({ tag = image.tag, gpus = image.gpus, env: envs = env }: Partial<NimImage>) {
  return { image_tag: tag, gpu: gpus, additional_envs: envs };
}

/** What `candidates check` says of the base; null where all is well. */
async function checked(nim: NimImage): Promise<string | null> {
  const [serving] = createChecks(settingsOf(server), { [base]: nim }).serving(base, { adapters: true });
  try {
    await serving?.ask();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
