import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type LoadOptions, loadConfig, repositoryRoot } from '../../config/config.ts';
import { ConfigError } from '../../config/config-error.ts';
import { fineTuningDialects, flywheelDialect } from '../../config/fine-tuning-dialects.ts';

function setup(candidates: string) {
  const dir = mkdtempSync(join(tmpdir(), 'flywheel-config-'));
  const file = join(dir, 'candidates.yaml');
  writeFileSync(file, candidates);
  const load = (env: Record<string, string> = {}, options: LoadOptions = {}) =>
    loadConfig({ ...options, env: { FLYWHEEL_CANDIDATES: file, ...env } });
  const problems = (env: Record<string, string> = {}): readonly string[] => {
    try {
      load(env);
    } catch (error) {
      if (error instanceof ConfigError) return error.problems.map((problem) => problem.replace(file, 'FILE'));
      throw error;
    }
    return [];
  };
  return { dir, load, problems };
}

const oneCandidate = 'candidates:\n  - name: small\n    model: org/small\n';

describe('loadConfig', () => {
  it('reads the checked-in candidates.yaml', () => {
    const config = loadConfig({ env: {} });

    expect(config.candidates.map(({ name }) => name)).toContain('nano-1m');
  });

  it('fills in defaults and uses the embedded servers when the environment names none', () => {
    const { load } = setup(oneCandidate);

    const config = load();

    expect(config.candidates[0]).toMatchObject({
      provider: 'local',
      gpuPool: 'local',
      lora: { rank: 32, dropout: 0.1 },
    });
    expect(config.temporal).toMatchObject({ address: '127.0.0.1:7233', embedded: true });
    expect(config.database.embedded).toBe(true);
    expect(config.providers['local']).toMatchObject({ baseUrl: 'http://127.0.0.1:8090/v1' });
    expect(config.defaults).toMatchObject({
      gateTtlMs: 604_800_000,
      evaluationConcurrency: 4,
    });
  });

  it('refuses an offset that moves a port beyond the last one, by variable or by flag', () => {
    const { load, problems } = setup(oneCandidate);
    const gateway = { FLYWHEEL_GATEWAY_PORT: '60000' };

    expect(problems({ ...gateway, FLYWHEEL_PORT_OFFSET: '6000' })).toEqual([
      'the port of gateway would be 60000 + 6000 (the port offset) = 66000; 65535 is the highest there is',
    ]);
    expect(() => load({}, { portOffset: 60_000 })).toThrow(/elasticsearch would be 9207 \+ 60000/);
    expect(load(gateway, { portOffset: 5_535 }).gateway.port).toBe(65_535);
  });

  it('refuses a port that fetch would not speak to, such as 10080', async () => {
    const { load, problems } = setup(oneCandidate);

    expect(problems({ FLYWHEEL_PORT_OFFSET: '2000' })).toEqual([
      expect.stringMatching(
        /^the port of gateway would be 8080 \+ 2000 .* = 10080, to which .* choose another/,
      ),
    ]);
    expect(problems({ FLYWHEEL_GATEWAY_PORT: '6000' })).toHaveLength(1);
    expect(load({ FLYWHEEL_PORT_OFFSET: '561' }).database.url).toContain(':6000/');
    // Why: not a matter of who listens there.
    await expect(fetch('http://127.0.0.1:10080/')).rejects.toMatchObject({ cause: { message: 'bad port' } });
  });

  it('lets each environment address win by itself and leaves the other servers embedded', () => {
    const { load } = setup(oneCandidate);

    const config = load({ MODEL_SERVER_URL: 'http://10.0.0.5:9000/v1' });

    expect(config.modelServer).toEqual({ url: 'http://10.0.0.5:9000', embedded: false, models: null });
    expect(config.providers['local']).toMatchObject({ baseUrl: 'http://10.0.0.5:9000/v1' });
    expect(config.temporal.embedded).toBe(true);
  });

  it('moves every embedded port by the offset', () => {
    const { load } = setup(oneCandidate);

    const config = load({ FLYWHEEL_PORT_OFFSET: '100' });

    expect(config.temporal.address).toBe('127.0.0.1:7333');
    expect(config.temporal.uiUrl).toBe('http://127.0.0.1:8333');
    expect(new URL(config.database.url).port).toBe('5539');
    expect(config.modelServer.url).toBe('http://127.0.0.1:8190');
    expect(config.gateway.port).toBe(8180);
  });

  it('prefers options over the environment', () => {
    const { load } = setup(oneCandidate);

    const config = load(
      { FLYWHEEL_HOME: '/srv/a', FLYWHEEL_PORT_OFFSET: '1' },
      { home: '/srv/b', portOffset: 2 },
    );

    expect(config.home).toBe('/srv/b');
    expect(config.gateway.port).toBe(8082);
  });

  it('is frozen through and through', () => {
    const config = setup(oneCandidate).load();

    expect(Object.isFrozen(config.candidates[0]?.lora)).toBe(true);
    expect(() => Object.assign(config.temporal, { address: 'x' })).toThrow(TypeError);
  });

  it('lists every problem of environment and file at once', () => {
    const { problems } = setup('candidates:\n  - name: small\n    modle: org/small\n');

    const found = problems({
      FLYWHEEL_PORT_OFFSET: 'many',
      TEMPORAL_ADDRESS: 'http://host:7233',
      FLYWHEEL_HOEM: '/x',
    });

    expect(found).toHaveLength(5);
    expect(found.join('\n')).toContain('did you mean "FLYWHEEL_HOME"');
    expect(found.join('\n')).toContain('TEMPORAL_ADDRESS must be host:port');
  });

  it('leaves the settings of the model server to the model server', () => {
    const { problems } = setup(oneCandidate);

    expect(problems({ FLYWHEEL_MODEL_SERVER_DEVICE: 'cpu' })).toEqual([]);
  });

  it('never repeats the value of a variable, for it may be a secret', () => {
    const { problems } = setup(oneCandidate);

    const found = problems({ DATABASE_URL: 'mysql://root:hunter2@host/db' });

    expect(found.join()).toContain('DATABASE_URL');
    expect(found.join()).not.toContain('hunter2');
  });

  it('reads providers of every kind, side by side', () => {
    const file = `providers:
  cloud: { url: "https://api.example.com/v1", fine_tuning: true, dialect: { like: nebius, hyperparameters: { epochs: n_epochs, batch_size: bs }, seed: null } }
  gpu: { kind: vllm, url: "http://gpu/v1", adapters: { folder: ./adapters, seen_as: /adapters } }
  v1: { kind: nemo-microservices, url: "https://nemo.test/", nim_url: "https://nim.test", namespace: team, nims: { m: { image: i, tag: t } } }
  v2: { kind: nemo-platform, url: "https://platform.test", evaluator: nemo, training: { max_seq_length: 4096 } }
candidates:
  - { name: a, provider: gpu, trainer: local, model: m }
  - { name: b, provider: v1, model: m }
  - { name: c, provider: v2, model: m }
`;
    const { load, dir } = setup(file);

    const { providers, candidates } = load();

    expect(candidates.map(({ name, provider, trainer }) => [name, provider, trainer])).toEqual([
      ['a', 'gpu', 'local'],
      ['b', 'v1', undefined],
      ['c', 'v2', undefined],
    ]);
    expect(providers).toMatchObject({
      cloud: {
        kind: 'openai',
        dialect: {
          ...{ hyperparametersIn: 'hyperparameters', metadata: null, seed: null, suffix: 'suffix' },
          hyperparameters: { epochs: 'n_epochs', batchSize: 'bs' },
        },
      },
      gpu: { kind: 'vllm', adapters: { folder: join(dir, 'adapters'), seenAs: '/adapters' } },
      v1: {
        ...{ kind: 'nemo-microservices', baseUrl: 'https://nim.test/v1', url: 'https://nemo.test' },
        ...{ nimUrl: 'https://nim.test', dataStoreUrl: 'https://nemo.test', namespace: 'team' },
        evaluator: 'flywheel',
        training: { maxSeqLength: 8192, numGpus: 1, microBatchSize: 1, precision: 'bf16-mixed' },
        nims: { m: { image: 'i', tag: 't', gpus: 1 } },
      },
      v2: {
        url: 'https://platform.test',
        ...{ workspace: 'flywheel', evaluator: 'nemo' },
        training: { maxSeqLength: 4096 },
      },
    });
  });

  it.each(['dialect: openai', 'dialect: { like: azure, serves_trained: true }'])(
    'trains and serves at a provider whose %s',
    (dialect) => {
      const { load } = setup(
        `providers: {x: {url: "http://h/v1", fine_tuning: true, ${dialect}}}\ncandidates:\n  - {name: a, model: b, provider: x}\n`,
      );

      expect(load().candidates).toMatchObject([{ provider: 'x', strategies: ['base', 'icl', 'lora'] }]);
    },
  );

  it('takes a dialect by its name, the model server’s where none is said', () => {
    const file = (dialect: string) =>
      `providers:\n  cloud: { url: "https://api.example.com/v1"${dialect} }\n${oneCandidate}`;
    const dialectOf = (said: string) => {
      const cloud = setup(file(said)).load().providers['cloud'];
      return cloud?.kind === 'openai' ? cloud.dialect : null;
    };

    expect(dialectOf(', dialect: azure')).toEqual(fineTuningDialects.azure);
    expect(dialectOf('')).toEqual(flywheelDialect);
    expect(dialectOf(', dialect: { longest_suffix: 9 }')).toEqual({
      ...fineTuningDialects.openai,
      longestSuffix: 9,
    });
  });

  it('points at each line of a dialect that cannot be', () => {
    const { problems } = setup(
      `providers:\n  near:\n    url: https://api.example.com/v1\n    dialect: opnai\n  own:\n    url: https://api.example.com/v1\n    dialect:\n      like: openai\n      seed: 7\n      jobs_path: jobs\n      hyperparameters:\n        rnk: lora_r\n${oneCandidate}`,
    );

    expect(problems()).toEqual([
      'FILE:4:5 providers.near.dialect: unknown dialect "opnai"; did you mean "openai"?',
      'FILE:10:7 providers.own.dialect.jobs_path: must be a path such as /fine_tuning/jobs',
      'FILE:12:9 providers.own.dialect.hyperparameters: unknown key "rnk"; did you mean "rank"?',
      expect.stringMatching(/^FILE:9:7 providers.own.dialect.seed: .*expected string/),
    ]);
  });

  it('reads a provider key from the variable that the file names', () => {
    const file = `providers:\n  cloud:\n    url: https://api.example.com/v1\n    api_key_env: CLOUD_KEY\n    fine_tuning: true\n${oneCandidate}`;
    const { load, problems } = setup(file);

    expect(load({ CLOUD_KEY: 'k' }).providers['cloud']).toMatchObject({ apiKey: 'k', fineTuning: true });
    expect(problems()).toEqual(['FILE:4:5 the environment variable CLOUD_KEY is not set']);
  });

  it('has the candidate itself embed for a choice by likeness, unless another model is named', () => {
    const own = setup(`${oneCandidate}    icl: { selection: similar }\n`).load();
    const other = setup(
      `providers:\n  cloud: { url: https://api.example.com/v1 }\n${oneCandidate}    icl: { selection: similar, relevance_share: 0.5, embedding: { provider: cloud, model: e5 } }\n`,
    ).load();

    expect(own.candidates[0]?.icl.similarity).toEqual({
      provider: 'local',
      model: 'org/small',
      relevanceShare: 0.7,
    });
    expect(other.candidates[0]?.icl.similarity).toEqual({
      provider: 'cloud',
      model: 'e5',
      relevanceShare: 0.5,
    });
  });

  it('points at an embedding provider that nobody configured', () => {
    const { problems } = setup(
      `${oneCandidate}    icl:\n      selection: similar\n      embedding:\n        provider: clod\n        model: e5\n`,
    );

    expect(problems()).toEqual([expect.stringMatching(/FILE:7:\d+ .*clod/)]);
  });

  it('reads durations with their unit', () => {
    const { load, problems } = setup(oneCandidate);

    expect(load({ FLYWHEEL_GATE_TTL: '90s' }).defaults.gateTtlMs).toBe(90_000);
    expect(problems({ FLYWHEEL_GATE_TTL: '90' })[0]).toContain('such as 30s, 10m, 12h or 7d');
  });
});

describe('candidates.yaml', () => {
  it.each([
    [
      'a misspelt key',
      'candidates:\n  - name: a\n    model: b\n    lora:\n      epoch: 3\n',
      'FILE:5:7 candidates.0.lora: unknown key "epoch"; did you mean "epochs"?',
    ],
    [
      'a misspelt key at the top',
      `${oneCandidate}provider: {}\n`,
      'FILE:4:1 unknown key "provider"; did you mean "providers"?',
    ],
    [
      'a value out of range',
      'candidates:\n  - name: a\n    model: b\n    lora:\n      rank: 0\n',
      'FILE:5:7 candidates.0.lora.rank',
    ],
    [
      'a context that an answer fills',
      'candidates:\n  - name: a\n    model: b\n    context: 64\n    max_tokens: 64\n',
      'FILE:4:5 64 tokens leave no room for a prompt beside an answer of 64 (max_tokens)',
    ],
    [
      'a price that is not one',
      'candidates:\n  - name: a\n    model: b\n    price: { prompt_usd_per_1m: -1, completion_usd_per_1m: 1 }\n',
      'FILE:4:14 candidates.0.price.prompt_usd_per_1m',
    ],
    ['a missing key', 'candidates:\n  - name: a\n', 'FILE:2:5 candidates.0.model: is missing'],
    [
      'an unknown strategy',
      'candidates:\n  - name: a\n    model: b\n    strategies: [base, lora2]\n',
      'FILE:4:24 candidates.0.strategies.1',
    ],
    [
      'a name used twice',
      `${oneCandidate}  - name: small\n    model: c\n`,
      'FILE:4:5 "small" is listed twice',
    ],
    [
      'an unknown provider',
      'candidates:\n  - name: a\n    model: b\n    provider: locl\n',
      'FILE:4:5 unknown provider "locl"; did you mean "local"?',
    ],
    [
      'lora without fine-tuning',
      'providers: {x: {url: "http://h/v1"}}\ncandidates:\n  - name: a\n    model: b\n    provider: x\n',
      '"lora" needs a provider with fine_tuning: true',
    ],
    [
      'lora where what was trained has to be deployed by somebody',
      'providers: {x: {url: "http://h/v1", fine_tuning: true, dialect: azure}}\ncandidates:\n' +
        '  - name: a\n    model: b\n    provider: x\n    strategies: [base, lora]\n',
      'FILE:6:5 adapters ("lora"): "x" serves what it trained only once that is deployed',
    ],
    [
      'lora at a vLLM that has no folder for adapters',
      'providers: {x: {kind: vllm, url: "http://h/v1"}}\ncandidates:\n' +
        '  - name: a\n    model: b\n    provider: x\n    trainer: local\n',
      'FILE:3:5 adapters ("lora"): "x" needs a folder from which it loads them',
    ],
    [
      'a vLLM whose trainer hands out no files',
      'providers: {v: {kind: vllm, url: "http://h/v1", adapters: {folder: .}}, x: {kind: nemo-microservices, url: "http://h", nim_url: "http://n"}}\ncandidates:\n' +
        '  - name: a\n    model: b\n    provider: v\n    trainer: x\n',
      '"v" needs their files, which "x" does not hand out',
    ],
    [
      'a NeMo that is to serve what another trained',
      'providers: {x: {kind: nemo-platform, url: "http://h"}}\ncandidates:\n' +
        '  - name: a\n    model: b\n    provider: x\n    trainer: local\n',
      '"x" serves what it trained itself, not what "local" did; leave `trainer` out',
    ],
    [
      'a model server that is to serve what NeMo trained',
      'providers: {x: {kind: nemo-microservices, url: "http://h", nim_url: "http://n"}}\ncandidates:\n' +
        '  - name: a\n    model: b\n    trainer: x\n',
      '"local" serves what it trained itself, not what "x" did',
    ],
    [
      'a model server that is to serve what a hosted service trained',
      'providers: {x: {url: "http://h/v1", fine_tuning: true, dialect: openai}}\ncandidates:\n' +
        '  - name: a\n    model: b\n    trainer: x\n',
      '"local" serves what it trained itself, not what "x" did',
    ],
    [
      'a LoRA rank that NeMo Customizer does not train',
      'providers: {x: {kind: nemo-microservices, url: "http://h", nim_url: "http://n"}}\ncandidates:\n' +
        '  - name: a\n    model: b\n    provider: x\n    lora: {rank: 12}\n',
      'FILE:6:12 "x" trains ranks that are powers of two, such as 16 or 32; not 12',
    ],
    [
      'two providers in one namespace of NeMo Microservices v1',
      'providers:\n  a: {kind: nemo-microservices, url: "http://h/", nim_url: "http://n"}\n' +
        '  b: {kind: nemo-microservices, url: "http://h", nim_url: "http://o", namespace: flywheel}\n' +
        oneCandidate,
      'FILE:3:71 "b" and "a" share the namespace "flywheel" at http://h: each needs its own, or one removes',
    ],
    [
      'lora at a server that only serves',
      'providers: {x: {kind: vllm, url: "http://h/v1"}}\ncandidates:\n  - name: a\n    model: b\n    provider: x\n',
      '"lora" needs a `trainer`; "x" does not train',
    ],
    [
      'an unknown trainer',
      `${oneCandidate}    trainer: locla\n`,
      'FILE:4:5 unknown provider "locla"; did you mean "local"?',
    ],
    [
      'an unknown kind of provider',
      `providers: {x: {kind: nemo, url: "http://h"}}\n${oneCandidate}`,
      'FILE:1:',
    ],
    [
      'a setting of another kind of provider',
      `providers: {x: {kind: nemo-platform, url: "http://h", namespace: x}}\n${oneCandidate}`,
      'FILE:1:',
    ],
    ['broken YAML', 'candidates:\n  - name: "a\n', 'is not valid YAML'],
    ['an empty file', '', 'is missing'],
  ])('points at %s', (_, text, expected) => {
    const { problems } = setup(text);

    const found = problems();

    expect(found).toHaveLength(1);
    expect(found[0]).toContain(expected);
  });

  it('takes two of v1 that share an address or a namespace, not both, and two of NeMo Platform that share both', () => {
    const v1 = (name: string, more: string) =>
      `  ${name}: {kind: nemo-microservices, nim_url: "http://n", ${more}}\n`;
    const { problems } = setup(
      `providers:\n${v1('a', 'url: "http://h"')}${v1('b', 'url: "http://i"')}` +
        v1('c', 'url: "http://h", namespace: other') +
        '  x: {kind: nemo-platform, url: "http://h", customizer: automodel}\n' +
        `  y: {kind: nemo-platform, url: "http://h", customizer: unsloth}\n${oneCandidate}`,
    );

    expect(problems()).toEqual([]);
  });

  it('has the model server serve what its local candidates name, beside the shipped models', () => {
    const { dir, load } = setup(
      'candidates:\n  - {name: a, model: ./mine}\n  - {name: b, model: org/hub}\n  - {name: c, model: nano-1m}\n',
    );
    mkdirSync(join(dir, 'mine'));
    writeFileSync(join(dir, 'mine', 'config.json'), '{}');

    expect(load().modelServer.models).toEqual({
      'nano-1m': join(repositoryRoot, 'model-server', 'models', 'nano-1m'),
      'nano-4m': join(repositoryRoot, 'model-server', 'models', 'nano-4m'),
      './mine': join(dir, 'mine'),
      'org/hub': 'org/hub',
    });
    expect(load({ FLYWHEEL_MODEL_SERVER_MODELS: './mine=/srv/mine' }).modelServer.models).toBeNull();
  });

  it('points at a local model whose folder does not exist, unless another server has it', () => {
    const { dir, load, problems } = setup('candidates:\n  - name: a\n    model: ./gone\n');

    expect(problems()).toEqual([`FILE:3:5 model "./gone" of "a": there is no folder ${join(dir, 'gone')}`]);
    expect(load({ MODEL_SERVER_URL: 'http://10.0.0.5:9000' }).modelServer.models).toBeNull();
  });

  it('is asked for by name when it does not exist', () => {
    expect(() => loadConfig({ env: { FLYWHEEL_CANDIDATES: '/nowhere/candidates.yaml' } })).toThrow(
      '/nowhere/candidates.yaml does not exist',
    );
  });
});
