import type { LogStore } from '../activities/ports/log-store.ts';
import type { Config } from '../config/config.ts';
import { createRecordRedactor, type RecordRedactor } from '../domain/policies/redact-record.ts';
import { type PoliciesInForce, policiesInForce } from './policies-in-force.ts';

/**
 * Redaction at the door: what may be stored of a record, by its workload's policy as it stands now. While the file
 * cannot be used, the policies that it had before hold on, and `onUnusable` is told once. Throws `ConfigError` where
 * there are none before.
 */
export function openRedaction(
  config: Pick<Config, 'policiesFile'>,
  onUnusable: (error: unknown) => void = () => undefined,
): RecordRedactor {
  return redactionBy(policiesInForce(config, onUnusable));
}

export function redactionBy(policies: PoliciesInForce): RecordRedactor {
  const redactorOf = policies.derived(({ redaction }) => createRecordRedactor(redaction));
  return (record) => redactorOf(record.workloadId)?.(record) ?? record;
}

/** The log store behind that door. */
export function redacting(
  logStore: Pick<LogStore, 'append'>,
  redact: RecordRedactor,
): Pick<LogStore, 'append'> {
  return { append: (records) => logStore.append(records.map(redact)) };
}
