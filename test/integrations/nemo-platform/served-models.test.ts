import { json } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDeployer } from '../../../integrations/nemo-platform/deployer.ts';
import { createInventory } from '../../../integrations/nemo-platform/inventory.ts';
import type { ServedModel } from '../../../integrations/nemo-platform/models.schema.ts';
import type { NemoPlatformSettings } from '../../../integrations/nemo-platform/settings.ts';
import { respond, startHttpServer, type TestHttpServer } from '../../support/http-server.ts';

let server: TestHttpServer | undefined;
afterEach(() => server?.close());

const promoted = 'flywheel/flywheel-hr-1';
const left = 'flywheel/flywheel-hr-2';
const target = { model: promoted, baseModel: 'flywheel/nano-1m' };
const entryOf = (model: string): ServedModel => ({
  model_entity_id: model,
  served_model_name: `lora-${model}`,
});
const base = entryOf('flywheel/nano-1m');

/** A platform with one provider, whose lists can be made to cross each other, and adapters of whatever name. */
class Platform {
  virtualModels = new Set<string>();
  served: ServedModel[] = [base];
  status = 'ERROR';
  readonly written: object[] = [];
  /** After the next list is written. */
  onWrite: (() => void) | null = null;

  answer(method: string, path: string, body: Record<string, unknown>): unknown {
    const [, collection = '', name = '', rest = ''] =
      /^\/apis\/[^/]+\/v2\/workspaces\/flywheel\/([^/]+)(?:\/([^/]+))?(?:\/(.*))?$/.exec(path) ?? [];
    const provider = {
      name: 'server',
      host_url: 'http://x',
      status: this.status,
      served_models: this.served,
    };
    switch (`${method} ${collection}`) {
      case 'GET virtual-models':
        return this.virtualModels.has(name) ? { name } : null;
      case 'POST virtual-models':
        this.virtualModels.add(String(body['name']));
        return {};
      case 'DELETE virtual-models':
        this.virtualModels.delete(name);
        return {};
      case 'GET adapters':
        return { name, fileset: `flywheel/${name}`, enabled: true };
      case 'GET filesets':
        return {
          ...{ name, created_at: '2026-01-01T00:00:00' },
          custom_fields: { provider: 'flywheel/server', served_model_name: `lora-flywheel/${name}` },
        };
      case 'GET providers':
        return name === '' ? { data: [provider] } : provider;
      case 'PUT providers':
        return this.#write(body);
      case 'GET model':
        return rest !== '' && this.#serves(name) ? { data: [] } : null;
      default:
        return null;
    }
  }

  /** As the platform does: of the fields, those that are told. */
  #write(body: Record<string, unknown>): object {
    this.written.push(body);
    this.served = (body['served_models'] as ServedModel[] | undefined) ?? this.served;
    this.status = (body['status'] as string | undefined) ?? this.status;
    const crossing = this.onWrite;
    this.onWrite = null;
    crossing?.();
    return {};
  }

  #serves(name: string): boolean {
    return (
      this.virtualModels.has(name) &&
      this.served.some((entry) => entry.model_entity_id === `flywheel/${name}`)
    );
  }
}

let platform: Platform;
let settings: NemoPlatformSettings;
beforeEach(async () => {
  platform = new Platform();
  server = await startHttpServer(async (request, response) => {
    const { method = '', url = '' } = request;
    const body = method === 'POST' || method === 'PUT' ? await json(request) : {};
    const path = url.split('?')[0] ?? '';
    const answer = platform.answer(method, path, body as Record<string, unknown>);
    if (answer !== null) return respond(response, 200, answer);
    const unknown = path.includes('/model/') ? 'No providers found for model entity x' : 'not found';
    return respond(response, 404, { detail: unknown });
  });
  settings = { name: 'nemo', url: server.url, workspace: 'flywheel', apiKey: null };
});

describe('a route whose entry somebody else’s list has left out', () => {
  test('is gone, though its virtual model is there, and is put back by whoever deploys it again', async () => {
    const deployer = createDeployer(settings);
    const { id, status } = await deployer.deploy(target);
    expect(status).toBe('ready');
    platform.served = [base];

    expect(await deployer.get(id)).toBeNull();
    expect(await deployer.deploy(target)).toEqual({ id, status: 'ready', ours: true, error: null });

    expect(platform.served).toEqual([base, entryOf(promoted)]);
  });

  test('is there, and not ready, as long as the gateway has not heard of its entry', async () => {
    const deployer = createDeployer(settings);
    const { id } = await deployer.deploy(target);
    const { answer } = platform;
    platform.answer = (method, path, body) =>
      path.includes('/model/') ? null : answer.call(platform, method, path, body);

    expect(await deployer.get(id)).toMatchObject({ status: 'pending', ours: true });
  });
});

describe('cleaning up a route', () => {
  const remove = () => createInventory(settings).remove({ kind: 'virtual model', id: left });
  beforeEach(() => {
    platform.virtualModels.add('flywheel-hr-2');
    platform.served = [base, entryOf(left)];
  });

  test('keeps what a rollout has written since the providers were listed', async () => {
    const { answer } = platform;
    platform.answer = (method, path, body) => {
      const answered = answer.call(platform, method, path, body);
      if (method === 'GET' && path.endsWith('/providers'))
        platform.served = [...platform.served, entryOf(promoted)];
      return answered;
    };

    await remove();

    expect(platform.served).toEqual([base, entryOf(promoted)]);
  });

  test('takes the entry off again where another’s list has brought it back', async () => {
    const before = platform.served;
    platform.onWrite = () => {
      platform.served = [...before, entryOf(promoted)];
    };

    await remove();

    expect(platform.served).toEqual([base, entryOf(promoted)]);
  });

  test('leaves the provider’s status to whoever looks after it', async () => {
    await remove();

    expect(platform.served).toEqual([base]);
    expect(platform.status).toBe('ERROR');
  });
});
