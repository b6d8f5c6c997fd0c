import { log } from '@temporalio/activity';
import type { DatasetFiles } from '../domain/datasets/dataset.ts';
import { RejectedError } from '../domain/errors.ts';
import type { SetAsideSummary } from '../domain/experiments/set-aside.ts';
import type { ArtifactStore } from './ports/artifact-store.ts';
import type { SetAsideRow, Trainer, TrainingJob } from './ports/trainer.ts';

export type SetAsideArtifacts = Pick<ArtifactStore, 'readText' | 'putLines'>;

/**
 * The records that the job is not trained on, stored as a list; null where there are none, or where the trainer
 * does not tell. The job's own account: an attempt that adopts it finds the same.
 */
export async function findSetAside(
  { trainer, artifacts }: { readonly trainer: Trainer; readonly artifacts: SetAsideArtifacts },
  job: TrainingJob,
  files: Pick<DatasetFiles, 'manifest'>,
): Promise<SetAsideSummary | null> {
  const rows = (await trainer.setAside?.(job.id)) ?? [];
  if (rows.length === 0) return null;
  const recordOf = await recordsByLine(artifacts, files.manifest.uri);
  const list = await artifacts.putLines(
    rows.map(({ split, line, reason, detail }) =>
      JSON.stringify({ recordId: recordOf(split, line), split, reason, detail }),
    ),
  );
  const summary = {
    train: rows.filter(({ split }) => split === 'train').length,
    validation: rows.filter(({ split }) => split === 'validation').length,
    reasons: countReasons(rows),
    list,
  };
  log.info('Rows that the model cannot learn from are set aside', { jobId: job.id, ...summary.reasons });
  return summary;
}

/** Why a training of so few rows is not worth its price, to the trainer's own words. */
export function explainTooFew(error: unknown, baseModel: string): unknown {
  if (!(error instanceof RejectedError) || error.code !== 'too_many_unfit_rows') return error;
  const why =
    `Questions like these will be asked as well, and each counts as failed: ${baseModel} could not win, ` +
    'whatever it learned from the others. Choose a candidate with a longer context, or leave `lora` out.';
  return new RejectedError(`${error.message} ${why}`, { code: error.code });
}

/** A split's file has one row per record, in the order of the manifest's `recordIds`. */
async function recordsByLine(artifacts: SetAsideArtifacts, uri: string) {
  const manifest = JSON.parse(await artifacts.readText(uri)) as {
    readonly splits: Readonly<Record<SetAsideRow['split'], { readonly recordIds: readonly string[] }>>;
  };
  return (split: SetAsideRow['split'], line: number): string => {
    const recordId = manifest.splits[split].recordIds[line - 1];
    if (recordId !== undefined) return recordId;
    throw new RejectedError(`The trainer set line ${line} of ${split} aside, which has no such line.`);
  };
}

function countReasons(rows: readonly SetAsideRow[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { reason } of rows) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}
