import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { inject } from 'vitest';
import { ownServices } from '../../../cli/dev/own-services.ts';
import type { RunningService, Service } from '../../../cli/dev/service.ts';
import { type Config, loadConfig } from '../../../config/config.ts';
import { parseRecord } from '../../../domain/records/parse.ts';
import { generateHelpDesk } from '../../../samples/help-desk/generate.ts';
import { type OpenLineage, openLineage } from '../../../wiring/open-lineage.ts';
import { openLogStore } from '../../../wiring/open-log-store.ts';
import { createTestDatabase } from '../../support/database.ts';
import { freePort } from '../../support/free-port.ts';
import { type CountingProxy, startCountingProxy } from './counting-proxy.ts';

/** Small and quick, for what is tested is not how well it learns; and one that trains for minutes. */
const candidates = `
candidates:
  - name: nano
    model: nano-1m
    lora: { epochs: 2, batch_size: 8, learning_rate: 3.0e-3 }
    max_tokens: 24
  - name: slow
    model: nano-1m
    strategies: [lora]
    lora: { epochs: 100, batch_size: 8, learning_rate: 3.0e-3 }
    max_tokens: 24
`;

/** A verdict there will be; which one is not the point. */
const workloads = `
default:
  threshold: 0.01
`;

export type WorkerName = 'activity worker' | 'workflow worker';

export interface Stack {
  readonly config: Config;
  /** What a command of the same stack needs to be started with. */
  readonly env: NodeJS.ProcessEnv;
  readonly client: Client;
  readonly lineage: OpenLineage;
  readonly modelServer: CountingProxy;
  /** Ends the process without a word, as a power cut would. */
  kill(name: WorkerName): Promise<void>;
  start(name: WorkerName): Promise<void>;
  /** Stores synthetic help-desk calls under the workload. */
  importTraffic(workloadId: string, records: number): Promise<void>;
  /** Ids of the fine-tuning jobs of a run that stand at the model server, with their status. */
  jobsOf(runId: string): Promise<{ id: string; status: string }[]>;
  stop(): Promise<void>;
}

/**
 * Real Temporal, PostgreSQL and model server; both workers and the gateway as processes of their own.
 * `settings` are more of Flywheel's variables, such as those of another log store; `files` replace what stands in
 * its home.
 */
export async function startStack(
  settings: Readonly<Record<string, string>> = {},
  files: { readonly candidates?: string; readonly workloads?: string } = {},
): Promise<Stack> {
  const home = await mkdtemp(join(tmpdir(), 'flywheel-e2e-'));
  const logsDir = join(home, 'logs');
  await mkdir(logsDir, { recursive: true });
  await writeFile(join(home, 'candidates.yaml'), files.candidates ?? candidates);
  await writeFile(join(home, 'workloads.yaml'), files.workloads ?? workloads);
  const database = await createTestDatabase();
  const modelServer = await startCountingProxy(inject('modelServerUrl'));
  const env = {
    ...process.env,
    FLYWHEEL_HOME: home,
    FLYWHEEL_CANDIDATES: join(home, 'candidates.yaml'),
    FLYWHEEL_GATEWAY_PORT: String(await freePort()),
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    DATABASE_URL: database.url,
    MODEL_SERVER_URL: modelServer.url,
    // A real upstream: it does not know the model that the gateway's probe names.
    FLYWHEEL_UPSTREAM_URL: `${modelServer.url}/v1`,
    ...settings,
  };
  const config = loadConfig({ env });
  const services = ownServices(config, env, logsDir);
  const running = new Map<string, RunningService>();
  await Promise.all(services.map((service) => startInto(running, service)));
  const connection = await Connection.connect({ address: config.temporal.address });
  const lineage = openLineage(config);
  return {
    config,
    env,
    lineage,
    modelServer,
    client: new Client({ connection, namespace: config.temporal.namespace }),
    async kill(name) {
      const worker = running.get(name);
      if (!worker) throw new Error(`no ${name} runs`);
      process.kill(worker.pid, 'SIGKILL');
      await worker.exited;
    },
    async start(name) {
      const service = services.find((one) => one.name === name);
      if (service) await startInto(running, service);
    },
    importTraffic: (workloadId, records) => importTraffic(config, workloadId, records),
    jobsOf: (runId) => jobsOf(inject('modelServerUrl'), runId),
    async stop() {
      await Promise.all([...running.values()].map((one) => one.stop()));
      await Promise.all([lineage.close(), connection.close(), modelServer.close()]);
      await database.drop();
      if (!process.env.KEEP_E2E) await rm(home, { recursive: true, force: true });
    },
  };
}

async function startInto(running: Map<string, RunningService>, service: Service): Promise<void> {
  running.set(service.name, await service.start(AbortSignal.timeout(120_000)));
}

async function importTraffic(config: Config, workloadId: string, records: number): Promise<void> {
  const logStore = openLogStore(config);
  const parsed = generateHelpDesk({ seed: 7, records }).map((row) =>
    parseRecord({ ...row, workload_id: workloadId }),
  );
  await logStore.append(parsed.flatMap((one) => (one.ok ? [one.record] : [])));
  await logStore.close();
}

async function jobsOf(modelServerUrl: string, runId: string): Promise<{ id: string; status: string }[]> {
  const reply = await fetch(`${modelServerUrl}/v1/fine_tuning/jobs?limit=100`);
  const { data } = (await reply.json()) as {
    data: { id: string; status: string; metadata?: Record<string, string> }[];
  };
  return data.filter((job) => Object.values(job.metadata ?? {}).some((value) => value.startsWith(runId)));
}
