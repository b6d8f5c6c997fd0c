import { z } from 'zod';
import { defaultCuration } from '../domain/experiments/defaults.ts';
import { unknownWord } from './nearest.ts';

const url = z.url({ protocol: /^https?$/, error: 'must be a URL such as http://127.0.0.1:8090' });
const port = z.coerce.number().int().min(1).max(65_535);
const address = z
  .string()
  .regex(/^[^\s:/]+:\d+$|^\[[^\]]+\]:\d+$/, 'must be host:port, such as 127.0.0.1:7233, without http://');
const databaseUrl = z.url({
  protocol: /^postgres(ql)?$/,
  error: 'must be a URL such as postgres://user:password@127.0.0.1:5432/flywheel',
});
const share = z.coerce.number().gt(0).lt(1);

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `30s`, `10m`, `12h`, `7d`, as milliseconds. */
const duration = z
  .string()
  .regex(/^\d+(ms|s|m|h|d)$/, 'must be a number with a unit, such as 30s, 10m, 12h or 7d')
  .transform((text) => Number.parseInt(text, 10) * (unitMs[text.replace(/^\d+/, '')] ?? 1));

const logStoreKinds = ['postgres', 'elasticsearch'] as const;

/** What starts so is read by the embedded model server itself (model-server/model_server/settings.py). */
const modelServerPrefix = 'FLYWHEEL_MODEL_SERVER_';

/** Every variable that Flywheel reads; `.env.example` says what each is for. */
export const Environment = z.object({
  FLYWHEEL_HOME: z.string().optional(),
  /** `1` shows the stack trace of an error (cli/command.ts). */
  FLYWHEEL_DEBUG: z.string().optional(),
  FLYWHEEL_PORT_OFFSET: z.coerce.number().int().min(0).max(50_000).optional(),
  FLYWHEEL_CACHE: z.string().optional(),
  FLYWHEEL_PYTHON: z.string().optional(),
  FLYWHEEL_CANDIDATES: z.string().optional(),
  FLYWHEEL_WORKLOADS: z.string().optional(),
  FLYWHEEL_GATEWAY_HOST: z.string().default('127.0.0.1'),
  FLYWHEEL_GATEWAY_PORT: port.optional(),
  FLYWHEEL_TOKENS_FILE: z.string().optional(),
  FLYWHEEL_GATEWAY_TOKEN: z.string().min(20, 'must have 20 characters or more').optional(),
  FLYWHEEL_RATE_LIMIT: z.coerce.number().positive().optional(),
  FLYWHEEL_MAX_BODY_BYTES: z.coerce
    .number()
    .int()
    .min(1024)
    .default(32 * 1024 * 1024),
  FLYWHEEL_UPSTREAM_URL: url.optional(),
  FLYWHEEL_UPSTREAM_API_KEY: z.string().optional(),
  /** As long as OpenAI's own clients wait. */
  FLYWHEEL_UPSTREAM_TIMEOUT: duration.prefault('10m'),
  FLYWHEEL_SPOOL_MAX_BYTES: z.coerce
    .number()
    .int()
    .min(0)
    .default(64 * 1024 * 1024),
  FLYWHEEL_MIN_RECORDS: z.coerce.number().int().min(3).default(defaultCuration.minRecords),
  FLYWHEEL_VALIDATION_SHARE: share.default(defaultCuration.validationShare),
  FLYWHEEL_GATE_TTL: duration.prefault('7d'),
  FLYWHEEL_GATE_REMIND: duration.prefault('1d'),
  FLYWHEEL_EVALUATION_CONCURRENCY: z.coerce.number().int().min(1).max(256).default(4),
  FLYWHEEL_ITEM_TIMEOUT: duration.prefault('60s'),
  /** A day: who watches a new model decides by then. */
  FLYWHEEL_RETIREMENT_GRACE: duration.prefault('1d'),
  TEMPORAL_ADDRESS: address.optional(),
  TEMPORAL_NAMESPACE: z.string().optional(),
  TEMPORAL_UI_URL: url.optional(),
  DATABASE_URL: databaseUrl.optional(),
  MODEL_SERVER_URL: url.optional(),
  /** A platform that the embedded stack runs beside the rest: NeMo Platform. */
  FLYWHEEL_PLATFORM: z.enum(['nemo'], 'must be nemo, or left out').optional(),
  /** Absent: Elasticsearch where ELASTICSEARCH_URL names one, else PostgreSQL. */
  FLYWHEEL_LOG_STORE: z.enum(logStoreKinds, 'must be postgres or elasticsearch').optional(),
  ELASTICSEARCH_URL: url.optional(),
  ELASTICSEARCH_API_KEY: z.string().optional(),
  ELASTICSEARCH_CA_FILE: z.string().optional(),
  ELASTICSEARCH_CA_FINGERPRINT: z
    .string()
    .regex(/^([0-9a-f]{2}:?){32}$/i, 'must be a SHA-256 in hex, with or without colons')
    .optional(),
  ELASTICSEARCH_INDEX: z
    .string()
    .regex(/^[a-z][a-z0-9._-]{0,99}$/, 'must be lower case: letters, digits, dots and dashes')
    .default('flywheel-records'),
  /** The embedded server's own list, instead of the models of candidates.yaml. */
  FLYWHEEL_MODEL_SERVER_MODELS: z.string().optional(),
});
export type Environment = z.infer<typeof Environment>;

type Variables = Readonly<Record<string, string | undefined>>;

/** Reads the variables, or says everything that is wrong with them. An empty variable is an absent one. */
export function readEnvironment(variables: Variables): {
  environment: Environment | null;
  problems: string[];
} {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value));
  const known = Object.keys(Environment.shape);
  const problems = Object.keys(given)
    .filter((name) => name.startsWith('FLYWHEEL_') && !name.startsWith(modelServerPrefix))
    .filter((name) => !known.includes(name))
    .map((name) => `environment: ${unknownWord('variable', name, known)}`);
  const parsed = Environment.safeParse(given);
  // The value itself is not repeated: it may be a secret.
  const invalid =
    parsed.error?.issues.map((issue) => `environment: ${issue.path.join('.')} ${issue.message}`) ?? [];
  return { environment: parsed.data ?? null, problems: [...problems, ...invalid] };
}
