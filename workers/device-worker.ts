import type { WorkerOptions } from '@temporalio/worker';
import type { DeviceActivities } from '../activities/index.ts';
import type { Config } from '../config/config.ts';
import { gpuQueue } from '../workflows/task-queues.ts';
import { promptness } from './promptness.ts';

/** The trainer runs one job per device, and the embedded one has one device. */
const devicesPerPool = 1;

/** One worker per pool that the candidates name: as many slots as devices, so that a slot is the lease. */
export function deviceWorkers(
  config: Pick<Config, 'candidates'>,
  activities: DeviceActivities,
): (WorkerOptions & { taskQueue: string })[] {
  const pools = [...new Set(config.candidates.map((candidate) => candidate.gpuPool))];
  return pools.map((pool) => ({
    taskQueue: gpuQueue(pool),
    activities,
    tuner: {
      workflowTaskSlotSupplier: { type: 'fixed-size', numSlots: 2 },
      activityTaskSlotSupplier: { type: 'fixed-size', numSlots: devicesPerPool },
      localActivityTaskSlotSupplier: { type: 'fixed-size', numSlots: 1 },
      nexusTaskSlotSupplier: { type: 'fixed-size', numSlots: 1 },
    },
    ...promptness,
  }));
}
