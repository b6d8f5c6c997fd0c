import { strToU8, zipSync } from 'fflate';
import { afterEach, describe, expect, it } from 'vitest';
import { Job as CustomizationJob } from '../../../integrations/nemo-microservices/customizer.schema.ts';
import { createDeployer } from '../../../integrations/nemo-microservices/deployer.ts';
import { Job as EvaluationJob } from '../../../integrations/nemo-microservices/evaluation.schema.ts';
import { createEvaluator } from '../../../integrations/nemo-microservices/evaluator.ts';
import { ourName } from '../../../integrations/nemo-microservices/names.ts';
import type { NemoSettings } from '../../../integrations/nemo-microservices/settings.ts';
import { createTrainer } from '../../../integrations/nemo-microservices/trainer.ts';
import { respond, startHttpServer, type TestHttpServer } from '../../support/http-server.ts';
import { inMemoryArtifacts } from '../../support/in-memory-artifacts.ts';

/** Every status that the v1 services have, and one that a later release may add. */
const statuses = [
  ['created', 'queued'],
  // The blueprint takes it for a failure of an evaluation.
  ['pending', 'queued'],
  ['running', 'running'],
  // Being cancelled is not cancelled: what was learnt or asked until then may still be under way.
  ['cancelling', 'running'],
  ['unknown', 'running'],
  ['ready', 'running'],
  ['of_a_later_release', 'running'],
  ['completed', 'succeeded'],
  ['failed', 'failed'],
  ['cancelled', 'cancelled'],
] as const;

describe.each([
  ['customization', CustomizationJob],
  ['evaluation', EvaluationJob],
])('a job of %s', (_, Job) => {
  it.each(statuses)('that is %s is %s to us', (status, ours) => {
    const details = { message: 'as told', status_logs: [{ message: 'Stage', detail: 'as told' }] };
    const { job } = Job.parse({ id: 'job-1', status, output_model: 'ns/model@1', status_details: details });

    expect(job).toMatchObject({ id: 'job-1', status: ours, error: ours === 'failed' ? 'as told' : null });
  });
});

describe('a key that a service quotes in its reply', () => {
  /** Of no known form, as a gateway before the services may want it. */
  const apiKey = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJmbHl3aGVlbCJ9.c2lnbmF0dXJl';
  const told = `pull failed: Authorization: Bearer nvapi-0123456789abcdef, HF_TOKEN=hf_abcdefghijkl, ${apiKey}\n${'and on '.repeat(90)}`;
  const key = 'run-1-0123456789abcdef';
  const failed = {
    ...{ id: 'job-1', status: 'failed', output_model: `flywheel/${ourName({}, key)}` },
    status_details: { message: told, status_logs: [{ detail: told }] },
    config: { tasks: { a: { dataset: `hf://datasets/flywheel/${ourName({}, key)}/a.jsonl` } } },
  };
  const unexplained = { ...failed, status_details: {} };
  const listed = { data: [failed], pagination: { total_pages: 1 } };
  const event = { type: 'Warning', message: told };
  const deployment = {
    ...{ name: 'nim', namespace: 'flywheel', models: ['base'] },
    status_details: { status: 'failed', description: told },
  };
  const samples = { task: [{ item: { item_id: 'a' }, sample: { error: told } }] };
  const zip = zipSync({ 'results.json': strToU8(JSON.stringify(samples)) });

  const customization = '/v1/customization/jobs/job-1';
  const evaluation = '/v1/evaluation/jobs/job-1';
  const trainer = (settings: NemoSettings) => createTrainer(settings, inMemoryArtifacts());

  let server: TestHttpServer | undefined;
  afterEach(() => server?.close());

  async function setup(replies: Readonly<Record<string, unknown>>): Promise<NemoSettings> {
    server = await startHttpServer((request, response) => {
      const reply = replies[request.url?.split('?')[0] ?? ''];
      if (reply instanceof Uint8Array) return response.end(reply);
      return respond(response, reply === undefined ? 404 : 200, reply ?? {});
    });
    const { url } = server;
    return { ...{ name: 'nemo', namespace: 'flywheel', apiKey }, url, nimUrl: url, dataStoreUrl: url };
  }

  it.each<[string, Readonly<Record<string, unknown>>, (settings: NemoSettings) => Promise<string | null>]>([
    [
      'a training’s detail',
      { [customization]: failed },
      async (settings) => (await trainer(settings).get('job-1')).error,
    ],
    [
      'a training that is found by its key',
      { '/v1/customization/jobs': listed },
      async (settings) => (await trainer(settings).findAll(key))[0]?.error ?? null,
    ],
    [
      'an error of its logs',
      { [customization]: unexplained, [`${customization}/container-logs`]: { error: { message: told } } },
      async (settings) => (await trainer(settings).get('job-1')).error,
    ],
    [
      'an event of its logs',
      {
        [customization]: unexplained,
        [`${customization}/container-logs`]: { entries: { pod: { events: [event] } } },
      },
      async (settings) => (await trainer(settings).get('job-1')).error,
    ],
    [
      'an evaluation’s message',
      { [evaluation]: failed },
      async (settings) => (await createEvaluator(settings).get('job-1')).error,
    ],
    [
      'an evaluation that is found by its key',
      { '/v1/evaluation/jobs': listed },
      async (settings) => (await createEvaluator(settings).findAll(key))[0]?.error ?? null,
    ],
    [
      'a row’s error',
      { [`${evaluation}/download-results`]: zip },
      async (settings) => {
        const errors = [];
        for await (const { error } of createEvaluator(settings).results('job-1')) errors.push(error);
        return errors[0] ?? null;
      },
    ],
    [
      'a deployment’s description',
      { '/v1/deployment/model-deployments/flywheel/nim': deployment },
      async (settings) => (await createDeployer(settings).get('flywheel/nim'))?.error ?? null,
    ],
  ])('is in no error, which is one bearable line: %s', async (_, replies, read) => {
    const error = await read(await setup(replies));

    expect(error).toContain('pull failed');
    expect(error).not.toMatch(/0123456789|abcdefgh|eyJ|c2lnbmF0dXJl|\n/);
    expect(error?.length).toBeLessThan(450);
  });
});
