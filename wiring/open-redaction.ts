import { statSync } from 'node:fs';
import type { LogStore } from '../activities/ports/log-store.ts';
import type { Config } from '../config/config.ts';
import { loadPolicies } from '../config/policies.ts';
import { type Policies, policyOf } from '../domain/policies/policy.ts';
import { createRecordRedactor, type RecordRedactor } from '../domain/policies/redact-record.ts';

/** A change of `workloads.yaml` works within a second; a `stat` a second costs nothing. */
const checkEveryMs = 1_000;
/** Redactors of so many workloads are kept: their names may be anybody's. */
const mostRemembered = 1_000;

/**
 * Redaction at the door: what may be stored of a record, by its workload's policy as it stands now. While the file
 * cannot be used, the policies that it had before hold on, and `onUnusable` is told once. Throws `ConfigError` where
 * there are none before.
 */
export function openRedaction(
  { policiesFile }: Pick<Config, 'policiesFile'>,
  onUnusable: (error: unknown) => void = () => undefined,
): RecordRedactor {
  let version = versionOf(policiesFile.path);
  let policies: Policies = loadPolicies(policiesFile);
  let checkedAtMs = performance.now();
  const redactors = new Map<string, RecordRedactor | null>();

  function follow(): void {
    if (performance.now() - checkedAtMs < checkEveryMs) return;
    checkedAtMs = performance.now();
    const now = versionOf(policiesFile.path);
    if (now === version) return;
    version = now;
    try {
      policies = loadPolicies(policiesFile);
      redactors.clear();
    } catch (error) {
      onUnusable(error);
    }
  }

  function redactorOf(workloadId: string): RecordRedactor | null {
    const known = redactors.get(workloadId);
    if (known !== undefined) return known;
    if (redactors.size >= mostRemembered) redactors.clear();
    const made = createRecordRedactor(policyOf(policies, workloadId).redaction);
    redactors.set(workloadId, made);
    return made;
  }

  return (record) => {
    follow();
    return redactorOf(record.workloadId)?.(record) ?? record;
  };
}

/** The log store behind that door. */
export function redacting(
  logStore: Pick<LogStore, 'append'>,
  redact: RecordRedactor,
): Pick<LogStore, 'append'> {
  return { append: (records) => logStore.append(records.map(redact)) };
}

/** Changes whenever the file does; a file that is not there has a version as well. */
function versionOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? 'none' : `${found.ino}/${found.size}/${found.mtimeMs}`;
}
