import type { Config } from '../config/config.ts';
import { CommandError } from './command-error.ts';
import { withLogStore } from './services.ts';

/** A typing mistake should be told at once, with the names that there are. */
export async function requireWorkload(config: Config, workload: string): Promise<void> {
  const known = await withLogStore(config, (logStore) => logStore.workloads());
  if (known.some(({ workloadId }) => workloadId === workload)) return;
  const names = known.map(({ workloadId }) => workloadId).join(', ') || 'none yet';
  throw new CommandError(`No record of a workload "${workload}" is in the log store (there: ${names}).`, {
    code: 'not_found',
    next: (hint) => `Send traffic with x-workload-id: ${workload}, or see \`${hint('import --help')}\`.`,
  });
}
