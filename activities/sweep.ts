import { NotFoundError } from '../domain/errors.ts';
import { policyOf } from '../domain/policies/policy.ts';
import type { RunTrigger, TriggerReceipt } from '../domain/runs/trigger.ts';
import type { Cadence } from '../domain/schedules/cadence.ts';
import { decideSweep, type SweepDecision } from '../domain/schedules/decide-sweep.ts';
import type { RecordedSweep } from '../domain/schedules/sweep.ts';
import type { Flywheels } from './ports/flywheels.ts';
import type { Lineage } from './ports/lineage.ts';
import type { LogStore } from './ports/log-store.ts';
import type { PolicySource } from './ports/policies.ts';

export interface SweepPorts {
  readonly logStore: Pick<LogStore, 'workloads' | 'countSince'>;
  readonly policies: PolicySource;
  readonly flywheels: Flywheels;
  readonly lineage: {
    readonly runs: Pick<Lineage['runs'], 'list' | 'view'>;
    readonly datasets: Pick<Lineage['datasets'], 'watermark'>;
    readonly sweeps: Pick<Lineage['sweeps'], 'record'>;
  };
  /** How many records a dataset needs. */
  readonly defaults: { readonly minRecords: number };
}

export interface AssessInput {
  readonly cadence: Cadence;
  readonly workloadId: string;
  readonly volume?: number;
}

export type Assessment = SweepDecision & { readonly newRecords: number };

/** The steps of a sweep. Each may be repeated: what was decided once stays in the workflow's history. */
export function createSweep(ports: SweepPorts) {
  const { logStore, policies, flywheels, lineage, defaults } = ports;

  /** Workloads with records, but for those that have a schedule of their own, or that want none. */
  async function findWorkloads({ cadence }: { cadence: Cadence }): Promise<{ workloadIds: string[] }> {
    const [known, own, all] = await Promise.all([
      logStore.workloads(),
      flywheels.scheduled(cadence),
      policies.all(),
    ]);
    const wanted = all.default.schedule[cadence] !== null;
    const refuses = (id: string) => wanted && policyOf(all, id).schedule[cadence] === null;
    const ids = known.map(({ workloadId }) => workloadId);
    return { workloadIds: ids.filter((id) => !own.has(id) && !refuses(id)).sort() };
  }

  async function assessWorkload({ cadence, workloadId, volume }: AssessInput): Promise<Assessment> {
    const { schedule } = await policies.of(workloadId);
    const since = await newsSince(cadence, workloadId);
    const [total, newRecords] = await Promise.all([
      logStore.countSince(workloadId, null),
      logStore.countSince(workloadId, since),
    ]);
    const minNewRecords = cadence === 'volume' ? (volume ?? Infinity) : schedule.minNewRecords;
    const { minRecords } = defaults;
    const decision = decideSweep({ cadence, total, newRecords, since, minRecords, minNewRecords });
    return { ...decision, newRecords };
  }

  /**
   * The watermark, unless a run is at work on what came in before it began: those records are no news. For
   * `volume` neither are those that the last run saw, however it ended: what fails is not tried every few
   * minutes.
   */
  async function newsSince(cadence: Cadence, workloadId: string): Promise<string | null> {
    const [watermark, [last]] = await Promise.all([
      lineage.datasets.watermark(workloadId),
      lineage.runs.list(workloadId, 1),
    ]);
    const counts = last && (cadence === 'volume' || last.status === 'running');
    return counts && (watermark === null || last.startedAt > watermark) ? last.startedAt : watermark;
  }

  async function triggerRun(input: { workloadId: string; trigger: RunTrigger }): Promise<TriggerReceipt> {
    const { workloadId, trigger } = input;
    // An earlier attempt's answer was lost, and its run may have ended since: it is not to begin once more.
    if (await hasBegun(trigger.runId)) return { runId: trigger.runId, state: 'started' };
    return flywheels.trigger(workloadId, trigger);
  }

  async function hasBegun(runId: string): Promise<boolean> {
    try {
      return Boolean(await lineage.runs.view(runId));
    } catch (error) {
      if (error instanceof NotFoundError) return false;
      throw error;
    }
  }

  async function recordSweep(sweep: RecordedSweep): Promise<void> {
    await lineage.sweeps.record(sweep);
  }

  return { findWorkloads, assessWorkload, triggerRun, recordSweep };
}
