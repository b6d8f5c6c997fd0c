import { isIP } from 'node:net';
import type { Role } from '../../domain/access/role.ts';
import { anyClient, looksLikeToken } from '../../domain/access/token.ts';
import type { GatewayError } from '../openai-error.ts';
import type { TokenTable } from './token-table.ts';

/** Who asks, and how we know. */
export interface Caller {
  /** Whose requests these are; null: whoever the request says. */
  readonly client: string | null;
  /** `local`: nothing was proved, but the request came from this machine. */
  readonly source: 'token' | 'local';
  readonly tokenId: string | null;
  /** null: the gateway's own limit. */
  readonly requestsPerMinute: number | null;
}

/** Where a token travels when `authorization` holds the key of the application's own model. */
export const tokenHeader = 'x-flywheel-token';

/** Says who may do what: by token, or, where none was ever made, whoever is on this machine. */
export interface Access {
  authorize(headers: Headers, role: Role): Caller | GatewayError;
  /** No token is asked for. */
  isOpen(): boolean;
}

const local: Caller = { client: null, source: 'local', tokenId: null, requestsPerMinute: null };

export function createAccess(tokens: Pick<TokenTable, 'find' | 'required'>): Access {
  return {
    isOpen: () => !tokens.required,
    authorize: (headers, role) =>
      tokens.required ? byToken(tokens, headers, role) : fromThisMachine(headers),
  };
}

function byToken(tokens: Pick<TokenTable, 'find'>, headers: Headers, role: Role): Caller | GatewayError {
  const text = tokenOf(headers);
  if (text === null)
    return {
      status: 401,
      code: 'missing_token',
      message: `This gateway asks for a token: send it as "Authorization: Bearer fw_…", or as ${tokenHeader} where authorization holds your model's key. \`flywheel token create\` makes one.`,
    };
  const token = tokens.find(text);
  if (token === null)
    return {
      status: 401,
      code: 'invalid_token',
      message: 'The token is unknown, revoked or expired. `flywheel token list` shows the good ones.',
    };
  if (!token.roles.includes(role))
    return {
      status: 403,
      code: 'missing_role',
      message: `This needs the role "${role}"; token ${token.id} has ${token.roles.join(', ')}.`,
    };
  const client = token.client === anyClient ? null : token.client;
  const named = headers.get('x-client-id');
  if (client !== null && named !== null && named !== '' && named !== client)
    return {
      status: 403,
      code: 'client_mismatch',
      message: `x-client-id says "${named}", but the token is of client "${client}". Leave the header out.`,
    };
  return { client, source: 'token', tokenId: token.id, requestsPerMinute: token.requestsPerMinute };
}

/**
 * A web page can make a browser call this machine under a name of its own (DNS rebinding), and without tokens
 * only that name gives it away.
 */
function fromThisMachine(headers: Headers): Caller | GatewayError {
  const host = headers.get('host') ?? '';
  if (isLoopback(host.replace(/:\d+$/, ''))) return local;
  return {
    status: 403,
    code: 'untrusted_host',
    message: `Without tokens the gateway answers this machine only, by a name such as 127.0.0.1, not "${host}". \`flywheel token create\` makes a token.`,
  };
}

/** The token as it came, whether or not it is good. */
function tokenOf(headers: Headers): string | null {
  return (
    headers.get(tokenHeader) || (/^bearer\s+(\S+)$/i.exec(headers.get('authorization') ?? '')?.[1] ?? null)
  );
}

/** Whether `authorization` holds a token of ours rather than a key of the application's provider. */
export function holdsToken(authorization: string | null): boolean {
  return looksLikeToken((authorization ?? '').replace(/^bearer\s+/i, ''));
}

export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === '::1' ||
    (isIP(name) === 4 && name.startsWith('127.'))
  );
}
