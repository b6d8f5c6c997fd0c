import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { UnavailableError } from '../../domain/errors.ts';
import { unless } from './errors.ts';
import { type JobStatus, lostNote } from './jobs.schema.ts';
import type { Transport } from './transport.ts';

/** A job that ended is what was wanted. */
export const endedStatuses: ReadonlySet<string> = new Set(['completed', 'cancelled', 'error']);

const mostCancellations = 3;
const betweenCancellationsMs = 500;

interface CancelledJob {
  readonly provider: string;
  readonly name: string;
  /** Its own, below the root. */
  readonly path: string;
  readonly lookUp: (name: string) => Promise<JobStatus | null>;
}

/**
 * Returns once the job is being cancelled, has ended or is gone. The platform leaves a job that is between two steps
 * as it is, with a 200; one whose step ends at this moment it refuses to cancel, with a 409. So it is looked at again.
 */
export async function cancelJob(transport: Transport, job: CancelledJob): Promise<void> {
  let status = await openStatus(job);
  for (let asked = 0; status !== null && asked < mostCancellations; asked++) {
    await askToCancel(transport, job);
    status = await openStatus(job);
    if (status === 'cancelling') return;
    if (status !== null) await sleep(betweenCancellationsMs);
  }
  if (status === null) return;
  throw new UnavailableError(
    `${job.provider} was asked to cancel job ${job.name}, which is still ${status}.`,
    { kind: 'failing' },
  );
}

/** Where it outlives us, and beside what else is told of the job. One that is gone needs no note. */
export async function noteLost(
  transport: Transport,
  { name, path }: Pick<CancelledJob, 'name' | 'path'>,
): Promise<void> {
  await transport.find({
    doing: `note that job ${name} is lost`,
    method: 'PATCH',
    path: `${path}/status-details`,
    body: { [lostNote]: true },
    idempotent: true,
    reply: z.unknown(),
  });
}

async function openStatus({ name, lookUp }: CancelledJob): Promise<string | null> {
  const job = await lookUp(name);
  return job !== null && !endedStatuses.has(job.status) ? job.status : null;
}

async function askToCancel(transport: Transport, { name, path }: CancelledJob): Promise<void> {
  const asking = transport.call({
    doing: `cancel job ${name}`,
    method: 'POST',
    path: `${path}/cancel`,
    idempotent: true,
    reply: z.unknown(),
  });
  await unless('conflict', asking);
}
