import { setTimeout as pause } from 'node:timers/promises';
import type { Context, Hono } from 'hono';
import type { JsonObject } from '../../../../domain/json.ts';
import { newEntity } from '../entity.ts';
import { listReply } from '../listing.ts';
import { fail, missing, readBody } from '../replies.ts';
import { text } from '../text.ts';
import type { World } from '../world.ts';
import { containerLogs } from './container-logs.ts';
import { CreateJob, type CustomizationJob, ended, log, newJob, setStatus } from './job.ts';
import { runJob } from './training.ts';

/** `/v1/customization/jobs`. There is no delete, and cancelling has this path only, but for the blueprint. */
export function mountCustomizationJobs(app: Hono, world: World): void {
  const jobs = new Map<string, CustomizationJob>();
  const path = '/v1/customization/jobs';
  const find = (id: string): CustomizationJob => {
    const job = jobs.get(id);
    if (!job) throw missing('Customization job', id);
    return job;
  };

  app.post(path, async (context) => {
    const job = newJob(world, await readBody(context, CreateJob));
    jobs.set(text(job.entity['id']), job);
    registerOutput(world, job);
    world.run(runJob(world, job));
    return context.json(job.entity);
  });
  app.get(path, (context) =>
    context.json(
      listReply(
        context,
        [...jobs.values()].map(({ entity }) => entity),
        {
          base_model: (job, wanted) => (job['config_snapshot'] as JsonObject)['base_model'] === wanted,
          ...Object.fromEntries(
            ['batch_size', 'epochs', 'finetuning_type', 'training_type', 'log_every_n_steps'].map((field) => [
              field,
              (job: JsonObject, wanted: string) =>
                text((job['hyperparameters'] as JsonObject)[field]) === wanted,
            ]),
          ),
        },
      ),
    ),
  );
  app.get(`${path}/:id`, (context) => context.json(find(context.req.param('id')).entity));
  app.get(`${path}/:id/status`, (context) => {
    const { entity } = find(context.req.param('id'));
    return context.json({ ...entity.status_details, status: entity.status });
  });
  app.get(`${path}/:id/container-logs`, (context) =>
    context.json(containerLogs(find(context.req.param('id')), world.faults)),
  );
  const cancel = (context: Context) => {
    const job = find(context.req.param('id') ?? '');
    if (ended.has(job.entity.status)) {
      throw fail(400, `Job ${text(job.entity['id'])} has already ended: ${job.entity.status}`);
    }
    setStatus(job, 'cancelling');
    log(job, 'Cancelling');
    world.run(cancelLater(world, job));
    return context.json(job.entity);
  };
  app.post(`${path}/:id/cancel`, cancel);
  if (world.options.forBlueprint) app.post('/v1/customizations/:id/cancel', cancel);
}

/** A poller sees `cancelling` for a while. */
async function cancelLater(world: World, job: CustomizationJob): Promise<void> {
  do await pause(world.options.cancelMs, undefined, { signal: world.closed });
  while (world.faults.slowToCancel);
  if (!ended.has(job.entity.status)) job.cancelled = true;
}

/** The entity is there before the adapter is, so it proves nothing. */
function registerOutput(world: World, { entity, base, request }: CustomizationJob): void {
  const { output_model: output } = entity;
  if (typeof output !== 'string') return;
  const [namespace = 'default', name = ''] = output.split(/\/(.*)/s);
  world.tables.models.set(
    output,
    newEntity('model', {
      namespace,
      name,
      base_model: base.id,
      artifact: { files_url: `hf://${output}`, status: 'created' },
      peft: { finetuning_type: request.hyperparameters.finetuning_type },
    }),
  );
}
