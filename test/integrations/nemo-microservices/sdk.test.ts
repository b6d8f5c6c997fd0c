import { Ajv, type ValidateFunction } from 'ajv';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '../../../domain/json.ts';
import { createDeployer } from '../../../integrations/nemo-microservices/deployer.ts';
import { createEvaluator } from '../../../integrations/nemo-microservices/evaluator.ts';
import { createInventory } from '../../../integrations/nemo-microservices/inventory.ts';
import { type NemoServer, type RecordedCall } from '../../contract-servers/nemo-microservices/server.ts';
import { eventually } from '../../support/eventually.ts';
import { nemoSdkPython, runWithNemoSdk } from '../../support/nemo-sdk.ts';
import { aNemoServer, settingsOf } from '../../support/nemo-server.ts';
import { anAdapter } from './an-adapter.ts';

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
  // A query's numbers are texts; a date's form is not what is checked.
  const ajv = new Ajv({ strict: false, coerceTypes: true, validateFormats: false });
  const validators = new Map(Object.entries(schemas).map(([call, schema]) => [call, ajv.compile(schema)]));

  const checked = server.calls.slice(before).flatMap((call) => {
    const validate = validators.get(nameOf(call));
    return validate ? [{ call: nameOf(call), problems: problemsOf(validate, call) }] : [];
  });

  expect(checked.filter(({ problems }) => problems.length > 0)).toEqual([]);
  // Each kind of call was made, so each was checked.
  expect([...new Set(checked.map(({ call }) => call))].sort()).toEqual([...validators.keys()].sort());
}, 600_000);

/** What Flywheel does in a run: train, deploy, evaluate; and what it does between runs. */
async function useEveryService(): Promise<void> {
  const settings = settingsOf(server);
  const adapter = { model: await anAdapter(settings, base), baseModel: base };
  const deployer = createDeployer(settings, { [base]: { image, tag: '1.8.3', gpus: 1, volumeSize: '25Gi' } });
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
    60_000,
  );
  const inventory = createInventory(settings);
  for await (const thing of inventory.list()) expect(thing.id).toMatch(/\w/);
  await deployer.remove(shared.id, adapter);
  await deployer.remove(id, { model: base, baseModel: null });
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
