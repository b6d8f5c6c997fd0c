import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createCustomizer } from '../../../integrations/nemo-microservices/customizer.ts';
import { createTransport } from '../../../integrations/nemo-microservices/transport.ts';
import type { NemoServer } from '../../contract-servers/nemo-microservices/server.ts';
import { aNemoServer, settingsOf } from '../../support/nemo-server.ts';

/** Which customization target trains a base model, where there are several. */

const base = 'flywheel/nano-1m';
const shipped = 'flywheel/nano-1m@2.0';

let server: NemoServer;
beforeAll(async () => {
  server = await aNemoServer();
});
afterAll(() => server.close());

interface Shown {
  readonly name: string;
  readonly status?: string;
  readonly enabled?: boolean;
}

/** The targets of the base, in the order in which the service lists them. */
function have(...targets: Shown[]): void {
  const table = server.world.tables.customizationTargets;
  const like = [...table.values()].find((target) => target['base_model'] === base);
  for (const [key, target] of table) if (target['base_model'] === base) table.delete(key);
  for (const target of targets) table.set(`flywheel/${target.name}`, { ...like, enabled: true, ...target });
}

beforeEach(() => have({ name: 'nano-1m@2.0', status: 'ready' }));

function chosen(): Promise<string> {
  const settings = settingsOf(server);
  return createCustomizer(createTransport(settings, settings.url)).targetOf(base);
}

test.each(['failed', 'cancelled', 'deleting', 'deleted', 'delete_failed'])(
  'one that is %s is passed over',
  async (status) => {
    have({ name: 'nano-1m@1.0', status }, { name: 'nano-1m@2.0', status: 'ready' });

    expect(await chosen()).toBe(shipped);
  },
);

test('one that is ready comes before one that is being fetched, else the first by name, however listed', async () => {
  const targets = [
    { name: 'nano-1m@1.0', status: 'downloading' },
    { name: 'nano-1m@3.0', status: 'ready' },
    { name: 'nano-1m@2.0', status: 'ready' },
  ];
  for (const listed of [targets, [...targets].reverse()]) {
    have(...listed);
    expect(await chosen()).toBe(shipped);
  }
  have({ name: 'nano-1m@3.0', status: 'pending' }, { name: 'nano-1m@1.0', status: 'downloading' });
  expect(await chosen()).toBe('flywheel/nano-1m@1.0');
});

test('where none can be used, it is said which there are and what is the matter with each', async () => {
  have({ name: 'nano-1m@2.0', status: 'failed' }, { name: 'nano-1m@1.0', status: 'ready', enabled: false });

  await expect(chosen()).rejects.toMatchObject({ name: 'RejectedError', code: 'model_not_found' });
  await expect(chosen()).rejects.toThrow('flywheel/nano-1m@1.0 (disabled), flywheel/nano-1m@2.0 (failed)');
});
