import type { Config } from '../../config/config.ts';

/** Where people and programs reach the parts of a stack; `null` for what has no address of ours. */
export interface Addresses {
  readonly gateway: string;
  readonly api: string;
  readonly temporalUi: string | null;
  readonly temporal: string;
  readonly modelServer: string;
  /** Without its password. */
  readonly database: string;
}

export function addressesOf(config: Config): Addresses {
  const database = new URL(config.database.url);
  database.password = '';
  return {
    gateway: `${config.gateway.url}/v1`,
    api: config.gateway.url,
    temporalUi: config.temporal.uiUrl,
    temporal: config.temporal.address,
    modelServer: config.modelServer.url,
    database: database.href,
  };
}

/** One line per address, aligned. */
export function addressLines(addresses: Addresses): string[] {
  const rows: readonly (readonly [string, string | null])[] = [
    ['Gateway (OpenAI API)', addresses.gateway],
    ['API, health', `${addresses.api}/ready`],
    ['Temporal UI', addresses.temporalUi],
    ['Temporal', addresses.temporal],
    ['Model server', addresses.modelServer],
    ['PostgreSQL', addresses.database],
  ];
  return rows.flatMap(([label, address]) => (address ? [`  ${label.padEnd(22)}${address}`] : []));
}
