import { z } from 'zod';
import { ifThere } from './errors.ts';
import { Job } from './evaluation.schema.ts';
import { listNewest } from './paging.ts';
import { segment, type Transport, transferTimeoutMs } from './transport.ts';

/** The service asks the target something before it answers, and a cold NIM takes its time. */
const createTimeoutMs = 5 * 60_000;

/** Evaluator's jobs. Configs and targets travel inside of them, so that nothing of them can be stale (decision 24). */
export interface EvaluationJobs {
  create(body: Readonly<Record<string, unknown>>): Promise<Job>;
  get(id: string): Promise<Job>;
  /** null when there is none. */
  find(id: string): Promise<Job | null>;
  /** Jobs of the namespace, newest first, not endlessly. */
  list(namespace: string): AsyncIterable<Job>;
  cancel(id: string): Promise<void>;
  /** The zip of a job that has completed: configuration, logs, every sample. */
  archive(id: string): Promise<Uint8Array>;
  /** Harmless when it is gone. */
  remove(id: string): Promise<void>;
}

const path = '/v1/evaluation/jobs';

export function createEvaluationJobs(transport: Transport): EvaluationJobs {
  const item = (id: string) => `${path}/${segment(id)}`;
  const get = (id: string) =>
    transport.json({ doing: `retrieve evaluation job ${id}`, method: 'GET', path: item(id) }, Job);
  return {
    get,
    find: (id) => ifThere(get(id)),
    create: (body) =>
      transport.json(
        { doing: 'create an evaluation job', method: 'POST', path, body, timeoutMs: createTimeoutMs },
        Job,
      ),
    list: (namespace) =>
      listNewest(transport, { doing: 'list evaluation jobs', path }, { namespace, item: Job }),
    async cancel(id) {
      const call = {
        doing: `cancel evaluation job ${id}`,
        method: 'POST',
        path: `${item(id)}/cancel`,
      } as const;
      await transport.json({ ...call, repeatable: true }, z.unknown());
    },
    archive: (id) =>
      transport.bytes({
        doing: `fetch the results of evaluation job ${id}`,
        method: 'GET',
        path: `${item(id)}/download-results`,
        timeoutMs: transferTimeoutMs,
      }),
    async remove(id) {
      const call = { doing: `delete evaluation job ${id}`, method: 'DELETE', path: item(id) } as const;
      await ifThere(transport.json(call, z.unknown()));
    },
  };
}
