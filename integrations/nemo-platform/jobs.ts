import { z } from 'zod';
import { RejectedError, UnavailableError } from '../../domain/errors.ts';
import { withoutSecrets } from '../../domain/secrets.ts';
import { tidied } from '../http/errors.ts';
import { cancelJob, endedStatuses, noteLost } from './job-cancellation.ts';
import { readLog } from './job-log.ts';
import { Job, JobStatus, PlatformStatus } from './jobs.schema.ts';
import { listAll } from './pages.ts';
import { defaultLostAfterMs, type NemoPlatformSettings } from './settings.ts';
import { timeLimitAdvice } from './time-limit.ts';
import type { Transport } from './transport.ts';

/** The scheduler looks every 5 s. */
const scheduledWithinMs = 60_000;
/** Without these loops no job is ever started, and `/status` calls itself healthy: it lists what runs. */
const jobLoops = ['job_scheduler', 'job_reconciler'];

export interface SeenJob extends JobStatus {
  /** No sign of life: the platform was restarted and has lost it, or its process is gone with the machine. */
  readonly lost: boolean;
  /** It was lost, and is cancelled for it, by us: whoever was to report that may have died over it. */
  readonly givenUp: boolean;
  /** What to raise, where it failed for the platform's time limit: done again it would run into it again. */
  readonly timeLimit: string | null;
}

/** What a lost job, or one that was given up, has come to. */
export function asLost(name: string) {
  const error = `The platform lost job ${name}: nothing was heard of it for too long.`;
  return { status: 'failed', error, errorRetryable: true } as const;
}

/** `/apis/jobs/v2`: what every service's jobs have in common. */
export interface JobsClient {
  /** How it is. Needs nothing that runs jobs, for what is to be ended may have to be found without it. */
  look(name: string): Promise<SeenJob | null>;
  /** The same for whoever waits for it: throws `UnavailableError` while it waits because nothing there starts jobs. */
  status(name: string): Promise<SeenJob | null>;
  /** Returns once the job is being cancelled. Harmless on an ended job. Throws `UnavailableError` when it goes on. */
  cancel(name: string): Promise<void>;
  /** The same of a lost one, which is noted as such first: cancelled, it would look like somebody's decision. */
  giveUp(name: string): Promise<void>;
  /** Newest first. */
  list(): Promise<Job[]>;
  /** The last lines of a job's log, oldest first. */
  log(name: string, lines: number): Promise<string[]>;
  remove(name: string): Promise<void>;
}

export function createJobsClient(settings: NemoPlatformSettings, transport: Transport): JobsClient {
  const jobs = `/apis/jobs/v2/workspaces/${encodeURIComponent(settings.workspace)}/jobs`;
  const pathOf = (name: string) => `${jobs}/${encodeURIComponent(name)}`;
  const lostAfterMs = settings.lostAfterMs ?? defaultLostAfterMs;

  const lookUp = async (name: string): Promise<JobStatus | null> => {
    const job = await transport.find({
      doing: `look up job ${name}`,
      method: 'GET',
      path: `${pathOf(name)}/status`,
      reply: JobStatus,
    });
    return job && tidied(job, settings.apiKey);
  };

  async function look(name: string): Promise<SeenJob | null> {
    const job = await lookUp(name);
    if (job === null) return null;
    const lost = !endedStatuses.has(job.status) && job.canBeLost && (await isSilent(job));
    const givenUp = job.notedLost && job.status === 'cancelled';
    return { ...job, lost, givenUp, timeLimit: job.status === 'error' ? timeLimitAdvice(job.error) : null };
  }

  async function status(name: string): Promise<SeenJob | null> {
    const job = await look(name);
    const silentMs = job === null ? 0 : transport.now() - job.lastSignAt;
    if (job?.status === 'created' && silentMs > scheduledWithinMs) await requireJobLoops(settings, transport);
    return job;
  }

  /** What was told of it, and its log: of an evaluation nothing is told until it ends. */
  async function isSilent({ name, lastSignAt }: JobStatus): Promise<boolean> {
    const since = () => transport.now() - lostAfterMs;
    if (lastSignAt > since()) return false;
    const newest = (await readLog(transport, pathOf(name)).catch(noLines)).at(-1);
    return newest === undefined || newest.timestamp <= since();
  }

  const cancel = (name: string) =>
    cancelJob(transport, { provider: settings.name, name, path: pathOf(name), lookUp });

  return {
    look,
    status,
    cancel,
    async giveUp(name) {
      await noteLost(transport, { name, path: pathOf(name) });
      await cancel(name);
    },
    list: () => listAll(transport, { what: 'jobs', path: jobs, query: { sort: '-created_at' }, item: Job }),
    async log(name, lines) {
      const all = await readLog(transport, pathOf(name));
      // What a model's server said may be quoted in it, and that server may quote its key.
      return all.slice(-lines).map(({ message }) => withoutSecrets(message, settings.apiKey));
    },
    async remove(name) {
      await transport.find({
        doing: `remove job ${name}`,
        method: 'DELETE',
        path: pathOf(name),
        reply: z.unknown(),
      });
    },
  };
}

/** Throws `UnavailableError` when the platform runs nothing that would start a job. */
export async function requireJobLoops(settings: NemoPlatformSettings, transport: Transport): Promise<void> {
  const { controllers } = await transport.call({
    doing: 'tell its status',
    method: 'GET',
    path: '/status',
    reply: PlatformStatus,
  });
  const missing = jobLoops.filter((name) => controllers.status[name] === undefined);
  if (missing.length === 0) return;
  throw new UnavailableError(
    `${settings.name} runs no ${missing.join(' and no ')}: its jobs will never start, though it calls itself ` +
      'healthy. Its job controller ended at the start, mostly for want of Docker; its log says why. Restart it.',
    { kind: 'failing' },
  );
}

/** A log that nobody keeps, or that is not ours to read, tells nothing of life. */
function noLines(error: unknown): [] {
  if (error instanceof RejectedError) return [];
  throw error;
}
