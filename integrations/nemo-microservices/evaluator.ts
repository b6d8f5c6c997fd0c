import type { EvaluationJob, EvaluationJobRequest, Evaluator } from '../../activities/ports/evaluator.ts';
import { hasEnded } from '../../activities/ports/trainer.ts';
import { RejectedError } from '../../domain/errors.ts';
import { tidied } from '../http/errors.ts';
import { createLauncher, jobsOf, type Service } from '../http/launch-once.ts';
import { createDataStore, type DataStore } from './data-store.ts';
import { createEntityStore, type EntityStore } from './entity-store.ts';
import type { Job } from './evaluation.schema.ts';
import { createEvaluationJobs, type EvaluationJobs } from './evaluation.ts';
import { readArchive } from './evaluation-archive.ts';
import { type EvaluationTask, toTasks } from './evaluation-tasks.ts';
import { describedBy, isNamedBy, ourName } from './names.ts';
import type { NemoSettings } from './settings.ts';
import { createTransport } from './transport.ts';

/** So many questions in flight at a time: a NIM batches. An answer that takes longer (in seconds) is stuck. */
const params = { parallelism: 8, request_timeout: 120 };

/**
 * Evaluation by NeMo Evaluator: rows to the Data Store, one job of custom tasks, every sample back.
 *
 * A job is found by the name of the dataset that it reads, which ends in a hash of the key: its configuration is
 * in every recorded reply.
 */
export function createEvaluator(settings: NemoSettings): Evaluator {
  const transport = createTransport(settings, settings.url);
  const jobs = createEvaluationJobs(transport);
  const context: Context = {
    settings,
    jobs,
    dataStore: createDataStore(settings),
    entityStore: createEntityStore(transport),
  };
  const service: Service<EvaluationJobRequest, EvaluationJob> = {
    findAll: (key) => findAll(context, key),
    create: (request) => create(context, request),
    cancel: (jobId) => cancel(jobs, jobId),
  };
  const launch = createLauncher(service);
  // In the words of the service, or of the model's host.
  const clean = <T extends { readonly error: string | null }>(told: T) => tidied(told, settings.apiKey);
  return {
    findAll: async (key) => (await jobsOf(service, key)).map(clean),
    launch: async (request) => clean(await launch(request)),
    get: async (jobId) => clean((await jobs.get(jobId)).job),
    async *results(jobId) {
      const rows = readArchive(await jobs.archive(jobId), { provider: settings.name, jobId });
      for (const row of rows) yield clean(row);
    },
    cancel: service.cancel,
  };
}

interface Context {
  readonly settings: NemoSettings;
  readonly jobs: EvaluationJobs;
  readonly dataStore: DataStore;
  readonly entityStore: EntityStore;
}

async function findAll({ jobs, settings }: Context, key: string): Promise<Job[]> {
  const found: Job[] = [];
  for await (const job of jobs.list(settings.namespace)) {
    if (job.datasets.some((dataset) => isNamedBy(dataset, key))) found.push(job);
  }
  return found;
}

async function create(context: Context, request: EvaluationJobRequest): Promise<EvaluationJob> {
  const { settings, jobs } = context;
  if (request.rows.length === 0)
    throw new RejectedError('There is nothing to evaluate: the request has no rows.');
  const tasks = toTasks(request.rows);
  const repo = await store(context, request, tasks);
  const { job } = await jobs.create({
    namespace: settings.namespace,
    description: describedBy(request.metadata),
    custom_fields: { ...request.metadata, flywheel_key: request.key },
    target: { type: 'model', model: request.model },
    config: {
      type: 'custom',
      params,
      tasks: Object.fromEntries(tasks.map((task) => [task.name, toConfig(task, repo)])),
    },
  });
  return job;
}

function toConfig({ name, template, metrics }: EvaluationTask, repo: string) {
  return {
    type: 'chat-completion',
    dataset: { files_url: `hf://datasets/${repo}/${pathOf(name)}` },
    params: { template },
    metrics,
  };
}

function pathOf(task: string): string {
  return `${task}.jsonl`;
}

/** The rows' repository, of one commit: where one of its files is, all are. */
async function store(
  { settings, dataStore, entityStore }: Context,
  request: EvaluationJobRequest,
  tasks: readonly EvaluationTask[],
): Promise<string> {
  const repo = `${settings.namespace}/${ourName(request.metadata, request.key)}`;
  await entityStore.ensureNamespace(settings.namespace);
  await dataStore.ensureNamespace(settings.namespace);
  await dataStore.ensureRepo(repo);
  const stored = new Set(await dataStore.list(repo));
  if (!tasks.every(({ name }) => stored.has(pathOf(name)))) {
    const files = tasks.map(({ name, lines }) => ({
      path: pathOf(name),
      content: new Blob(lines.map((line) => `${line}\n`)),
    }));
    await dataStore.upload(repo, files);
  }
  await entityStore.ensureDataset({
    fullName: repo,
    description: 'Flywheel: rows of an evaluation',
    customFields: request.metadata,
  });
  return repo;
}

async function cancel(jobs: EvaluationJobs, jobId: string): Promise<void> {
  try {
    await jobs.cancel(jobId);
  } catch (error) {
    // What has ended cannot be cancelled; that is what was wanted.
    if (error instanceof RejectedError && hasEnded((await jobs.get(jobId)).job)) return;
    throw error;
  }
}
