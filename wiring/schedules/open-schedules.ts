import { Client, Connection } from '@temporalio/client';
import type { Config } from '../../config/config.ts';
import { canonicalJson } from '../../domain/hash.ts';
import { openPolicies } from '../open-policies.ts';
import { temporalConnection } from '../temporal-connection.ts';
import type { AppliedSchedule } from './apply-schedules.ts';
import { followPolicies } from './follow-policies.ts';
import { fromPolicies } from './plan-schedules.ts';

export interface OpenSchedules {
  /**
   * Makes the schedules what `workloads.yaml` says, unless it has done so since the file last asked for something
   * else. Rejects with `ConfigError` while the file cannot be used, and with Temporal's errors.
   */
  follow(): Promise<readonly AppliedSchedule[]>;
  close(): Promise<void>;
}

/** Connects on first use. */
export function openSchedules(config: Pick<Config, 'temporal' | 'policiesFile'>): OpenSchedules {
  const { connectionOptions, namespace } = temporalConnection(config);
  const connection = Connection.lazy(connectionOptions ?? {});
  const client = new Client({ connection, namespace });
  const source = openPolicies(config);
  let followed: string | null = null;
  return {
    async follow() {
      const policies = await source.all();
      const wanted = canonicalJson(fromPolicies(policies));
      if (wanted === followed) return [];
      const applied = await followPolicies(client, policies);
      followed = wanted;
      return applied;
    },
    close: () => connection.close(),
  };
}
