import { readFile, stat, truncate } from 'node:fs/promises';
import { UnavailableError } from '../../../domain/errors.ts';

/** Enough for weeks of requests. */
const maxLogBytes = 10_000_000;

/** A service's log is emptied at a start that finds it long. */
export async function emptyLongLog(logFile: string): Promise<void> {
  if (((await stat(logFile).catch(() => null))?.size ?? 0) > maxLogBytes) await truncate(logFile);
}

/** Why a service did not come up, with the end of its log; any other error is handed on as it is. */
export async function withEndOfLog(logFile: string, error: unknown): Promise<unknown> {
  if (!(error instanceof UnavailableError)) return error;
  const log = await readFile(logFile, 'utf8').catch(() => '');
  const end = log.trimEnd().split('\n').slice(-15).join('\n');
  return new UnavailableError(`${error.message} The end of ${logFile}:\n${end}`);
}
