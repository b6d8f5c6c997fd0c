import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Candidate } from '../domain/experiments/experiment.ts';
import type { Policies } from '../domain/policies/policy.ts';
import { type Catalog, readCatalog } from './catalog.ts';
import { ConfigError } from './config-error.ts';
import { deepFreeze } from './deep-freeze.ts';
import { embeddedDatabaseDir, embeddedDatabasePassword, embeddedDatabaseUrl } from './embedded-database.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { flywheelDialect } from './fine-tuning-dialects.ts';
import type { LocalModels } from './local-models.ts';
import { keepsToOwnServers, withoutNamedServers } from './own-servers.ts';
import { type PoliciesFile, readPolicies } from './policies.ts';
import { portProblems } from './ports.ts';
import type { Provider } from './provider.ts';

/** Everything that environment and files settle, read once, frozen. `embedded`: we start it ourselves. */
export interface Config {
  /** Absolute path of the folder that holds all state. */
  readonly home: string;
  readonly portOffset: number;
  readonly temporal: {
    /** `host:port`. TLS and API keys come from Temporal's own variables, through its envconfig. */
    readonly address: string;
    readonly namespace: string;
    readonly uiUrl: string | null;
    readonly embedded: boolean;
  };
  /** `url` holds the password: not for logs. */
  readonly database: { readonly url: string; readonly embedded: boolean };
  /** `postgres`: the log store shares the lineage's database. */
  readonly logStore:
    | { readonly kind: 'postgres' }
    | {
        readonly kind: 'elasticsearch';
        /** May hold a password: not for logs. */
        readonly url: string;
        readonly apiKey: string | null;
        readonly caFile: string | null;
        readonly caFingerprint: string | null;
        /** The alias that records are written and read by. */
        readonly index: string;
        readonly embedded: boolean;
      };
  readonly modelServer: {
    /** Root of the server, without `/v1`. */
    readonly url: string;
    readonly embedded: boolean;
    /** What an embedded one serves; null when the server is told by others. */
    readonly models: LocalModels | null;
  };
  /** The NeMo Platform that a stack runs beside the rest; null: none. Those of others are providers. */
  readonly nemoPlatform: {
    readonly url: string;
    /** Where the stack registers its models, and Flywheel makes what it makes. */
    readonly workspace: string;
  } | null;
  readonly gateway: {
    readonly host: string;
    readonly port: number;
    /** How clients on this machine reach it. */
    readonly url: string;
    /** Where traffic of a workload without a route goes. */
    readonly upstream: { readonly baseUrl: string; readonly apiKey: string | null } | null;
    readonly spoolDir: string;
    readonly spoolMaxBytes: number;
    /** Hashed tokens; none in it and a loopback host mean that no token is asked for. */
    readonly tokensFile: string;
    /** By which Flywheel's own processes ask the gateway; null until its first start on this home. */
    readonly ownToken: string | null;
    readonly ownTokenFile: string;
    /** Requests a minute of each client; null: no limit. */
    readonly rateLimit: number | null;
    readonly maxBodyBytes: number;
    /** Longest silence of a model, before its reply begins and between its pieces. */
    readonly upstreamTimeoutMs: number;
  };
  readonly artifactsDir: string;
  readonly providers: Readonly<Record<string, Provider>>;
  readonly candidates: readonly Candidate[];
  /** As they stood at the start; `wiring/open-policies.ts` follows the file. */
  readonly policies: Policies;
  readonly policiesFile: PoliciesFile;
  readonly defaults: {
    readonly minRecords: number;
    readonly validationShare: number;
    readonly gateTtlMs: number;
    readonly gateRemindMs: number;
    readonly evaluationConcurrency: number;
    readonly itemTimeoutMs: number;
    /** How long a model that a route has left stays deployed. */
    readonly retirementGraceMs: number;
  };
}

type Variables = Readonly<Record<string, string | undefined>>;

export interface LoadOptions {
  /** Wins over FLYWHEEL_HOME. */
  readonly home?: string;
  /** Wins over FLYWHEEL_PORT_OFFSET. */
  readonly portOffset?: number;
  /** Instead of the process's environment and the `.env` file. */
  readonly env?: Variables;
}

/** Ports of the embedded stack before the offset. */
export const basePorts = {
  temporal: 7233,
  temporalUi: 8233,
  postgres: 5439,
  elasticsearch: 9207,
  modelServer: 8090,
  nemoPlatform: 8095,
  gateway: 8080,
} as const;

/** The folder of the clone. */
export const repositoryRoot = resolve(fileURLToPath(import.meta.url), '../..');

/** Where a stack at this offset runs its NeMo Platform, and what of it is the stack's. */
export function embeddedNemoPlatform(portOffset: number): NonNullable<Config['nemoPlatform']> {
  return { url: `http://127.0.0.1:${basePorts.nemoPlatform + portOffset}`, workspace: 'flywheel' };
}

/** Reads environment, `candidates.yaml` and `workloads.yaml`. Throws `ConfigError` with every problem found. */
export function loadConfig(options: LoadOptions = {}): Config {
  const given = options.env ?? processEnvironment();
  const home = resolve(options.home ?? (given['FLYWHEEL_HOME'] || join(repositoryRoot, '.flywheel')));
  const variables = keepsToOwnServers(home) ? withoutNamedServers(given) : given;
  const { environment, problems } = readEnvironment(variables);
  const file = resolve(repositoryRoot, variables['FLYWHEEL_CANDIDATES'] || 'candidates.yaml');
  const catalog = readCatalog(file, variables);
  const policiesFile = findPoliciesFile(file, catalog, variables);
  // Without candidates every name in it would be called unknown.
  const policies = readPolicies(policiesFile);
  const all = [...problems, ...catalog.problems, ...(catalog.candidates.length > 0 ? policies.problems : [])];
  if (environment === null || all.length > 0) throw new ConfigError(all);
  const portOffset = options.portOffset ?? environment.FLYWHEEL_PORT_OFFSET ?? 0;
  const gatewayPort = environment.FLYWHEEL_GATEWAY_PORT ?? basePorts.gateway;
  const unusable = portProblems({ ...basePorts, gateway: gatewayPort }, portOffset);
  if (unusable.length > 0) throw new ConfigError(unusable);
  const assembled = assemble(environment, { home, portOffset }, catalog);
  return deepFreeze({ ...assembled, policies: policies.policies, policiesFile });
}

/** Beside `candidates.yaml`, unless FLYWHEEL_WORKLOADS names another. */
function findPoliciesFile(
  candidatesFile: string,
  { candidates, providers }: Catalog,
  variables: Variables,
): PoliciesFile {
  const named = variables['FLYWHEEL_WORKLOADS'];
  const path = named ? resolve(repositoryRoot, named) : join(dirname(candidatesFile), 'workloads.yaml');
  return {
    path,
    // One that was there when we started and goes is a mistake, not the wish for no approvers and no redaction.
    required: Boolean(named) || existsSync(path),
    candidates: candidates.map(({ name }) => name),
    providers: ['local', ...Object.keys(providers)],
    guardrailProviders: Object.entries(providers)
      .filter(([, { kind }]) => kind === 'nemo-platform')
      .map(([name]) => name),
  };
}

/**
 * With `.env` at the root of the clone filled in, where real variables win. It is loaded into the process, for
 * child processes and Temporal's own reading of TEMPORAL_* to see it too.
 */
function processEnvironment(): NodeJS.ProcessEnv {
  const path = join(repositoryRoot, '.env');
  if (existsSync(path)) process.loadEnvFile(path);
  return process.env;
}

function assemble(
  env: Environment,
  { home, portOffset }: { readonly home: string; readonly portOffset: number },
  catalog: Catalog,
): Omit<Config, 'policies' | 'policiesFile'> {
  const local = (port: number) => `127.0.0.1:${port + portOffset}`;
  const modelServerUrl = (env.MODEL_SERVER_URL ?? `http://${local(basePorts.modelServer)}`).replace(
    /\/(v1\/?)?$/,
    '',
  );
  return {
    home,
    portOffset,
    temporal: {
      address: env.TEMPORAL_ADDRESS ?? local(basePorts.temporal),
      namespace: env.TEMPORAL_NAMESPACE ?? 'default',
      // The embedded server's own listens where the offset puts it, whatever a variable says of another.
      uiUrl: env.TEMPORAL_ADDRESS ? (env.TEMPORAL_UI_URL ?? null) : `http://${local(basePorts.temporalUi)}`,
      embedded: env.TEMPORAL_ADDRESS === undefined,
    },
    database: database(env, home, local(basePorts.postgres)),
    logStore: logStore(env, local(basePorts.elasticsearch)),
    modelServer: modelServer(env, modelServerUrl, catalog),
    nemoPlatform: env.FLYWHEEL_PLATFORM === 'nemo' ? embeddedNemoPlatform(portOffset) : null,
    gateway: gateway(env, home, portOffset),
    artifactsDir: join(home, 'artifacts'),
    providers: {
      local: {
        ...{ kind: 'openai', baseUrl: `${modelServerUrl}/v1`, apiKey: null },
        ...{ fineTuning: true, dialect: flywheelDialect },
      },
      ...catalog.providers,
    },
    candidates: catalog.candidates,
    defaults: {
      minRecords: env.FLYWHEEL_MIN_RECORDS,
      validationShare: env.FLYWHEEL_VALIDATION_SHARE,
      gateTtlMs: env.FLYWHEEL_GATE_TTL,
      gateRemindMs: env.FLYWHEEL_GATE_REMIND,
      evaluationConcurrency: env.FLYWHEEL_EVALUATION_CONCURRENCY,
      itemTimeoutMs: env.FLYWHEEL_ITEM_TIMEOUT,
      retirementGraceMs: env.FLYWHEEL_RETIREMENT_GRACE,
    },
  };
}

function modelServer(env: Environment, url: string, { localModels }: Catalog): Config['modelServer'] {
  const embedded = env.MODEL_SERVER_URL === undefined;
  // The operator's own list wins whole; the server reads it itself.
  const models = embedded && env.FLYWHEEL_MODEL_SERVER_MODELS === undefined ? localModels : null;
  return { url, embedded, models };
}

/**
 * The embedded PostgreSQL makes its password at its first start, which may come after this: hence read when
 * asked for.
 */
function database({ DATABASE_URL: url }: Environment, home: string, address: string): Config['database'] {
  if (url !== undefined) return { url, embedded: false };
  const dir = embeddedDatabaseDir(home);
  return {
    get url() {
      return embeddedDatabaseUrl(address, embeddedDatabasePassword(dir) ?? '');
    },
    embedded: true,
  };
}

/** A server that is named is used, unless PostgreSQL is asked for by name. */
function logStore(env: Environment, address: string): Config['logStore'] {
  const { ELASTICSEARCH_URL: url } = env;
  if ((env.FLYWHEEL_LOG_STORE ?? (url ? 'elasticsearch' : 'postgres')) === 'postgres')
    return { kind: 'postgres' };
  return {
    kind: 'elasticsearch',
    url: url ?? `http://${address}`,
    apiKey: env.ELASTICSEARCH_API_KEY ?? null,
    caFile: env.ELASTICSEARCH_CA_FILE ?? null,
    caFingerprint: env.ELASTICSEARCH_CA_FINGERPRINT ?? null,
    index: env.ELASTICSEARCH_INDEX,
    embedded: url === undefined,
  };
}

function gateway(env: Environment, home: string, portOffset: number): Config['gateway'] {
  const host = env.FLYWHEEL_GATEWAY_HOST;
  // A port that is named moves with the others: two stacks with one .env would else meet on it.
  const port = (env.FLYWHEEL_GATEWAY_PORT ?? basePorts.gateway) + portOffset;
  // A wildcard is an address to listen on, not one to connect to.
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  const ownTokenFile = join(home, 'gateway', 'token');
  return {
    host,
    port,
    url: `http://${reachable}:${port}`,
    upstream: env.FLYWHEEL_UPSTREAM_URL
      ? { baseUrl: env.FLYWHEEL_UPSTREAM_URL, apiKey: env.FLYWHEEL_UPSTREAM_API_KEY ?? null }
      : null,
    spoolDir: join(home, 'spool'),
    spoolMaxBytes: env.FLYWHEEL_SPOOL_MAX_BYTES,
    tokensFile: resolve(env.FLYWHEEL_TOKENS_FILE ?? join(home, 'tokens.json')),
    // Made at the gateway's first start, which may come after this: hence read when asked for.
    get ownToken() {
      return env.FLYWHEEL_GATEWAY_TOKEN ?? readLine(ownTokenFile);
    },
    ownTokenFile,
    rateLimit: env.FLYWHEEL_RATE_LIMIT ?? null,
    maxBodyBytes: env.FLYWHEEL_MAX_BODY_BYTES,
    upstreamTimeoutMs: env.FLYWHEEL_UPSTREAM_TIMEOUT,
  };
}

function readLine(file: string): string | null {
  return existsSync(file) ? readFileSync(file, 'utf8').trim() || null : null;
}
