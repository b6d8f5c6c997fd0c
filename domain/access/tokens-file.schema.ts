import { z } from 'zod';
import { isPlainId, plainIdRule } from '../ids.ts';
import { roles } from './role.ts';
import { anyClient, type Token } from './token.ts';

const Instant = z.iso.datetime({ error: 'must be a time such as 2026-01-31T09:00:00Z' });

export const ClientName = z
  .string()
  .refine((text) => text === anyClient || isPlainId(text), `must be ${plainIdRule}; or *`);

const StoredToken = z.strictObject({
  id: z.string().min(1),
  client: ClientName,
  roles: z.array(z.enum(roles)).min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be the sha256 of a token, 64 hex digits'),
  created_at: Instant,
  expires_at: Instant.nullish(),
  requests_per_minute: z.number().positive().nullish(),
});

/** The tokens file: hashed tokens, who holds each, and what it may do. */
export const TokensFile = z.strictObject({ tokens: z.array(StoredToken) });

/** Reads the file's text, or says everything that is wrong with it. */
export function readTokensFile(text: string): { tokens: readonly Token[]; problems: readonly string[] } {
  const parsed = TokensFile.safeParse(parseJson(text));
  if (!parsed.success)
    return {
      tokens: [],
      problems: parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'file'}: ${message}`),
    };
  const tokens = parsed.data.tokens.map(toToken);
  return { tokens, problems: tokens.flatMap(problemOf) };
}

export function tokensFileText(tokens: readonly Token[]): string {
  const stored = tokens.map(({ id, client, roles: held, sha256, ...rest }) => ({
    ...{ id, client, roles: held, sha256 },
    created_at: rest.createdAt,
    ...(rest.expiresAt !== null && { expires_at: rest.expiresAt }),
    ...(rest.requestsPerMinute !== null && { requests_per_minute: rest.requestsPerMinute }),
  }));
  return `${JSON.stringify({ tokens: stored }, null, 2)}\n`;
}

/** A decision needs a named person. */
export function problemOf(token: Pick<Token, 'id' | 'client' | 'roles'>): string[] {
  return token.client === anyClient && token.roles.some((role) => role !== 'ingest')
    ? [`token ${token.id}: client * may only have the role ingest; other roles need a name.`]
    : [];
}

function toToken(stored: z.infer<typeof StoredToken>): Token {
  return {
    id: stored.id,
    client: stored.client,
    roles: stored.roles,
    sha256: stored.sha256,
    createdAt: stored.created_at,
    expiresAt: stored.expires_at ?? null,
    requestsPerMinute: stored.requests_per_minute ?? null,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
