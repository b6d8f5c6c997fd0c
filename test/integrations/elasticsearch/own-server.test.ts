import { execFile } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { type ElasticsearchService, startElasticsearch } from '../../../cli/dev/services/elasticsearch.ts';
import type { ElasticsearchSettings } from '../../../integrations/elasticsearch/client.ts';
import { createElasticsearchLogStore } from '../../../integrations/elasticsearch/log-store.ts';
import { migrateElasticsearchLogs } from '../../../integrations/elasticsearch/migrate.ts';
import { elasticsearchTools } from '../../support/elasticsearch-server.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { respond, startHttpServer } from '../../support/http-server.ts';
import { aRecord, manyRecords } from '../../support/records.ts';

const password = 'correct horse';
const keystorePassword = 'changeit';

/** One with logins and a certificate of its own making, and that is killed at the end. */
describe.skipIf(inject('elasticsearchUrl') === '')('an Elasticsearch with TLS and logins', () => {
  let dir: string;
  let caFile: string;
  let start: () => Promise<ElasticsearchService>;
  let server: ElasticsearchService;
  let secured: ElasticsearchSettings;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'flywheel-elasticsearch-'));
    const tools = await elasticsearchTools();
    const port = await freePort();
    const made = await makeCertificate(tools.javaHome, dir);
    caFile = made.caFile;
    start = () =>
      startElasticsearch({
        ...{ ...tools, dir: join(dir, 'server'), port },
        settings: {
          'xpack.security.enabled': 'true',
          'xpack.security.http.ssl.enabled': 'true',
          'xpack.security.http.ssl.keystore.path': 'http.p12',
          'xpack.security.http.ssl.keystore.password': keystorePassword,
        },
        files: {
          'http.p12': made.keystore,
          users: fileUser('admin') + fileUser('flywheel'),
          users_roles: 'superuser:admin\nflywheel:flywheel\n',
          'roles.yml': roles,
        },
      });
    server = await start();
    const index = 'flywheel-records';
    // It takes connections a moment before it can do anything.
    const admin = { url: withLogin(server.url, 'admin'), caFile, index };
    await eventually(() => migrateElasticsearchLogs(admin), 120_000);
    secured = { url: withLogin(server.url, 'flywheel'), caFile, index };
  }, 400_000);
  afterAll(async () => {
    await server?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  function opened(settings: ElasticsearchSettings) {
    const store = createElasticsearchLogStore(settings);
    onTestFinished(() => store.close());
    return store;
  }

  it('takes records from a login that may do no more than it must', async () => {
    const store = opened(secured);

    expect(await store.append([aRecord('a')])).toEqual({ stored: 1, duplicates: 0 });
    expect((await store.get(['a'])).map(({ id }) => id)).toEqual(['a']);
    expect(await store.workloads()).toMatchObject([{ workloadId: 'hr', records: 1 }]);
  });

  it('is trusted by its authority’s fingerprint as well', async () => {
    const { fingerprint256 } = new X509Certificate(await readFile(caFile));

    await opened({ ...secured, caFile: null, caFingerprint: fingerprint256 }).ping();
    await expect(
      opened({ ...secured, caFile: null, caFingerprint: 'AB:'.repeat(31) + 'AB' }).ping(),
    ).rejects.toMatchObject({ name: 'InvalidInputError' });
  });

  it('is not trusted without one, which says what to set', async () => {
    await expect(opened({ ...secured, caFile: null }).ping()).rejects.toMatchObject({
      name: 'InvalidInputError',
      message: expect.stringContaining('ELASTICSEARCH_CA_FILE'),
    });
    expect(() => opened({ ...secured, caFile: join(dir, 'nowhere.pem') })).toThrow(/cannot be read/);
  });

  it('is sent the API key, which wins over a login in the address', async () => {
    const seen: (string | undefined)[] = [];
    const listener = await startHttpServer((request, response) => {
      seen.push(request.headers.authorization);
      respond(response, 200, { hits: { hits: [] } }, { 'x-elastic-product': 'Elasticsearch' });
    });
    onTestFinished(() => listener.close());

    await opened({ url: withLogin(listener.url, 'ada'), index: 'any', apiKey: 'a2V5OnNlY3JldA==' }).ping();

    expect(seen).toEqual(['ApiKey a2V5OnNlY3JldA==']);
  });

  it('refuses a wrong key, which no message repeats', async () => {
    const apiKey = Buffer.from('nobody:sesame-open-up').toString('base64');

    const failure = await opened({ ...secured, apiKey })
      .ping()
      .catch((error: unknown) => error);

    expect(failure).toMatchObject({
      name: 'InvalidInputError',
      message: expect.stringContaining('ELASTICSEARCH_API_KEY'),
    });
    expect(String(failure)).not.toContain(apiKey);
  });

  it('is read on over its crash and restart, without a gap or a repetition', async () => {
    const store = opened(secured);
    await store.append(manyRecords(3_000));
    const bound = await store.snapshotBound();

    const ids: string[] = [];
    let restarted: Promise<void> | null = null;
    for await (const batch of store.read('hr', bound)) {
      ids.push(...batch.map(({ id }) => id));
      restarted ??= crashAndRestart();
    }
    await restarted;

    expect(ids).toEqual(['a', ...manyRecords(3_000).map(({ id }) => id)]);
  }, 300_000);

  async function crashAndRestart(): Promise<void> {
    // The whole group: its launcher, and the server itself.
    process.kill(-server.pid, 'SIGKILL');
    await server.exited;
    server = await start();
  }
});

/** A key pair and a certificate that signs itself, by the Java that is there anyway. */
async function makeCertificate(javaHome: string, dir: string): Promise<{ keystore: Buffer; caFile: string }> {
  const keytool = (...args: string[]) =>
    promisify(execFile)(join(javaHome, 'bin', 'keytool'), [
      ...args,
      ...['-keystore', join(dir, 'http.p12'), '-storetype', 'PKCS12', '-storepass', keystorePassword],
    ]);
  const names = ['-dname', 'CN=flywheel test', '-ext', 'san=ip:127.0.0.1', '-ext', 'bc=ca:true'];
  await keytool('-genkeypair', '-alias', 'http', '-keyalg', 'RSA', '-validity', '2', ...names);
  const caFile = join(dir, 'ca.pem');
  await keytool('-exportcert', '-rfc', '-alias', 'http', '-file', caFile);
  return { keystore: await readFile(join(dir, 'http.p12')), caFile };
}

/** The rights that a running Flywheel needs, and not one more; the migration needs `manage` beside them. */
const roles = JSON.stringify({
  flywheel: {
    indices: [
      {
        names: ['flywheel-records', 'flywheel-records-v*'],
        privileges: ['read', 'create_doc', 'maintenance', 'view_index_metadata'],
      },
      { names: ['flywheel-records-open-writes'], privileges: ['read', 'write', 'maintenance'] },
    ],
  },
});

function fileUser(name: string): string {
  return `${name}:{SHA}${createHash('sha1').update(password).digest('base64')}\n`;
}

function withLogin(url: string, name: string): string {
  return url.replace('://', `://${name}:${encodeURIComponent(password)}@`);
}
