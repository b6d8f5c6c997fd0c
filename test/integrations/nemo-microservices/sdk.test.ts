import { Ajv, type ValidateFunction } from 'ajv';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '../../../domain/json.ts';
import { createDeployer } from '../../../integrations/nemo-microservices/deployer.ts';
import { createEvaluator } from '../../../integrations/nemo-microservices/evaluator.ts';
import { createInventory } from '../../../integrations/nemo-microservices/inventory.ts';
import type { NemoSettings } from '../../../integrations/nemo-microservices/settings.ts';
import { createTrainer } from '../../../integrations/nemo-microservices/trainer.ts';
import { type NemoServer, type RecordedCall } from '../../contract-servers/nemo-microservices/server.ts';
import { eventually } from '../../support/eventually.ts';
import { inMemoryArtifacts } from '../../support/in-memory-artifacts.ts';
import { nemoSdkPython, runWithNemoSdk } from '../../support/nemo-sdk.ts';
import { aNemoServer, settingsOf } from '../../support/nemo-server.ts';
import { anAdapter, aRequest } from './an-adapter.ts';

const base = 'flywheel/nano-4m';
const image = `registry.example/nim/${base}`;

let server: NemoServer;
beforeAll(async () => {
  server = await aNemoServer();
  // Once per machine.
  await nemoSdkPython();
}, 600_000);
afterAll(() => server.close());

test('NVIDIA’s own client and the hub’s complete the whole loop against the contract server', async () => {
  const result = await runWithNemoSdk('loop.py', [
    ...['--url', server.url],
    ...['--nim-url', server.nimUrl],
    ...['--data-store-url', server.dataStoreUrl],
    ...['--base-model', base],
    ...['--image', image],
  ]);

  expect(result).toMatchObject({
    adapter: expect.stringMatching(/^sdk-\w+\/adapter@cust-\w+$/) as string,
    scores: {
      'tool-calling-accuracy.function_name_accuracy': expect.any(Number) as number,
      'tool-calling-accuracy.function_name_and_args_accuracy': expect.any(Number) as number,
      'says.string-check': 1,
    },
  });
}, 600_000);

test('Flywheel sends only what NVIDIA’s client could send', async () => {
  const before = server.calls.length;
  await useEveryService();
  const schemas = (await runWithNemoSdk('request_schemas.py')) as Record<string, JsonObject>;
  const calls = server.calls.slice(before);
  const validators = new Map(Object.entries(schemas).map(([call, schema]) => [call, compile(call, schema)]));

  const checked = calls.flatMap((call) => {
    const validate = validators.get(nameOf(call));
    return validate ? [{ call: nameOf(call), problems: problemsOf(validate, call) }] : [];
  });

  const unchecked = calls.filter((call) => !validators.has(nameOf(call)));
  expect(checked.filter(({ problems }) => problems.length > 0)).toEqual([]);
  expect(unchecked.filter((call) => !hasNoType(call)).map(nameOf)).toEqual([]);
  // Each kind of call was made, so each was checked.
  expect([...new Set(checked.map(({ call }) => call))].sort()).toEqual([...validators.keys()].sort());
}, 600_000);

/** Calls that NVIDIA's client has no type for. */
const untyped: readonly RegExp[] = [
  // An item by its path: nothing else is sent.
  /^(GET|DELETE) \/v1\/(namespaces\/[^/]+|(datasets|models)\/[^/]+\/[^/]+)$/,
  /^(GET|DELETE) \/v1\/(customization\/configs|deployment\/model-deployments)\/[^/]+\/[^/]+$/,
  /^GET \/v1\/(customization|evaluation)\/jobs\/[^/]+$/,
  /^GET \/v1\/evaluation\/jobs\/[^/]+\/download-results$/,
  /^POST \/v1\/(customization|evaluation)\/jobs\/[^/]+\/cancel$/,
  // The hub's dialect, sent by its own package.
  /^(GET|POST|PUT|DELETE) \/data-store\/(v1\/hf|lfs)\//,
  /^(GET|POST) \/data-store\/v1\/datastore\/namespaces(\/[^/]+)?$/,
  // OpenAI's dialect, whose bodies are the customer's own.
  /^(GET \/nim\/v1\/models|POST \/nim\/v1\/chat\/completions)$/,
];

/** Whether there is nothing to check: a body where none is known would be. */
function hasNoType(call: RecordedCall): boolean {
  const bodies = /^\w+ \/(data-store|nim)\//.test(nameOf(call));
  return untyped.some((pattern) => pattern.test(nameOf(call))) && (bodies || call.body === null);
}

/** A query's numbers are texts, a body's are not; a date's form is not what is checked. */
function compile(call: string, schema: JsonObject): ValidateFunction {
  const coerceTypes = call.startsWith('GET ');
  return new Ajv({ strict: false, coerceTypes, validateFormats: false }).compile(schema);
}

/** What Flywheel does in a run: train, deploy, evaluate; and what it does between runs. */
async function useEveryService(): Promise<void> {
  const settings = settingsOf(server);
  const adapter = { model: await anAdapter(settings, base), baseModel: base };
  await trainWithEverySetting(settings);
  const env = { NIM_GUIDED_DECODING_BACKEND: 'outlines' };
  const nim = { image, tag: '1.8.3', gpus: 1, volumeSize: '25Gi', env };
  const deployer = createDeployer(settings, { [base]: nim });
  const { id } = await deployer.deploy({ model: base, baseModel: null });
  const shared = await deployer.deploy(adapter);
  await eventually(async () => expect(await deployer.get(shared.id)).toMatchObject({ status: 'ready' }));

  const evaluator = createEvaluator(settings);
  const tool = {
    type: 'function',
    function: { name: 'payday', parameters: { type: 'object', properties: {} } },
  };
  const body = { messages: [{ role: 'user', content: 'when is payday' }], temperature: 0, max_tokens: 16 };
  const calls = [{ id: 'c', type: 'function', function: { name: 'payday', arguments: '{}' } }];
  const job = await evaluator.launch({
    key: `run-1-${Math.random()}`,
    model: adapter.model,
    rows: [
      { itemId: 'a', body, target: { role: 'assistant', content: 'soon' } },
      {
        itemId: 'b',
        body: { ...body, tools: [tool], tool_choice: 'required' },
        target: { tool_calls: calls },
      },
    ],
    metadata: { run_id: 'run-1', workload_id: 'hr-questions' },
  });
  await eventually(
    async () => expect(await evaluator.get(job.id)).toMatchObject({ status: 'succeeded' }),
    240_000,
  );
  const inventory = createInventory(settings);
  for await (const thing of inventory.list()) expect(thing.id).toMatch(/\w/);
  await deployer.remove(shared.id, adapter);
  await deployer.remove(id, { model: base, baseModel: null });
}

/** Settings that the defaults leave out of a job. */
async function trainWithEverySetting(settings: NemoSettings): Promise<void> {
  const artifacts = inMemoryArtifacts();
  const trainer = createTrainer(settings, artifacts);
  const request = await aRequest(artifacts, base);
  const lora = { schedule: 'constant', warmupRatio: 0.5, targetModules: ['linear_qkv', '*_proj'] } as const;
  const { id } = await trainer.launch({
    ...request,
    hyperparameters: { ...request.hyperparameters, ...lora },
  });
  await trainer.cancel(id);
  expect(
    server.calls.find(({ path, body }) => path === '/v1/customization/jobs' && isFull(body)),
  ).toBeDefined();
}

function isFull(body: unknown): boolean {
  const { hyperparameters } = body as { hyperparameters?: { optimizer?: string; lora?: object } };
  return (
    hyperparameters?.optimizer === 'adamw_with_flat_lr' && 'target_modules' in (hyperparameters.lora ?? {})
  );
}

/** Method and collection: `GET /v1/datasets` for a list, the item's own path for an item. */
function nameOf({ method, path }: RecordedCall): string {
  const [plain = ''] = path.split('?');
  const [, item = plain] = /^(\/v1\/deployment\/model-deployments)\/.+/.exec(plain) ?? [];
  return `${method} ${method === 'PATCH' ? item : plain}`;
}

function problemsOf(validate: ValidateFunction, { method, path, body }: RecordedCall): string[] {
  validate(method === 'GET' ? queryOf(path) : body);
  return (validate.errors ?? []).map(
    ({ instancePath, message = '', params }) => `${instancePath}: ${message} ${JSON.stringify(params)}`,
  );
}

/** `filter[namespace]=x` as `{filter: {namespace: 'x'}}`. */
function queryOf(path: string): JsonObject {
  const query: JsonObject = {};
  for (const [key, value] of new URL(path, 'http://localhost').searchParams) {
    const [, name = key, field] = /^(\w+)\[(\w+)\]$/.exec(key) ?? [];
    query[name] =
      field === undefined ? value : { ...(query[name] as JsonObject | undefined), [field]: value };
  }
  return query;
}
