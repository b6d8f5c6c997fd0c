import type { TrainingStatus } from '../../activities/ports/trainer.ts';
import { sharedByKey } from './shared-by-key.ts';

interface KeyedJob {
  readonly id: string;
  readonly status: TrainingStatus;
}

/** A job at a service, as it is found again. */
export interface FoundJob<J> {
  readonly job: J;
  /** In whatever sorts by time at this service. */
  readonly createdAt: string | number;
}

export interface Service<R, J> {
  /** Every job under the key, in any order. */
  readonly findAll: (key: string) => Promise<readonly FoundJob<J>[]>;
  readonly create: (request: R) => Promise<J>;
  readonly cancel: (jobId: string) => Promise<void>;
}

/**
 * Launches at services that know no idempotency: look, create, look again. Whoever else created a job meanwhile
 * sees the same two, and both agree on the first; the other is cancelled. One that only shows up later, of a
 * create that got no answer, is ended with the experiment's work (`endJobs`), which sees every job of the key.
 */
export function createLauncher<R extends { readonly key: string }, J extends KeyedJob>(
  service: Service<R, J>,
): (request: R) => Promise<J> {
  return sharedByKey(async (request: R): Promise<J> => {
    const [found] = await jobsOf(service, request.key);
    if (found !== undefined) return found;
    const made = await service.create(request);
    const [first] = await jobsOf(service, request.key);
    if (first === undefined || first.id === made.id) return made;
    await service.cancel(made.id);
    return first;
  });
}

/** What succeeded is not done again, what goes on is waited for, and what was surplus is the cancelled one. */
const ranks: Readonly<Record<TrainingStatus, number>> = {
  succeeded: 0,
  queued: 1,
  running: 1,
  failed: 2,
  cancelled: 3,
};

/** Jobs under the key, the one that counts first: by how it stands, then by age. Mostly there is one. */
export async function jobsOf<R, J extends KeyedJob>(
  { findAll }: Pick<Service<R, J>, 'findAll'>,
  key: string,
): Promise<J[]> {
  const found = [...(await findAll(key))].sort((a, b) => {
    const byRank = ranks[a.job.status] - ranks[b.job.status];
    if (byRank !== 0) return byRank;
    if (a.createdAt === b.createdAt) return a.job.id < b.job.id ? -1 : 1;
    return a.createdAt < b.createdAt ? -1 : 1;
  });
  return found.map(({ job }) => job);
}
