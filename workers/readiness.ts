import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Worker } from '@temporalio/worker';

const everyMs = 2_000;

/** What a worker process says about itself in `<home>/workers/<name>.json`, every two seconds. */
export interface WorkerStatus {
  readonly name: string;
  readonly pid: number;
  /** RFC 3339, UTC. Older than ten seconds: the process hangs or is gone. */
  readonly updatedAt: string;
  readonly ready: boolean;
  readonly queues: readonly {
    readonly taskQueue: string;
    readonly state: string;
    readonly inFlight: number;
  }[];
}

/** A file rather than a port: nothing to collide, nothing to open to the network. Returns how to stop. */
export function reportReadiness(home: string, name: string, workers: readonly Worker[]): () => void {
  const folder = join(home, 'workers');
  const file = join(folder, `${name}.json`);
  mkdirSync(folder, { recursive: true });
  const report = () => {
    const status = statusOf(name, workers);
    // Whole or not at all: somebody reads it while we write.
    writeFileSync(`${file}.new`, JSON.stringify(status));
    renameSync(`${file}.new`, file);
  };
  report();
  // Soon after the start the pollers are up; the first report was too early to say so.
  const soon = setTimeout(report, 300);
  const timer = setInterval(report, everyMs);
  return () => {
    clearTimeout(soon);
    clearInterval(timer);
    rmSync(file, { force: true });
  };
}

function statusOf(name: string, workers: readonly Worker[]): WorkerStatus {
  const queues = workers.map((worker) => {
    const { runState, numInFlightActivities, numInFlightWorkflowActivations } = worker.getStatus();
    const inFlight = numInFlightActivities + numInFlightWorkflowActivations;
    return { taskQueue: worker.options.taskQueue, state: runState, inFlight };
  });
  const ready = queues.every((queue) => queue.state === 'RUNNING');
  return { name, pid: process.pid, updatedAt: new Date().toISOString(), ready, queues };
}
