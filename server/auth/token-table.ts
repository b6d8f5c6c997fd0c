import { createHash, timingSafeEqual } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { readTokens } from '../../config/tokens-file.ts';
import type { Token } from '../../domain/access/token.ts';
import { type Log, reasonOf } from '../log.ts';

export interface TokenTableOptions {
  readonly file: string;
  /** Of Flywheel's own processes, which prove a route by asking for it; not part of the file. */
  readonly own: string;
  readonly log: Log;
  readonly refreshEveryMs?: number;
}

/** A revoked token stops working within a second; a `stat` a second costs nothing. */
const defaultRefreshEveryMs = 1_000;

/** The tokens that are good now. Follows the file, so that none has to be restarted to give or take one. */
export class TokenTable {
  readonly #options: TokenTableOptions;
  #tokens: readonly Token[];
  #seen: string;
  /** The version last complained of: an unreadable file is tried every second, and told of once. */
  #complainedOf: string | null = null;
  #everHadTokens: boolean;
  readonly #timer: NodeJS.Timeout;

  private constructor(options: TokenTableOptions, tokens: readonly Token[], seen: string) {
    this.#options = options;
    this.#tokens = tokens;
    this.#seen = seen;
    this.#everHadTokens = tokens.length > 0;
    this.#timer = setInterval(() => void this.#refresh(), options.refreshEveryMs ?? defaultRefreshEveryMs);
    this.#timer.unref();
  }

  /** Throws `ConfigError` where the file is there and cannot be used: better no gateway than an open one. */
  static async open(options: TokenTableOptions): Promise<TokenTable> {
    const seen = await versionOf(options.file);
    return new TokenTable(options, await readTokens(options.file), seen);
  }

  /** True once there was a token, also when all are revoked: losing the file must not open the door. */
  get required(): boolean {
    return this.#everHadTokens;
  }

  get size(): number {
    return this.#tokens.length;
  }

  /** The token with this text; null for one that is unknown or has expired. Takes as long for any text. */
  find(text: string, now = new Date()): Token | null {
    const digest = digestOf(text);
    let found: Token | null = null;
    for (const token of [...this.#tokens, ownToken(this.#options.own)])
      if (timingSafeEqual(digest, Buffer.from(token.sha256, 'hex'))) found = token;
    return found === null || hasExpired(found, now) ? null : found;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #refresh(): Promise<void> {
    const { file, log } = this.#options;
    const seen = await versionOf(file);
    try {
      if (seen === this.#seen) return;
      this.#tokens = await readTokens(file);
      // Only now: a file that could not be read is tried again, even if it stays as it is.
      this.#seen = seen;
      this.#complainedOf = null;
      this.#everHadTokens ||= this.#tokens.length > 0;
      log.info('tokens_read', { tokens: this.#tokens.length });
    } catch (error) {
      if (this.#complainedOf === seen) return;
      this.#complainedOf = seen;
      log.warn('tokens_unreadable', { reason: reasonOf(error), kept: this.#tokens.length });
    }
  }
}

function hasExpired({ expiresAt }: Token, now: Date): boolean {
  return expiresAt !== null && Date.parse(expiresAt) <= now.getTime();
}

function ownToken(text: string): Token {
  return {
    id: 'own',
    client: '*',
    roles: ['ingest'],
    sha256: digestOf(text).toString('hex'),
    createdAt: '',
    expiresAt: null,
    requestsPerMinute: Number.POSITIVE_INFINITY,
  };
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Changes whenever the file does; a file that is not there has a version as well. */
async function versionOf(file: string): Promise<string> {
  return stat(file).then(
    ({ ino, size, mtimeMs }) => `${ino}/${size}/${mtimeMs}`,
    () => 'none',
  );
}
