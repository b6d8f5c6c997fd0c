import { z } from 'zod';
import type { LogStore } from '../../activities/ports/log-store.ts';
import { snapshotKinds } from '../../domain/datasets/dataset.ts';
import { NotFoundError } from '../../domain/errors.ts';
import { strategies } from '../../domain/experiments/experiment.ts';
import type { RunTrigger, TriggerReceipt } from '../../domain/runs/trigger.ts';
import type { AddEndpoint } from '../auth/guard.ts';
import { type BodyOptions, readBody } from './read-body.ts';
import { storableText } from './storable-text.ts';

export interface TriggerRunOptions extends BodyOptions {
  readonly logStore: Pick<LogStore, 'workloads'>;
  /** Throws `ConflictError` where the flywheel refuses the wishes. */
  readonly triggerRun: (workloadId: string, wishes: Omit<RunTrigger, 'runId'>) => Promise<TriggerReceipt>;
}

const Request = z.strictObject({
  reason: storableText.min(1, 'must not be empty').max(2_000),
  candidates: z.array(z.string().min(1)).min(1).optional(),
  strategies: z.array(z.enum(strategies)).min(1).optional(),
  snapshot: z.enum(snapshotKinds).optional(),
  eval_size: z.number().int().min(1).optional(),
  seed: z.number().int().min(0).optional(),
});
type Request = z.infer<typeof Request>;

/** `POST /v1/workloads/<workload>/runs`: asks for a run. Several while one is open make one more. */
export function addTriggerRun(
  on: AddEndpoint,
  { logStore, triggerRun, maxBodyBytes }: TriggerRunOptions,
): void {
  on('POST', '/v1/workloads/:workload/runs', 'operate', async (context, caller) => {
    const workload = context.req.param('workload') ?? '';
    const wishes = await readBody(context.req.raw, Request, { maxBodyBytes });
    const known = await logStore.workloads();
    if (!known.some(({ workloadId }) => workloadId === workload))
      throw new NotFoundError(`No record of a workload "${workload}" is in the log store.`);
    const requestedBy = caller.client ?? 'api';
    const receipt = await triggerRun(workload, { ...toWishes(wishes), requestedBy });
    return context.json({ ...receipt, workload }, 202);
  });
}

function toWishes({ reason, candidates, strategies: wanted, ...rest }: Request) {
  return {
    reason,
    ...(candidates && { candidates }),
    ...(wanted && { strategies: wanted }),
    ...(rest.snapshot && { snapshotKind: rest.snapshot }),
    ...(rest.eval_size !== undefined && { evalSize: rest.eval_size }),
    ...(rest.seed !== undefined && { seed: rest.seed }),
  };
}
