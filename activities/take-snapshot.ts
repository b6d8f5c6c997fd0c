import { cancellationSignal } from '@temporalio/activity';
import type { SnapshotSummary } from '../domain/datasets/dataset.ts';
import { NotEnoughRecordsError } from '../domain/errors.ts';
import { snapshotId } from '../domain/ids.ts';
import type { StoredRecord } from '../domain/records/record.ts';
import { keepAlive } from './keep-alive.ts';
import type { ArtifactStore } from './ports/artifact-store.ts';
import type { Lineage } from './ports/lineage.ts';
import type { LogStore } from './ports/log-store.ts';

export interface TakeSnapshotPorts {
  readonly logStore: Pick<LogStore, 'snapshotBound' | 'read'>;
  readonly artifacts: Pick<ArtifactStore, 'putLines'>;
  readonly lineage: {
    readonly runs: Pick<Lineage['runs'], 'setStage'>;
    readonly datasets: Pick<Lineage['datasets'], 'openSnapshot' | 'commitSnapshot'>;
  };
}

/** What reading tells about the records beside themselves. */
interface Facts {
  records: number;
  readonly responseSources: Record<string, number>;
  synthetic: boolean;
}

/**
 * Freezes the records that the run reads. The bound is persisted before the first record is read, so that
 * every attempt reads the same set, whatever arrives meanwhile.
 */
export function createTakeSnapshot({ logStore, artifacts, lineage }: TakeSnapshotPorts) {
  async function takeSnapshot(input: { runId: string; workloadId: string }): Promise<SnapshotSummary> {
    const { runId, workloadId } = input;
    const id = snapshotId(runId);
    await lineage.runs.setStage(runId, 'snapshot');
    const bound = await logStore.snapshotBound();
    const opened = await lineage.datasets.openSnapshot({ id, runId, workloadId, bound });
    if (opened.artifact) return { id, records: opened.records };

    const facts: Facts = { records: 0, responseSources: {}, synthetic: false };
    const lines = toLines(logStore.read(workloadId, opened.bound), facts);
    const artifact = await keepAlive(
      () => ({ records: facts.records }),
      () => artifacts.putLines(lines),
    );
    if (facts.records === 0) {
      throw new NotEnoughRecordsError(
        `There are no records of workload "${workloadId}" yet: send its calls through the gateway, or import them (flywheel import).`,
      );
    }
    const { responseSources, synthetic } = facts;
    await lineage.datasets.commitSnapshot(id, artifact, facts.records, { responseSources, synthetic });
    return { id, records: facts.records };
  }
  return { takeSnapshot };
}

async function* toLines(
  batches: AsyncIterable<readonly StoredRecord[]>,
  facts: Facts,
): AsyncGenerator<string> {
  const signal = cancellationSignal();
  for await (const batch of batches) {
    signal.throwIfAborted();
    for (const record of batch) {
      facts.records += 1;
      facts.responseSources[record.responseSource] = (facts.responseSources[record.responseSource] ?? 0) + 1;
      facts.synthetic ||= record.extra['synthetic'] === true;
      yield JSON.stringify(record);
    }
  }
}
