import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

type Variables = Readonly<Record<string, string | undefined>>;

/** Whatever names a server, what is kept in it, who may use it, or a port that the offset would not move. */
const serverVariables: readonly RegExp[] = [
  /^TEMPORAL_/,
  /^DATABASE_URL$/,
  /^ELASTICSEARCH_/,
  /^MODEL_SERVER_URL$/,
  /^FLYWHEEL_GATEWAY_(HOST|PORT|TOKEN)$/,
  /^FLYWHEEL_TOKENS_FILE$/,
  /^FLYWHEEL_RATE_LIMIT$/,
];

/**
 * Marks a home whose stack keeps to servers of its own, whatever the environment names: the demo's. Every
 * command on that home, and every process of its stack, finds the mark (`loadConfig`).
 */
export function keepToOwnServers(home: string): void {
  mkdirSync(home, { recursive: true });
  writeFileSync(
    markOf(home),
    'The stack of this folder uses none of the servers that environment variables name, only its own.\n',
  );
}

export function keepsToOwnServers(home: string): boolean {
  return existsSync(markOf(home));
}

/** Names of the variables that such a home leaves aside, those that are set. */
export function namedServers(variables: Variables): string[] {
  return Object.keys(variables)
    .filter((name) => variables[name] && serverVariables.some((pattern) => pattern.test(name)))
    .sort();
}

export function withoutNamedServers(variables: Variables): Variables {
  const named = namedServers(variables);
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !named.includes(name)));
}

function markOf(home: string): string {
  return join(home, 'own-servers-only');
}
