import { setTimeout as sleep } from 'node:timers/promises';
import { cancelRun } from '../runs/cancel-run.ts';
import type { Demo } from './demo.ts';

/** A training job is stopped within seconds; somebody who pressed Ctrl-C does not wait longer than this. */
const patienceMs = 20_000;

/** Cancels the demo's run as it is interrupted, so that nothing goes on at the next start. Never throws. */
export async function stopOpenRun({ context, client, lineage }: Demo, runId: string): Promise<void> {
  const { signal, abort } = limited();
  const cancelled = cancelRun({ client, lineage, name: runId, signal, note: context.out.note });
  await Promise.race([cancelled.catch(() => undefined), sleep(patienceMs, undefined, { ref: false })]);
  abort();
}

function limited(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
