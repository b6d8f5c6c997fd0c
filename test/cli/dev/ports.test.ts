import { createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { listeners, requireFreePorts } from '../../../cli/dev/ports.ts';
import { loadConfig } from '../../../config/config.ts';

async function takePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}

it('names the taken port, the service that needs it, and the way out', async () => {
  const port = await takePort();
  const config = loadConfig({
    env: {
      TEMPORAL_ADDRESS: '127.0.0.1:1',
      DATABASE_URL: 'postgres://x@127.0.0.1:1/x',
      MODEL_SERVER_URL: 'http://127.0.0.1:1',
      FLYWHEEL_GATEWAY_PORT: String(port),
    },
  });

  await expect(requireFreePorts(config)).rejects.toThrow(
    `This port is taken by another program: ${port} (gateway). Stop it, or move all ports, such as by --port-offset 100.`,
  );
});

it('asks only for the ports of what it starts itself', () => {
  const all = listeners(loadConfig({ env: {} })).map(({ service, port }) => `${service} ${port}`);
  const own = listeners(loadConfig({ env: { TEMPORAL_ADDRESS: 'temporal.example:7233' }, portOffset: 5 }));

  expect(all).toEqual([
    'Temporal 7233',
    'Temporal UI 8233',
    'PostgreSQL 5439',
    'model server 8090',
    'gateway 8080',
  ]);
  expect(own.map(({ port }) => port)).toEqual([5444, 8095, 8085]);
});

it('moves a gateway port that is named with the others, and leaves the Temporal UI of another server alone', () => {
  const env = { FLYWHEEL_GATEWAY_PORT: '9000', TEMPORAL_UI_URL: 'https://temporal.example/ui' };

  const all = listeners(loadConfig({ env, portOffset: 200 }));

  expect(all.find(({ service }) => service === 'gateway')?.port).toBe(9200);
  expect(all.find(({ service }) => service === 'Temporal UI')?.port).toBe(8433);
});
