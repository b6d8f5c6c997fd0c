import { setImmediate } from 'node:timers/promises';
import { cancellationSignal } from '@temporalio/activity';
import { curate } from '../domain/datasets/curate.ts';
import type { DatasetFiles, DatasetSummary, Example, SplitName } from '../domain/datasets/dataset.ts';
import { splitNames } from '../domain/datasets/dataset.ts';
import { trainingRow } from '../domain/datasets/training-row.ts';
import { NotFoundError } from '../domain/errors.ts';
import { canonicalJson } from '../domain/hash.ts';
import { datasetId, snapshotId } from '../domain/ids.ts';
import type { StoredRecord } from '../domain/records/record.ts';
import { keepAlive } from './keep-alive.ts';
import type { RunPlan } from './plan-run.ts';
import type { ArtifactStore } from './ports/artifact-store.ts';
import type { Lineage } from './ports/lineage.ts';
import { readFeedback } from './read-feedback.ts';

export interface CurateDatasetPorts {
  readonly artifacts: Pick<ArtifactStore, 'putLines' | 'putText' | 'readLines'>;
  readonly lineage: {
    readonly runs: Pick<Lineage['runs'], 'setStage'>;
    readonly datasets: Pick<Lineage['datasets'], 'openSnapshot' | 'commit' | 'get'>;
    readonly feedback: Pick<Lineage['feedback'], 'list'>;
  };
}

/** What curation needs of a plan. */
type CurationPlan = Pick<
  RunPlan,
  'runId' | 'workloadId' | 'seed' | 'snapshotKind' | 'evalSize' | 'minRecords' | 'validationShare'
> & { readonly policy?: Pick<RunPlan['policy'], 'redaction'> };

type Splits = Readonly<Record<SplitName, readonly Example[]>>;

/**
 * Makes the run's dataset of its snapshot and of what was said about its records until now. Once committed it is the
 * run's dataset for good: an attempt that follows gives that one, whatever has been said since.
 */
export function createCurateDataset({ artifacts, lineage }: CurateDatasetPorts) {
  async function curateDataset({ plan }: { plan: CurationPlan }): Promise<DatasetSummary> {
    const { runId, workloadId, seed, evalSize, validationShare, minRecords, snapshotKind, policy } = plan;
    await lineage.runs.setStage(runId, 'curation');
    const committed = await lineage.datasets.get(datasetId(runId)).catch(nullIfNotFound);
    if (committed) return committed.summary;
    const snapshot = await lineage.datasets.openSnapshot({
      id: snapshotId(runId),
      runId,
      workloadId,
      bound: '',
    });
    if (!snapshot.artifact) throw new Error(`snapshot ${snapshotId(runId)} is not committed`);
    const source = snapshot.artifact.uri;

    const progress = { read: 0 };
    return keepAlive(
      () => ({ ...progress }),
      async () => {
        const feedback = await readFeedback(
          lineage.feedback,
          toRecords(artifacts.readLines(source), { read: 0 }),
        );
        const records = toRecords(artifacts.readLines(source), progress);
        const options = {
          feedback,
          seed,
          validationShare,
          minRecords,
          ...(policy && { redaction: policy.redaction }),
          ...(evalSize === undefined ? {} : { evalSize }),
        };
        const { splits, dropped, manifest, hash } = await curate(records, options, rest);
        const files = await store(splits, canonicalJson(manifest));
        const summary = { id: datasetId(runId), hash, splits: sizes(splits), dropped };
        const dataset = { summary, runId, workloadId, snapshotId: snapshotId(runId), seed, files };
        await lineage.datasets.commit(
          dataset,
          membership(splits),
          snapshotKind === 'incremental' ? recordIds(artifacts.readLines(source)) : [],
        );
        return summary;
      },
    );
  }

  async function store(splits: Splits, manifest: string): Promise<DatasetFiles> {
    return {
      manifest: await artifacts.putText(manifest),
      train: await artifacts.putLines(mapLines(splits.train, trainingRow)),
      validation: await artifacts.putLines(mapLines(splits.validation, trainingRow)),
      trainExamples: await artifacts.putLines(mapLines(splits.train, (example) => example)),
      eval: await artifacts.putLines(mapLines(splits.eval, (example) => example)),
    };
  }

  return { curateDataset };
}

/** Lets the heartbeat out and a cancellation in: seconds of bare computing would else look like a dead worker. */
async function rest(): Promise<void> {
  await setImmediate();
  cancellationSignal().throwIfAborted();
}

function nullIfNotFound(error: unknown): null {
  if (error instanceof NotFoundError) return null;
  throw error;
}

/** Of the whole snapshot: what curation left out is taken as well, or it would come again every time. */
async function* recordIds(lines: AsyncIterable<string>): AsyncGenerator<string> {
  const signal = cancellationSignal();
  for await (const line of lines) {
    signal.throwIfAborted();
    yield (JSON.parse(line) as StoredRecord).id;
  }
}

async function* toRecords(
  lines: AsyncIterable<string>,
  progress: { read: number },
): AsyncGenerator<StoredRecord> {
  const signal = cancellationSignal();
  for await (const line of lines) {
    signal.throwIfAborted();
    progress.read += 1;
    yield JSON.parse(line) as StoredRecord;
  }
}

function* mapLines<T>(items: readonly T[], toRow: (item: T) => unknown): Generator<string> {
  for (const item of items) yield JSON.stringify(toRow(item));
}

function* membership(splits: Splits): Generator<{ recordId: string; split: SplitName }> {
  for (const split of splitNames) {
    for (const { recordId } of splits[split]) yield { recordId, split };
  }
}

function sizes(splits: Splits): Record<SplitName, number> {
  return { train: splits.train.length, validation: splits.validation.length, eval: splits.eval.length };
}
