import { z } from 'zod';
import { asUtc } from '../http/as-utc.ts';

const time = z.string().transform((text) => Date.parse(asUtc(text)));

const details = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((value) => value ?? {});

/** Among the details of a job itself, where no process of its own tells anything of this name. */
export const lostNote = 'flywheel_lost';

/** `GET …/jobs/{name}/status`: the job, its steps and their tasks, flattened to what is told of them. */
export const JobStatus = z
  .object({
    name: z.string(),
    status: z.string(),
    status_details: details,
    error_details: details,
    steps: z.array(
      z.object({
        name: z.string(),
        updated_at: time,
        error_details: details,
        tasks: z.array(z.object({ updated_at: time, status_details: details, error_details: details })),
      }),
    ),
  })
  .transform(({ name, status, status_details, error_details, steps }) => {
    const tasks = steps.flatMap((step) => step.tasks);
    return {
      name,
      status,
      /** Milliseconds since 1970 by the platform's clock; 0 when no process was started yet. */
      lastSignAt: Math.max(
        0,
        ...steps.map((step) => step.updated_at),
        ...tasks.map((task) => task.updated_at),
      ),
      /**
       * Whether the platform keeps its process in memory alone (the subprocess executor): after a restart it says
       * `active` of it for ever. Of containers it asks the cluster.
       */
      canBeLost: tasks.some((task) => 'subprocess_work_dir' in task.status_details),
      /** That we cancel it because it was lost (`lostNote`). */
      notedLost: lostNote in status_details,
      /** What the job's processes told, later steps over earlier ones. */
      told: Object.assign({}, ...tasks.map((task) => task.status_details)) as Readonly<
        Record<string, unknown>
      >,
      error: messageOf([
        error_details,
        ...steps.map((s) => s.error_details),
        ...tasks.map((t) => t.error_details),
      ]),
    };
  });
export type JobStatus = z.output<typeof JobStatus>;

function messageOf(errors: readonly Readonly<Record<string, unknown>>[]): string | null {
  const messages = errors.map((error) => error['message']);
  const found = messages.find((message): message is string => typeof message === 'string' && message !== '');
  return found ?? null;
}

/** A job as it was asked for. */
export const Job = z.object({
  name: z.string(),
  status: z.string().nullish(),
  created_at: time,
  custom_fields: z.record(z.string(), z.unknown()).nullish(),
});
export type Job = z.output<typeof Job>;

/** `GET /status` of the platform: which control loops run. */
export const PlatformStatus = z.object({
  controllers: z.object({ status: z.record(z.string(), z.boolean()) }),
});

const LogLine = z.object({ timestamp: time, message: z.string() });
export type LogLine = z.output<typeof LogLine>;

/** `GET …/logs`: oldest first, from the beginning. */
export const LogPage = z.object({
  data: z.array(LogLine),
  next_page: z.string().nullish(),
});
export type LogPage = z.output<typeof LogPage>;
