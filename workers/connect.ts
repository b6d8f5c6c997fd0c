import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger, NativeConnection } from '@temporalio/worker';
import type { Config } from '../config/config.ts';
import { isUnknownNamespace, missingSearchAttributes } from '../wiring/search-attributes.ts';
import { temporalConnection } from '../wiring/temporal-connection.ts';

/** A server that starts with us needs seconds; one that restarts, a minute. */
const patienceMs = 120_000;

/** Connects, waiting for a server that is just starting, and checks that it can run our workflows. */
export async function connectWorker(
  config: Pick<Config, 'temporal'>,
  logger: Logger,
): Promise<NativeConnection> {
  const { connectionOptions, namespace } = temporalConnection(config);
  const deadline = Date.now() + patienceMs;
  for (;;) {
    try {
      const connection = await NativeConnection.connect(connectionOptions);
      await checkSearchAttributes(connection, namespace, logger);
      return connection;
    } catch (error) {
      if (error instanceof UnusableNamespace || Date.now() > deadline) throw error;
      // Ours makes its namespace a moment after it answers; nobody makes that of another.
      if (isUnknownNamespace(error) && !config.temporal.embedded) throw unknownNamespace(config, error);
      logger.info('waiting for Temporal', { address: connectionOptions.address });
      await sleep(1_000);
    }
  }
}

/** Waiting does not help: somebody has to set the namespace up. */
class UnusableNamespace extends Error {
  override readonly name = 'UnusableNamespace';
}

function unknownNamespace({ temporal }: Pick<Config, 'temporal'>, cause: unknown): UnusableNamespace {
  const { address, namespace } = temporal;
  return new UnusableNamespace(
    `Temporal at ${address} has no namespace "${namespace}" (TEMPORAL_NAMESPACE). Create it and start again:\n` +
      `temporal operator namespace create --address ${address} --namespace ${namespace} --retention 30d`,
    { cause },
  );
}

/** An unknown attribute would leave a workflow hanging in mid-run. */
async function checkSearchAttributes(
  connection: NativeConnection,
  namespace: string,
  logger: Logger,
): Promise<void> {
  const missing = await missingSearchAttributes(connection, namespace);
  if (missing === null) logger.warn('search attributes cannot be checked on this server', { namespace });
  else if (missing.names.length > 0) {
    throw new UnusableNamespace(
      `Temporal’s namespace "${namespace}" lacks search attributes that the workflows set. Create them and start again:\n${missing.commands.join('\n')}`,
    );
  }
}
