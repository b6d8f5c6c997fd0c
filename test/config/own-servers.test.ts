import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '../../config/config.ts';
import { keepToOwnServers, namedServers } from '../../config/own-servers.ts';

/** An operator's environment: every server is somebody else's, and holds somebody's data. */
const env = {
  TEMPORAL_ADDRESS: 'temporal.example:7233',
  TEMPORAL_NAMESPACE: 'production',
  TEMPORAL_API_KEY: 'key',
  DATABASE_URL: 'postgres://production@db.example/production',
  ELASTICSEARCH_URL: 'https://elasticsearch.example:9200',
  MODEL_SERVER_URL: 'http://models.example:8090',
  FLYWHEEL_GATEWAY_PORT: '9000',
  FLYWHEEL_TOKENS_FILE: '/etc/flywheel/tokens.json',
  FLYWHEEL_MIN_RECORDS: '60',
};

function setup() {
  const home = mkdtempSync(join(tmpdir(), 'flywheel-own-servers-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  return home;
}

it('takes no server that is named, on a home that keeps to its own', () => {
  const home = setup();
  keepToOwnServers(home);

  const config = loadConfig({ env, home, portOffset: 100 });

  expect(config.temporal).toMatchObject({
    address: '127.0.0.1:7333',
    namespace: 'default',
    embedded: true,
  });
  expect(config.database.embedded).toBe(true);
  expect(config.database.url).toContain('@127.0.0.1:5539/');
  expect(config.logStore).toEqual({ kind: 'postgres' });
  expect(config.modelServer).toMatchObject({ url: 'http://127.0.0.1:8190', embedded: true });
  expect(config.gateway).toMatchObject({ port: 8180, tokensFile: join(home, 'tokens.json') });
  expect(config.defaults.minRecords).toBe(60);
});

it('holds for whatever reads the environment of that home', () => {
  const home = setup();
  keepToOwnServers(home);

  expect(loadConfig({ env: { ...env, FLYWHEEL_HOME: home } }).temporal.embedded).toBe(true);
  expect(loadConfig({ env: { ...env, FLYWHEEL_HOME: setup() } }).temporal.embedded).toBe(false);
});

it('names what it leaves aside, without values', () => {
  expect(namedServers({ ...env, ELASTICSEARCH_URL: '' })).toEqual([
    'DATABASE_URL',
    'FLYWHEEL_GATEWAY_PORT',
    'FLYWHEEL_TOKENS_FILE',
    'MODEL_SERVER_URL',
    'TEMPORAL_ADDRESS',
    'TEMPORAL_API_KEY',
    'TEMPORAL_NAMESPACE',
  ]);
});
