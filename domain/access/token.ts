import { sha256 } from '../hash.ts';
import type { Role } from './role.ts';

/** A client's token as the tokens file keeps it: its hash, never itself. */
export interface Token {
  /** Names the token in lists, logs and the audit; the middle part of its text. */
  readonly id: string;
  /** Who holds it: the `client_id` of what it logs, the actor of what it decides. `*`: any client. */
  readonly client: string;
  readonly roles: readonly Role[];
  /** Hex sha256 of the whole text. Tokens are 256 random bits, which need no slow hash. */
  readonly sha256: string;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
  /** RFC 3339, UTC; null: never. */
  readonly expiresAt: string | null;
  /** null: the gateway's own limit. */
  readonly requestsPerMinute: number | null;
}

/** May send calls in any client's name, as `x-client-id` says: for a proxy in front of several applications. */
export const anyClient = '*';

const prefix = 'fw_';

/** The text that its holder keeps, and what of it may be stored. `id` and `secret` are random hex. */
export function newToken(
  random: { readonly id: string; readonly secret: string },
  facts: Omit<Token, 'id' | 'sha256'>,
): { text: string; token: Token } {
  const text = `${prefix}${random.id}_${random.secret}`;
  return { text, token: { id: random.id, ...facts, sha256: sha256(text) } };
}

/** Whether a credential is one of ours, so that it must never be sent to a model's provider. */
export function looksLikeToken(credential: string): boolean {
  return credential.startsWith(prefix);
}
