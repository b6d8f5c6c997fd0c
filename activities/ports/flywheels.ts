import type { RunTrigger, TriggerReceipt } from '../../domain/runs/trigger.ts';
import type { Cadence } from '../../domain/schedules/cadence.ts';

/** The workloads' flywheels, wherever they turn. */
export interface Flywheels {
  /** Asks the workload's open flywheel for a run, or begins one. The same `runId` in one open flywheel is one request. */
  trigger(workloadId: string, trigger: RunTrigger): Promise<TriggerReceipt>;
  /** Workloads that have a schedule of the cadence for themselves. A schedule made seconds ago may be missing. */
  scheduled(cadence: Cadence): Promise<ReadonlySet<string>>;
}
