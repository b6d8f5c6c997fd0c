import type { Json } from '../domain/json.ts';
import { withoutSecrets } from '../domain/secrets.ts';

export type LogFields = Readonly<Record<string, Json | undefined>>;

/** Structured lines about the process itself; payloads and headers of calls never go here. */
export interface Log {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
}

/** One JSON object per line. */
export function createLog(write: (line: string) => void = (line) => process.stdout.write(line)): Log {
  const emit = (level: string, event: string, fields: LogFields = {}) =>
    write(`${JSON.stringify({ at: new Date().toISOString(), level, event, ...fields })}\n`);
  return {
    info: (event, fields) => emit('info', event, fields),
    warn: (event, fields) => emit('warn', event, fields),
  };
}

/** An error's message as it may be logged or shown; with its causes, since fetch hides the reason there. */
export function reasonOf(error: unknown, depth = 0): string {
  if (!(error instanceof Error)) return withoutSecrets(String(error));
  const code = 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : '';
  const text = withoutSecrets((error.message || error.name) + code);
  return error.cause === undefined || depth > 2 ? text : `${text}: ${reasonOf(error.cause, depth + 1)}`;
}
