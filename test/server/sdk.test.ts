import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { flywheel } from '../../sdk/flywheel.ts';
import { openRecordStore } from '../../wiring/open-record-store.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { startEcho, startSilence } from './support/echo.ts';
import { type GatewayBundle, setup, storedIds } from './support/gateway.ts';

const nano = { model: 'nano-1m', max_tokens: 4, messages: [{ role: 'user' as const, content: 'hello' }] };

function aClient(): OpenAI {
  return new OpenAI({ baseURL: `${inject('modelServerUrl')}/v1`, apiKey: 'none', maxRetries: 0 });
}

function wrap(gateway: string, options: object = {}) {
  const ai = flywheel(aClient(), {
    ...{ workloadId: 'hr', clientId: 'web', gateway: { url: gateway }, flushEveryMs: 20, onLoss: () => {} },
    ...options,
  });
  onTestFinished(() => ai.flywheel.close(0).then(() => undefined));
  return ai;
}

test('calls of a real model, and feedback on them, reach the log store and the lineage', async () => {
  const bundle = await setup();
  const { url } = await bundle.start();
  const ai = wrap(url, { conversationId: 'c1' });

  const completion = await ai.chat.completions.create(nano);
  await ai.chat.completions.create(nano);
  ai.flywheel.feedback({ completion, kind: 'thumbs', value: 'down', author: 'anna' });
  expect(await ai.flywheel.flush(30_000)).toBe(true);

  const id = ai.flywheel.recordIdOf(completion) ?? '';
  await eventually(async () => expect(await storedIds(bundle)).toHaveLength(2));
  expect(await bundle.logStore.get([id])).toMatchObject([
    {
      ...{ workloadId: 'hr', clientId: 'web', conversationId: 'c1', model: 'nano-1m' },
      request: nano,
      response: {
        choices: [{ message: { role: 'assistant' } }],
        usage: { total_tokens: expect.any(Number) },
      },
      latencyMs: expect.any(Number),
    },
  ]);
  expect(await bundle.lineage.feedback.list({ recordIds: [id] })).toMatchObject([
    { kind: 'thumbs', value: 'down', author: 'anna', workloadId: 'hr', clientId: 'web' },
  ]);
  expect(ai.flywheel.stats()).toMatchObject({ sent: 2, feedback: { sent: 1 }, lost: {}, lastError: null });
  // The model server loads its model for the first call.
}, 180_000);

test('calls of a real model reach a log store without any gateway', async () => {
  const bundle = await setup();
  const store = openRecordStore({
    logStore: { kind: 'postgres' },
    database: { url: bundle.postgres.url, embedded: false },
    policiesFile: bundle.config.policiesFile,
  });
  onTestFinished(() => store.close());
  const ai = flywheel(aClient(), { workloadId: 'hr', clientId: 'web', store });
  onTestFinished(() => ai.flywheel.close(0).then(() => undefined));

  const completion = await ai.chat.completions.create(nano);
  ai.flywheel.feedback({ completion, kind: 'score', value: 0.5 });
  expect(await ai.flywheel.flush(30_000)).toBe(true);

  expect(await storedIds(bundle)).toEqual([ai.flywheel.recordIdOf(completion)]);
  expect(await bundle.lineage.feedback.list({})).toMatchObject([{ kind: 'score', value: 0.5 }]);
});

test('while the gateway is dead calls are answered; once it is there it gets all of them, once', async () => {
  const bundle = await setup();
  const port = await freePort();
  const ai = wrap(`http://127.0.0.1:${port}`);

  for (let n = 0; n < 3; n += 1) await ai.chat.completions.create(nano);
  await eventually(() => expect(ai.flywheel.stats().lastError).toContain('cannot be reached'));
  Object.assign(bundle.config.gateway, { port });
  await bundle.start();

  expect(await ai.flywheel.flush(20_000)).toBe(true);
  await eventually(async () => expect(await storedIds(bundle)).toHaveLength(3));
  expect(ai.flywheel.stats()).toMatchObject({ sent: 3, waiting: 0, lost: {} });
});

describe('the published package, in an application of its own', () => {
  let app: string;
  beforeAll(async () => {
    app = await installSdk();
    // A compiler and npm, twice: seconds, and minutes on a machine that does much else.
  }, 300_000);
  afterAll(() => rm(app, { recursive: true, force: true }));

  test('brings its licence and its types, and depends on nothing but the openai package beside it', async () => {
    const folder = join(app, 'node_modules', 'flywheel-sdk');
    const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    const files = await readdir(folder);

    expect(files.sort()).toEqual(['LICENSE', 'README.md', 'dist', 'package.json']);
    expect(manifest).not.toHaveProperty('dependencies');
    expect(manifest['peerDependencies']).toEqual({ openai: expect.any(String) as string });
    // Nothing else of ours was installed with it.
    expect((await readdir(join(app, 'node_modules'))).filter((name) => !name.startsWith('.')).sort()).toEqual(
      ['flywheel-sdk', 'openai'],
    );
  });

  test('has types that a strict TypeScript application can be checked against', async () => {
    await writeFile(
      join(app, 'app.ts'),
      `import { flywheel, type FlywheelRecord } from 'flywheel-sdk';
import OpenAI from 'openai';
export const ai = flywheel(new OpenAI({ apiKey: 'none' }), { workloadId: 'hr', clientId: 'web', beforeSend });
export const answer: Promise<OpenAI.ChatCompletion> = ai.chat.completions.create({ model: 'm', messages: [] });
export const sent: number = ai.flywheel.stats().sent;
function beforeSend(record: FlywheelRecord): FlywheelRecord | null {
  return record.workload_id === 'secret' ? null : record;
}
// @ts-expect-error A call has to be about some workload.
flywheel(new OpenAI({ apiKey: 'none' }), { clientId: 'web' });
`,
    );
    const compilerOptions = {
      ...{ module: 'NodeNext', target: 'ES2022', lib: ['ES2023', 'DOM', 'DOM.Iterable'], types: [] },
      ...{ strict: true, exactOptionalPropertyTypes: true, noEmit: true },
      // The openai package's own declarations.
      skipLibCheck: true,
    };
    await writeFile(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['app.ts'] }));

    const checked = await execute(join(root, 'node_modules', '.bin', 'tsc'), ['-p', app]).catch(
      (error: unknown) => error,
    );

    expect(checked).toEqual({ stdout: '', stderr: '' });
  }, 180_000);

  test('ends by itself, and sends what waits first', async () => {
    const { bundle, ...ended } = await run(app, 'await call(); await call();');

    expect(ended).toMatchObject({ code: 0, stderr: '' });
    await eventually(async () => expect(await storedIds(bundle)).toHaveLength(2));
  });

  test('ends by SIGTERM, and sends what waits first', async () => {
    const { bundle, ...ended } = await run(
      app,
      'await call(); console.log("ready"); await new Promise((r) => setTimeout(r, 600_000));',
      {
        signal: 'SIGTERM',
      },
    );

    expect(ended).toMatchObject({ code: null, signal: 'SIGTERM' });
    await eventually(async () => expect(await storedIds(bundle)).toHaveLength(1));
  });

  test('ends as the application says by a signal that it listens to', async () => {
    const { bundle, ...ended } = await run(
      app,
      'process.on("SIGTERM", () => ai.flywheel.flush().then(() => process.exit(7))); await call(); console.log("ready"); await new Promise((r) => setTimeout(r, 600_000));',
      { signal: 'SIGTERM' },
    );

    expect(ended).toMatchObject({ code: 7, signal: null });
    await eventually(async () => expect(await storedIds(bundle)).toHaveLength(1));
  });

  test('lets the application shut down that listened to a signal once, before the client was made', async () => {
    const { bundle, ...ended } = await run(
      app,
      'await call(); console.log("ready"); const timer = setInterval(() => undefined, 1_000);',
      {
        signal: 'SIGTERM',
        // The end of a flush would come long before the end of this.
        before: `process.once('SIGTERM', () => setTimeout(() => { console.log('shut down'); clearInterval(timer); }, 1_500));`,
      },
    );

    expect(ended).toMatchObject({ code: 0, signal: null, stdout: 'hello\nready\nshut down\n', stderr: '' });
    await eventually(async () => expect(await storedIds(bundle)).toHaveLength(1));
  });

  test('ended by process.exit, tells what is lost', async () => {
    const { bundle, ...ended } = await run(app, 'await call(); process.exit(3);');

    expect(ended).toMatchObject({ code: 3, stderr: expect.stringContaining('at_exit, 1 so far') });
    expect(await storedIds(bundle)).toEqual([]);
  });

  test.each([
    ['dead', null],
    ['silent', 'silent'],
  ] as const)('is not kept by a %s gateway, and tells what is lost', async (_, kind) => {
    const gateway =
      kind === null ? `http://127.0.0.1:${await freePort()}` : `http://127.0.0.1:${await startSilence()}`;

    // A request that is under way when the program ends must not keep it either.
    const program = 'await call(); await new Promise((r) => setTimeout(r, 100)); await call();';
    const ended = await run(app, program, { gateway, options: 'flushEveryMs: 1, exitFlushMs: 200' });

    expect(ended).toMatchObject({ code: 0, stdout: 'hello\nhello\n' });
    expect(ended.stderr).toContain('at_exit, 2 so far');
  });
});

const root = resolve(import.meta.dirname, '../..');
const execute = promisify(execFile);

function npm(args: readonly string[], cwd: string): Promise<unknown> {
  return execute('npm', args, { cwd });
}

/** The package as it would be published, installed in an empty folder beside the application's own `openai`. */
async function installSdk(): Promise<string> {
  const app = await mkdtemp(join(tmpdir(), 'flywheel-app-'));
  await npm(['pack', join(root, 'sdk'), '--pack-destination', app], app);
  await writeFile(join(app, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
  const tarball = (await readdir(app)).find((name) => name.endsWith('.tgz')) ?? '';
  // What is needed is here: a package that asked for more would fail to install.
  const flags = ['--offline', '--legacy-peer-deps', '--no-audit', '--no-fund'];
  await npm(['install', ...flags, join(app, tarball)], app);
  await symlink(join(root, 'node_modules', 'openai'), join(app, 'node_modules', 'openai'));
  return app;
}

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly bundle: GatewayBundle;
}

/** An application in a process of its own, under plain Node; sent the signal once it says “ready”. */
async function run(
  app: string,
  program: string,
  given: { gateway?: string; options?: string; signal?: NodeJS.Signals; before?: string } = {},
): Promise<Ended> {
  const bundle = await setup();
  const gateway = given.gateway ?? (await bundle.start()).url;
  const model = await startEcho();
  const file = join(app, 'app.mjs');
  await writeFile(
    file,
    `import OpenAI from 'openai';
import { flywheel } from 'flywheel-sdk';
${given.before ?? ''}
const ai = flywheel(new OpenAI({ baseURL: '${model}/v1', apiKey: 'none', maxRetries: 0 }), {
  workloadId: 'hr', clientId: 'web', gateway: { url: '${gateway}', timeoutMs: 600_000 },
  flushEveryMs: 600_000, exitFlushMs: 30_000, ${given.options ?? ''}
});
async function call() {
  const { choices } = await ai.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'hello' }] });
  console.log(choices[0].message.content);
}
${program}
`,
  );
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const output = { stdout: '', stderr: '' };
  child.stderr.on('data', (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  child.stdout.on('data', (chunk: Buffer) => {
    const wasReady = output.stdout.includes('ready');
    output.stdout += chunk.toString();
    // Once: who listened once has to be left in peace.
    if (given.signal && !wasReady && output.stdout.includes('ready')) child.kill(given.signal);
  });
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((done) => {
    child.once('close', (...ended) => done(ended));
  });
  return { code, signal, ...output, bundle };
}
