import { cancellationSignal } from '@temporalio/activity';
import type { SnapshotKind, SnapshotSummary } from '../domain/datasets/dataset.ts';
import { NotEnoughRecordsError } from '../domain/errors.ts';
import { snapshotId } from '../domain/ids.ts';
import type { StoredRecord } from '../domain/records/record.ts';
import { keepAlive } from './keep-alive.ts';
import type { ArtifactStore } from './ports/artifact-store.ts';
import type { Lineage } from './ports/lineage.ts';
import type { LogStore } from './ports/log-store.ts';
import { type NewRecordsPorts, readNewRecords } from './read-new-records.ts';

export interface TakeSnapshotPorts {
  readonly logStore: Pick<LogStore, 'snapshotBound' | 'read'> & NewRecordsPorts['logStore'];
  readonly artifacts: Pick<ArtifactStore, 'putLines'>;
  readonly lineage: {
    readonly runs: Pick<Lineage['runs'], 'setStage'>;
    readonly datasets: Pick<Lineage['datasets'], 'openSnapshot' | 'commitSnapshot' | 'watermark' | 'taken'>;
  };
}

/** What reading tells about the records beside themselves. */
interface Facts {
  records: number;
  readonly responseSources: Record<string, number>;
  synthetic: boolean;
  toolsInferred: boolean;
}

/**
 * Freezes the records that the run reads. The bound is persisted before the first record is read, so that
 * every attempt reads the same set, whatever arrives meanwhile.
 */
export function createTakeSnapshot({ logStore, artifacts, lineage }: TakeSnapshotPorts) {
  const { datasets } = lineage;

  async function takeSnapshot(input: {
    runId: string;
    workloadId: string;
    kind: SnapshotKind;
  }): Promise<SnapshotSummary> {
    const { runId, workloadId, kind } = input;
    const id = snapshotId(runId);
    await lineage.runs.setStage(runId, 'snapshot');
    const bound = await logStore.snapshotBound();
    const opened = await datasets.openSnapshot({ id, runId, workloadId, bound, kind });
    if (opened.artifact) return { id, records: opened.records };

    const facts: Facts = { records: 0, responseSources: {}, synthetic: false, toolsInferred: false };
    const batches =
      kind === 'incremental'
        ? readNewRecords({ logStore, lineage: datasets }, workloadId, opened.bound)
        : logStore.read(workloadId, opened.bound);
    const artifact = await keepAlive(
      () => ({ records: facts.records }),
      () => artifacts.putLines(toLines(batches, facts)),
    );
    if (facts.records === 0) throw await nothingToRead(workloadId, kind);
    await datasets.commitSnapshot(id, artifact, facts.records, facts);
    return { id, records: facts.records };
  }

  async function nothingToRead(workloadId: string, kind: SnapshotKind): Promise<NotEnoughRecordsError> {
    const since = kind === 'incremental' ? await datasets.watermark(workloadId) : null;
    return new NotEnoughRecordsError(
      since === null
        ? `There are no records of workload "${workloadId}" yet: send its calls through the gateway, or import them (flywheel import).`
        : `Workload "${workloadId}" has no record that is new since ${since}: wait for more traffic, or run without --incremental to read all of its records.`,
    );
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
      facts.toolsInferred ||= record.extra['tools_source'] === 'inferred';
      yield JSON.stringify(record);
    }
  }
}
