import type { Client } from '@temporalio/client';
import type { Config } from '../config/config.ts';
import { UnavailableError } from '../domain/errors.ts';

/** Temporal for a server that runs for long: connected when first asked for, and again after it was lost. */
export interface WorkflowClient {
  connected(): Promise<Client>;
  close(): Promise<void>;
}

/** How long Temporal gets to accept the connection, while a person waits for an answer. */
const connectTimeoutMs = 5_000;

export function openWorkflowClient(config: Pick<Config, 'temporal'>): WorkflowClient {
  let client: Promise<Client> | null = null;
  return {
    connected() {
      client ??= connect(config).catch((cause: unknown) => {
        client = null;
        throw new UnavailableError(`Temporal at ${config.temporal.address} does not answer.`, { cause });
      });
      return client;
    },
    async close() {
      const open = await client?.catch(() => null);
      await open?.connection.close();
    },
  };
}

async function connect(config: Pick<Config, 'temporal'>): Promise<Client> {
  // Loaded when first needed: most gateways only ever pass calls on.
  const [{ Client, Connection }, { temporalConnection }] = await Promise.all([
    import('@temporalio/client'),
    import('./temporal-connection.ts'),
  ]);
  const { connectionOptions, namespace } = temporalConnection(config);
  const connection = await Connection.connect({ ...connectionOptions, connectTimeout: connectTimeoutMs });
  return new Client({ connection, namespace });
}
