import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger, NativeConnection } from '@temporalio/worker';
import type { Config } from '../config/config.ts';
import { temporalConnection } from '../wiring/temporal-connection.ts';
import { searchAttributeTypes } from '../workflows/search-attributes.ts';

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
      if (error instanceof MissingSearchAttributes || Date.now() > deadline) throw error;
      logger.info('waiting for Temporal', { address: connectionOptions.address });
      await sleep(1_000);
    }
  }
}

/** An unknown attribute would leave a workflow hanging in mid-run. */
class MissingSearchAttributes extends Error {
  override readonly name = 'MissingSearchAttributes';
}

async function checkSearchAttributes(
  connection: NativeConnection,
  namespace: string,
  logger: Logger,
): Promise<void> {
  let known: Record<string, unknown>;
  try {
    known = (await connection.operatorService.listSearchAttributes({ namespace })).customAttributes;
  } catch (error) {
    // Temporal Cloud has no operator service, and then there is nothing that we could check with.
    if (!isUnimplemented(error)) throw error;
    logger.warn('search attributes cannot be checked on this server', { namespace });
    return;
  }
  const missing = Object.entries(searchAttributeTypes).filter(([name]) => !(name in known));
  if (missing.length === 0) return;
  const commands = missing.map(
    ([name, type]) =>
      `temporal operator search-attribute create --namespace ${namespace} --name ${name} --type ${type}`,
  );
  throw new MissingSearchAttributes(
    `Temporal’s namespace "${namespace}" lacks search attributes that the workflows set. Create them and start again:\n${commands.join('\n')}`,
  );
}

function isUnimplemented(error: unknown): boolean {
  const [unimplemented, permissionDenied] = [12, 7];
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  return code === unimplemented || code === permissionDenied;
}
