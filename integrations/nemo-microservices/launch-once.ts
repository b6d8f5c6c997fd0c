import { sharedByKey } from '../http/shared-by-key.ts';

/** A job at a service, as it is found again. */
export interface FoundJob<J> {
  readonly job: J;
  readonly createdAt: string;
}

export interface Service<R, J> {
  /** Every job under the key. */
  readonly findAll: (key: string) => Promise<readonly FoundJob<J>[]>;
  readonly create: (request: R) => Promise<J>;
  readonly cancel: (jobId: string) => Promise<void>;
}

/**
 * Launches at services that know no idempotency: look, create, look again. Whoever else created a job meanwhile
 * sees the same two, and both agree on the first; the other is cancelled.
 */
export function createLauncher<R extends { readonly key: string }, J extends { readonly id: string }>(
  service: Service<R, J>,
): (request: R) => Promise<J> {
  return sharedByKey(async (request: R): Promise<J> => {
    const found = await findFirst(service, request.key);
    if (found !== null) return found;
    const made = await service.create(request);
    const first = await findFirst(service, request.key);
    if (first === null || first.id === made.id) return made;
    await service.cancel(made.id);
    return first;
  });
}

/** The job under the key: the first, should there be two. */
export async function findFirst<R, J extends { readonly id: string }>(
  { findAll }: Pick<Service<R, J>, 'findAll'>,
  key: string,
): Promise<J | null> {
  const order = ({ job, createdAt }: FoundJob<J>) => `${createdAt} ${job.id}`;
  const [first] = [...(await findAll(key))].sort((a, b) => (order(a) < order(b) ? -1 : 1));
  return first?.job ?? null;
}
