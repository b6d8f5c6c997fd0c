import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { commandFlags } from '../../config/command-flags.ts';
import { type Config, embeddedNemoPlatform } from '../../config/config.ts';
import { probeNemoPlatform } from '../../wiring/nemo-platform.ts';
import { openLineage } from '../../wiring/open-lineage.ts';
import { openLogStore } from '../../wiring/open-log-store.ts';
import { openProviderChecks } from '../../wiring/open-provider-checks.ts';
import { missingSearchAttributes } from '../../wiring/search-attributes.ts';
import { withTemporal } from '../services.ts';
import { addressesOf } from './addresses.ts';
import { nemoPlatformService } from './embedded-services.ts';
import { findRunningStack } from './home-claim.ts';

/** How one part of a configuration is: what `doctor` reports. */
export interface Health {
  readonly name: string;
  readonly address: string;
  readonly ok: boolean;
  /** What was found instead; null when all is well. */
  readonly problem: string | null;
  /** What to do about it; null when all is well. */
  readonly mend: string | null;
}

interface Check {
  readonly name: string;
  readonly address: string;
  /** Whether we start it ourselves, which settles how to mend it. */
  readonly embedded: boolean;
  /** The variable that names it, when it is not ours to start. */
  readonly variable?: string;
  /** Throws with what is wrong. */
  readonly probe: () => Promise<unknown>;
}

/** A worker writes its status every two seconds. */
const staleStatusMs = 10_000;

/** Asks every service that the configuration needs, all at once. */
export function checkHealth(config: Config): Promise<Health[]> {
  const { flywheel } = commandFlags(config);
  return Promise.all(checks(config).map((check) => toHealth(check, flywheel)));
}

function checks(config: Config): Check[] {
  const addresses = addressesOf(config);
  const { temporal, database, logStore, modelServer } = config;
  const ours = { embedded: true };
  const platform = platformOf(config);
  return [
    {
      name: 'temporal',
      address: addresses.temporal,
      embedded: temporal.embedded,
      variable: 'TEMPORAL_ADDRESS',
      probe: () => probeTemporal(config),
    },
    {
      name: 'database',
      address: addresses.database,
      embedded: database.embedded,
      variable: 'DATABASE_URL',
      probe: () => probeLineage(config),
    },
    {
      name: 'log-store',
      address: addresses.elasticsearch ?? addresses.database,
      embedded: logStore.kind === 'elasticsearch' ? logStore.embedded : database.embedded,
      variable: logStore.kind === 'elasticsearch' ? 'ELASTICSEARCH_URL' : 'DATABASE_URL',
      probe: () => probeLogStore(config),
    },
    {
      name: 'model-server',
      address: addresses.modelServer,
      embedded: modelServer.embedded,
      variable: 'MODEL_SERVER_URL',
      probe: () => probeHttp(`${modelServer.url}/health`),
    },
    ...(platform
      ? [
          {
            name: 'nemo-platform',
            address: platform.url,
            ...ours,
            probe: () => probeNemoPlatform(platform),
          },
        ]
      : []),
    ...config.candidates.map((candidate) => ({
      name: `candidate ${candidate.name}`,
      address: `${candidate.model} at ${candidate.provider}`,
      embedded: modelServer.embedded && candidate.provider === 'local',
      variable: `provider "${candidate.provider}" in candidates.yaml`,
      probe: () => probeModel(config, candidate),
    })),
    { name: 'gateway', address: addresses.gateway, ...ours, probe: () => probeGateway(config) },
    ...['workflow-worker', 'activity-worker'].map((name) => ({
      name,
      address: join(config.home, 'workers', `${name}.json`),
      ...ours,
      probe: () => probeWorker(config, name),
    })),
  ];
}

/** Also one that the running stack was given by a flag, of which this terminal knows nothing. */
function platformOf({ nemoPlatform, home }: Config): Config['nemoPlatform'] {
  if (nemoPlatform) return nemoPlatform;
  const running = findRunningStack(home);
  return running?.services[nemoPlatformService] ? embeddedNemoPlatform(running.portOffset) : null;
}

async function toHealth({ name, address, embedded, variable, probe }: Check, flags: string): Promise<Health> {
  try {
    await probe();
    return { name, address, ok: true, problem: null, mend: null };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    const mend = embedded
      ? `Start the stack by \`npx flywheel dev${flags}\`; if it runs, its log in <home>/logs says more.`
      : `Start that server, or correct ${variable}.`;
    return { name, address, ok: false, problem, mend };
  }
}

async function probeTemporal(config: Config): Promise<void> {
  const { namespace } = config.temporal;
  await withTemporal(config, async ({ connection }) => {
    await connection.workflowService.describeNamespace({ namespace });
    const missing = await missingSearchAttributes(connection, namespace);
    if (missing && missing.names.length > 0) {
      throw new Error(`namespace "${namespace}" lacks the search attributes ${missing.names.join(', ')}`);
    }
  });
}

async function probeLineage(config: Config): Promise<void> {
  const lineage = openLineage(config);
  try {
    await lineage.ping();
  } finally {
    await lineage.close();
  }
}

async function probeLogStore(config: Config): Promise<void> {
  const logStore = openLogStore(config);
  try {
    await logStore.ping();
  } finally {
    await logStore.close();
  }
}

/** Served, or deployed as soon as a run needs it: the first of what `candidates check` asks for. */
async function probeModel(config: Config, { provider, model }: Config['candidates'][number]): Promise<void> {
  const [serving] = openProviderChecks(config)(provider).serving(model, { adapters: false });
  await serving?.ask();
}

async function probeGateway(config: Config): Promise<void> {
  const reply = await probeHttp(`${config.gateway.url}/ready`);
  const { status } = (await reply.json()) as { status: string };
  if (status !== 'ready') throw new Error(`it is ${status}: see ${config.gateway.url}/ready`);
}

async function probeHttp(url: string): Promise<Response> {
  const reply = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => {
    throw new Error('it does not answer');
  });
  if (!reply.ok) throw new Error(`${url} answers with status ${reply.status}`);
  return reply;
}

async function probeWorker(config: Config, name: string): Promise<void> {
  const text = await readFile(join(config.home, 'workers', `${name}.json`), 'utf8').catch(() => null);
  if (text === null) throw new Error('it does not run');
  const { ready, updatedAt } = JSON.parse(text) as { ready: boolean; updatedAt: string };
  const silentMs = Date.now() - Date.parse(updatedAt);
  if (silentMs > staleStatusMs) throw new Error(`it has said nothing for ${Math.round(silentMs / 1000)} s`);
  if (!ready) throw new Error('it is starting, or cannot reach Temporal');
}
