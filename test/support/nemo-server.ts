import { inject } from 'vitest';
import type { NemoSettings } from '../../integrations/nemo-microservices/settings.ts';
import { type NemoServer, startNemoServer } from '../contract-servers/nemo-microservices/server.ts';
import type { WorldOptions } from '../contract-servers/nemo-microservices/world.ts';

/** The contract server for NeMo Microservices v1, in this process, in front of the real model server. */
export function aNemoServer(options: Partial<WorldOptions> = {}): Promise<NemoServer> {
  return startNemoServer({ modelServerUrl: inject('modelServerUrl'), ...options });
}

export function settingsOf({ url, nimUrl, dataStoreUrl }: NemoServer): NemoSettings {
  return { name: 'nemo', url, nimUrl, dataStoreUrl, namespace: 'flywheel', apiKey: null };
}
