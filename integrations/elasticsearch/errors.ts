import { errors } from '@elastic/elasticsearch';
import {
  FlywheelError,
  InvalidInputError,
  RejectedError,
  UnavailableError,
  type UnavailableKind,
} from '../../domain/errors.ts';

/** What Elasticsearch says of an error: its type is a fixed word, its reason may quote a user's data. */
export interface Cause {
  readonly type?: string;
  readonly reason?: string | null;
}

/** Certificates that do not fit: no second attempt helps. */
const tlsTrouble =
  /certificate|self.signed|unable to verify|Server certificate CA fingerprint|ERR_TLS|wrong version number/i;

/**
 * The client's error as one of ours. Never with the client's own error as cause: it holds the request with
 * its records, and the connection with its key.
 */
export function toLogStoreError(error: unknown): Error {
  if (error instanceof FlywheelError) return error;
  if (error instanceof errors.ResponseError) return answered(error);
  if (error instanceof errors.TimeoutError) return unavailable('it did not answer in time', 'timeout');
  if (error instanceof errors.ConnectionError) return unreachable(error.message);
  if (error instanceof errors.ProductNotSupportedError) {
    return new InvalidInputError('What answers at ELASTICSEARCH_URL is not Elasticsearch 8 or 9.');
  }
  if (error instanceof errors.DeserializationError) return unavailable('its answer was cut short', 'failing');
  return error instanceof Error ? error : new Error(String(error));
}

function unreachable(message: string): FlywheelError {
  if (!tlsTrouble.test(message)) return unavailable(message, 'unreachable');
  return new InvalidInputError(
    `The log store's certificate is not trusted (${message}): set ELASTICSEARCH_CA_FILE or ` +
      'ELASTICSEARCH_CA_FINGERPRINT to the authority that signed it.',
  );
}

function answered(error: errors.ResponseError): FlywheelError {
  const status = error.statusCode ?? 0;
  const type = causeOf(error).type ?? `status ${status}`;
  if (status === 401 || status === 403) {
    return new InvalidInputError(
      `The log store (Elasticsearch) refuses the login (${type}): check ELASTICSEARCH_API_KEY and its rights: ` +
        'read, create_doc, maintenance and view_index_metadata on the records, read, write and maintenance on ' +
        '"<alias>-open-writes", and manage on both for the migration.',
    );
  }
  if (status === 404 && /index_not_found|alias/.test(type)) return notMigrated();
  if (isPassing(status)) return unavailable(type, status === 429 || status === 503 ? 'busy' : 'failing');
  if (isTooLarge(error)) {
    return new RejectedError(`The log store (Elasticsearch) refused: too large (${type}).`, { code: type });
  }
  return unusable(type);
}

/** The server's bound, or that of a proxy in front of it. */
export function isTooLarge(error: unknown): boolean {
  return error instanceof errors.ResponseError && error.statusCode === 413;
}

/** About the document itself, which no other time and no other index of ours would take. */
const documentFaults: readonly string[] = [
  'document_parsing_exception',
  'mapper_parsing_exception',
  'strict_dynamic_mapping_exception',
];
/** Lucene's words for a value beyond its bounds; all else of this type is about the index. */
const valueTooLarge = /^(Document contains at least one immense term|DocValuesField "[^"]*" is too large)/;

/**
 * Whether a bulk item failed for what its record says. Every other fault (a closed or blocked index, a right
 * that is missing, what a proxy answers) would befall any record: records wait for a person to mend it.
 */
export function isRecordFault(status: number, { type = '', reason }: Cause): boolean {
  if (status !== 400) return false;
  if (type === 'illegal_argument_exception') return valueTooLarge.test(reason ?? '');
  return documentFaults.includes(type);
}

export function notMigrated(): InvalidInputError {
  return new InvalidInputError(
    'The log store (Elasticsearch) has no index of ours: run `npm run db:migrate`, and check ' +
      'ELASTICSEARCH_INDEX.',
  );
}

export function unavailable(what: string, kind: UnavailableKind): UnavailableError {
  return new UnavailableError(`The log store (Elasticsearch) does not answer right now: ${what}.`, { kind });
}

/** Set up wrongly, or in no state to serve: a person has to mend it, and then it works. */
export function unusable(what: string): UnavailableError {
  return new UnavailableError(
    `The log store (Elasticsearch) cannot be used as it is: ${what}. Check ELASTICSEARCH_URL, what stands in ` +
      'front of it, and the state of its indices.',
    { kind: 'failing' },
  );
}

/** Too much at once, starting, or failing: another time it may work. */
export function isPassing(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** That a search's point in time is gone: it expired, or the server restarted. */
export function isPointInTimeLost(error: unknown): boolean {
  return (
    error instanceof errors.ResponseError && JSON.stringify(error.body).includes('search_context_missing')
  );
}

export function isConflict(error: unknown): boolean {
  return error instanceof errors.ResponseError && error.statusCode === 409;
}

/** The document is not there; a missing index is another matter. */
export function isMissing(error: unknown): boolean {
  return (
    error instanceof errors.ResponseError && error.statusCode === 404 && causeOf(error).type === undefined
  );
}

function causeOf(error: errors.ResponseError): Cause {
  const body: unknown = error.body;
  if (typeof body !== 'object' || body === null || !('error' in body)) return {};
  return typeof body.error === 'object' && body.error !== null ? body.error : {};
}

/** Runs a request with our errors. */
export async function guarded<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    throw toLogStoreError(error);
  }
}
