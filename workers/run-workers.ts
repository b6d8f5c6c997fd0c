import { type Logger, type NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { type Config, loadConfig } from '../config/config.ts';
import { exitCodeOf } from '../config/config-error.ts';
import { temporalConnection } from '../wiring/temporal-connection.ts';
import { connectWorker } from './connect.ts';
import { installLogging } from './log.ts';
import { reportReadiness } from './readiness.ts';

export interface WorkerProcess {
  /** Options of each worker that this process runs, without its connection. */
  readonly workers: readonly (WorkerOptions & { readonly taskQueue: string })[];
  /** Called once all workers have stopped, or could not be started. */
  close?(): Promise<void>;
}

/**
 * The life of a worker process: configuration, connection, workers, readiness, and on TERM or INT a stop that
 * lets running activities end or hand over.
 */
export async function runWorkerProcess(
  name: string,
  prepare: (config: Config, logger: Logger) => Promise<WorkerProcess>,
): Promise<void> {
  const logger = installLogging(name);
  let connection: NativeConnection | null = null;
  let prepared: WorkerProcess | null = null;
  try {
    const config = loadConfig();
    connection = await connectWorker(config, logger);
    prepared = await prepare(config, logger);
    const { workers: options } = prepared;
    const { namespace } = temporalConnection(config);
    const workers: Worker[] = [];
    for (const option of options) workers.push(await Worker.create({ ...option, connection, namespace }));
    const stopReporting = reportReadiness(config.home, name, workers);
    logger.info('started', { taskQueues: options.map((option) => option.taskQueue), pid: process.pid });
    await runTogether(workers).finally(stopReporting);
    logger.info('stopped');
  } catch (error) {
    logger.error('failed', { error });
    process.exitCode = exitCodeOf(error);
  } finally {
    await prepared?.close?.();
    // The native runtime keeps the process alive; the last connection that closes ends it.
    if (connection) await connection.close();
    else await Runtime.instance().shutdown();
  }
}

/** One worker's end is the process's end: half a process would look alive and do half of the work. */
async function runTogether(workers: readonly Worker[]): Promise<void> {
  const runs = workers.map((worker) =>
    worker.run().finally(() => {
      for (const other of workers) if (other.getState() === 'RUNNING') other.shutdown();
    }),
  );
  await Promise.all(runs);
}
