import type { Config } from '../../config/config.ts';

/** Where people and programs reach the parts of a stack; `null` for what has no address of ours. */
export interface Addresses {
  readonly gateway: string;
  readonly api: string;
  readonly temporalUi: string | null;
  readonly temporal: string;
  readonly modelServer: string;
  /** null where none is run. */
  readonly nemoPlatform: string | null;
  /** Without its password. */
  readonly database: string;
  /** Without a password; null where the log store is in the database. */
  readonly elasticsearch: string | null;
}

export function addressesOf(config: Config): Addresses {
  return {
    gateway: `${config.gateway.url}/v1`,
    api: config.gateway.url,
    temporalUi: config.temporal.uiUrl,
    temporal: config.temporal.address,
    modelServer: config.modelServer.url,
    nemoPlatform: config.nemoPlatform?.url ?? null,
    database: withoutPassword(config.database.url),
    elasticsearch: config.logStore.kind === 'elasticsearch' ? withoutPassword(config.logStore.url) : null,
  };
}

function withoutPassword(url: string): string {
  const shown = new URL(url);
  shown.password = '';
  return shown.href;
}

/** One line per address, aligned. */
export function addressLines(addresses: Addresses): string[] {
  const rows: readonly (readonly [string, string | null])[] = [
    ['Gateway (OpenAI API)', addresses.gateway],
    ['API, health', `${addresses.api}/ready`],
    ['Temporal UI', addresses.temporalUi],
    ['Temporal', addresses.temporal],
    ['Model server', addresses.modelServer],
    ['NeMo Platform', addresses.nemoPlatform],
    ['PostgreSQL', addresses.database],
    ['Elasticsearch', addresses.elasticsearch],
  ];
  return rows.flatMap(([label, address]) => (address ? [`  ${label.padEnd(22)}${address}`] : []));
}
