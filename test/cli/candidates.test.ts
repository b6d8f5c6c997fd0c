import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { NemoServer } from '../contract-servers/nemo-microservices/server.ts';
import { startVllm, type VllmServer } from '../contract-servers/vllm.ts';
import { aWorkspace } from '../support/nemo-platform.ts';
import { aNemoServer } from '../support/nemo-server.ts';
import { cliWith } from './support/cli.ts';

function candidatesFile(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'flywheel-candidates-')), 'candidates.yaml');
  writeFileSync(file, text);
  return file;
}

const good = `
candidates:
  - name: small
    model: nano-1m
    icl: { selection: similar }
`;
const mixed = `
providers:
  gone: { url: "http://127.0.0.1:9/v1", fine_tuning: true }
  wrong-path: { url: "${inject('modelServerUrl')}/v1", fine_tuning: true, dialect: { like: openai, jobs_path: /fine-tunes } }
candidates:
  - { name: small, model: nano-1m, strategies: [base] }
  - { name: misnamed, model: nano-2m, strategies: [base] }
  - { name: away, provider: gone, model: m }
  - { name: astray, provider: wrong-path, model: nano-1m }
`;

function cli(text: string) {
  return cliWith({
    FLYWHEEL_CANDIDATES: candidatesFile(text),
    MODEL_SERVER_URL: inject('modelServerUrl'),
  });
}

test('check asks each provider what a run would need of it', async () => {
  const { code, stdout } = await cli(good)('candidates', 'check');

  expect(stdout).toMatch(/ok {4}small {2}local {2}serves nano-1m\n/);
  expect(stdout).toMatch(/ok {4}small {2}local {2}has fine-tuning jobs\n/);
  expect(stdout).toMatch(/ok {4}small {2}local {2}embeds with nano-1m\n/);
  expect(code).toBe(0);
});

test('check says of each candidate what is wrong and how to mend it, and ends with 3', async () => {
  const checked = await cli(mixed)('candidates', 'check', '--json');

  expect(checked.code).toBe(3);
  expect(checked.json()).toMatchObject({
    ok: false,
    candidates: [
      { candidate: 'small', provider: 'local', model: 'nano-1m', asked: 'serves nano-1m', problem: null },
      // Beside its base models it lists what other tests have trained.
      {
        candidate: 'misnamed',
        problem: expect.stringContaining('local does not list the model nano-2m; it lists '),
      },
      { candidate: 'away', asked: 'serves m', mend: expect.stringContaining('correct its url') },
      { candidate: 'away', asked: 'has files to train on' },
      { candidate: 'away', asked: 'has fine-tuning jobs', problem: expect.stringContaining('gone') },
      { candidate: 'astray', asked: 'serves nano-1m', problem: null },
      { candidate: 'astray', asked: 'has files to train on', problem: null },
      {
        ...{ candidate: 'astray', asked: 'has fine-tuning jobs' },
        ...{ problem: expect.stringContaining('404'), mend: expect.stringContaining('`dialect`') },
      },
    ],
  });
});

/** The rows that failed, as `candidate: what was asked`. */
async function failed(text: string): Promise<{ failures: string[]; rows: Row[]; code: number }> {
  const checked = await cli(text)('candidates', 'check', '--json');
  const { candidates: rows } = checked.json() as { candidates: Row[] };
  const failures = rows.flatMap(({ candidate, asked, problem }) =>
    problem === null ? [] : [`${candidate}: ${asked}`],
  );
  return { failures, rows, code: checked.code };
}

interface Row {
  readonly candidate: string;
  readonly provider: string;
  readonly asked: string;
  readonly problem: string | null;
  readonly mend: string | null;
}

function askedOf(rows: readonly Row[], name: string): string[] {
  return rows.filter(({ candidate }) => candidate === name).map(({ asked }) => asked);
}

describe('NeMo Microservices v1', () => {
  let server: NemoServer;
  beforeAll(async () => {
    server = await aNemoServer();
  });
  afterAll(() => server.close());

  const file = (dataStore: string) => `
providers:
  nemo:
    kind: nemo-microservices
    url: ${server.url}
    nim_url: ${server.nimUrl}
    data_store_url: ${dataStore}
    evaluator: nemo
    nims:
      flywheel/nano-4m: { image: nvcr.io/nim/nano-4m, tag: "1" }
      flywheel/nano-3m: { image: nvcr.io/nim/nano-3m, tag: "1" }
candidates:
  - { name: served, provider: nemo, model: flywheel/nano-1m }
  - { name: deployable, provider: nemo, model: flywheel/nano-4m }
  - { name: misnamed, provider: nemo, model: flywheel/nano-2m }
  - { name: untrainable, provider: nemo, model: flywheel/nano-3m }
`;

  test('each service is asked: a model that no NIM serves, nor a container is known of, and one without a target', async () => {
    const { failures, rows, code } = await failed(file(server.dataStoreUrl));

    expect(code).toBe(3);
    expect(failures).toEqual([
      'misnamed: serves flywheel/nano-2m, or can deploy it',
      'misnamed: has an enabled customization target for flywheel/nano-2m',
      'untrainable: has an enabled customization target for flywheel/nano-3m',
    ]);
    expect(askedOf(rows, 'served')).toEqual([
      'serves flywheel/nano-1m, or can deploy it',
      'has a Deployment Management',
      'has an enabled customization target for flywheel/nano-1m',
      'has a Data Store',
      'has an Entity Store',
      'has an Evaluator',
    ]);
    expect(rows.map(({ problem }) => problem).join()).toContain(
      'it has enabled targets for flywheel/nano-1m',
    );
    expect(server.calls.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  test('doctor takes a base that is deployed on demand for well, and one that nobody could serve for missing', async () => {
    const { stdout } = await cli(file(server.dataStoreUrl))('doctor', '--json');

    const { services } = JSON.parse(stdout) as { services: { name: string; ok: boolean }[] };
    expect(services.filter(({ name }) => name.startsWith('candidate '))).toMatchObject([
      { name: 'candidate served', ok: true },
      { name: 'candidate deployable', ok: true },
      { name: 'candidate misnamed', ok: false },
      { name: 'candidate untrainable', ok: true },
    ]);
  });

  test('a host that is not the Data Store is no Data Store', async () => {
    const { failures, rows } = await failed(file(server.nimUrl));

    expect(failures).toContain('served: has a Data Store');
    expect(rows.find(({ asked }) => asked === 'has a Data Store')?.mend).toContain('data_store_url');
  });
});

test('NeMo Platform is asked for entity, route, backend, evaluator and what starts jobs', async () => {
  const { url, workspace } = await aWorkspace();
  const { failures, rows } = await failed(`
providers:
  nemo: { kind: nemo-platform, url: "${url}", workspace: ${workspace}, customizer: peft, evaluator: nemo }
  elsewhere: { kind: nemo-platform, url: "${url}", workspace: never-made, customizer: peft }
candidates:
  - { name: good, provider: nemo, model: nano-1m }
  - { name: misnamed, provider: nemo, model: nano-2m }
  - { name: astray, provider: elsewhere, model: nano-1m }
`);

  expect(failures.filter((failure) => !failure.startsWith('astray'))).toEqual([
    `misnamed: routes ${workspace}/nano-2m`,
    `misnamed: has a model entity ${workspace}/nano-2m`,
  ]);
  expect(failures).toContain('astray: has a model entity never-made/nano-1m');
  expect(askedOf(rows, 'good')).toEqual([
    `routes ${workspace}/nano-1m`,
    `has a model entity ${workspace}/nano-1m`,
    'customizes by peft',
    'starts jobs',
    'evaluates',
  ]);
});

describe('vLLM', () => {
  let vllm: VllmServer;
  beforeAll(async () => {
    vllm = await startVllm(inject('modelServerUrl'), 'nano-1m');
  });
  afterAll(() => vllm.close());

  const file = () => `
providers:
  box: { kind: vllm, url: "${vllm.url}/v1", adapters: { folder: /srv/adapters } }
candidates:
  - { name: good, provider: box, trainer: local, model: nano-1m }
  - { name: misnamed, provider: box, trainer: local, model: nano-2m, strategies: [base] }
`;

  test('is asked for its base model and for what adapters need, its trainer for theirs', async () => {
    const { failures, rows } = await failed(file());

    expect(failures).toEqual(['misnamed: serves nano-2m']);
    expect(askedOf(rows, 'good')).toEqual([
      'serves nano-1m',
      'loads adapters at run time',
      'can be brought the adapters of local',
      'serves nano-1m',
      'has files to train on',
      'has fine-tuning jobs',
    ]);
    expect(vllm.log).toEqual([]);
  });

  test('that loads no adapters at run time says so', async () => {
    vllm.loadsAtRunTime(false);

    const { failures, rows } = await failed(file());

    expect(failures).toContain('good: loads adapters at run time');
    expect(rows.map(({ mend }) => mend).join()).toContain('VLLM_ALLOW_RUNTIME_LORA_UPDATING');
    vllm.loadsAtRunTime(true);
  });
});

test('list shows who serves and who trains', async () => {
  const { code, stdout } = await cli(mixed)('candidates', 'list');

  expect(code).toBe(0);
  expect(stdout).toMatch(/small .* nano-1m .* local .* openai .* – .* base/);
  expect(stdout).toMatch(/away .* gone .* gone .* base, icl, lora/);
});
