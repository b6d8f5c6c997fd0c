import { readFileSync } from 'node:fs';
import { Client, type ClientOptions } from '@elastic/elasticsearch';
import { InvalidInputError } from '../../domain/errors.ts';

/** How to reach an Elasticsearch 8 or 9, and which index is ours there. */
export interface ElasticsearchSettings {
  /** `https://host:9200`; may hold `user:password@`, which an API key wins over. */
  readonly url: string;
  /** Base64, as Elasticsearch gives it out (`encoded`). */
  readonly apiKey?: string | null;
  /** PEM file of the authority that signed the server's certificate; the system's authorities when absent. */
  readonly caFile?: string | null;
  /** SHA-256 of that authority's certificate, in hex, instead of the file. */
  readonly caFingerprint?: string | null;
  /** The alias that records are written and read by. */
  readonly index: string;
}

/** The longest that one request may take; an open write is thought dead well after it (open-writes.ts). */
export const requestTimeoutMs = 30_000;

export interface Store {
  readonly client: Client;
  readonly index: string;
}

/** Connects on first use. Nothing is retried here: who asks knows what a second time would mean. */
export function openStore(settings: ElasticsearchSettings): Store {
  if (!URL.canParse(settings.url)) {
    throw new InvalidInputError('ELASTICSEARCH_URL is not an address such as https://host:9200.');
  }
  const client = new Client({
    node: settings.url,
    requestTimeout: requestTimeoutMs,
    maxRetries: 0,
    ...authOf(settings),
    ...tlsOf(settings),
  });
  return { client, index: settings.index };
}

function authOf({ url, apiKey }: ElasticsearchSettings): Pick<ClientOptions, 'auth'> {
  const { username, password } = new URL(url);
  if (apiKey) return { auth: { apiKey } };
  if (!username) return {};
  return { auth: { username: decodeURIComponent(username), password: decodeURIComponent(password) } };
}

function tlsOf({ caFile, caFingerprint }: ElasticsearchSettings): ClientOptions {
  const pinned = caFingerprint ? { caFingerprint } : {};
  if (caFile) return { tls: { ca: readCa(caFile) }, ...pinned };
  // No authority to check against: the client compares the fingerprint before it sends anything.
  return caFingerprint ? { tls: { rejectUnauthorized: false }, ...pinned } : {};
}

function readCa(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new InvalidInputError(
      `The certificate file ${path} (ELASTICSEARCH_CA_FILE) cannot be read: give the path of a PEM file.`,
      { cause },
    );
  }
}
