import { existsSync, readFileSync } from 'node:fs';
import { defaultPolicy, type Policies } from '../domain/policies/policy.ts';
import { ConfigError } from './config-error.ts';
import { deepFreeze } from './deep-freeze.ts';
import { mergePolicy } from './merge-policy.ts';
import { unknownWord } from './nearest.ts';
import { type PolicyEntry, WorkloadsFile } from './policies-schema.ts';
import { shortPath } from './short-path.ts';
import { parseYaml } from './yaml-file.ts';

/** Where the policies stand, and what they may name. */
export interface PoliciesFile {
  readonly path: string;
  /** Named by FLYWHEEL_WORKLOADS: then it must exist. */
  readonly required: boolean;
  /** Names in `candidates.yaml`. */
  readonly candidates: readonly string[];
  /** Names of the configured providers. */
  readonly providers: readonly string[];
}

/** Reads the file, or says everything that is wrong with it. Without one every workload has the default policy. */
export function readPolicies(file: PoliciesFile): {
  policies: Policies;
  problems: readonly string[];
} {
  const { path, required } = file;
  const none: Policies = { default: defaultPolicy, workloads: {} };
  if (!existsSync(path)) {
    const missing = `${shortPath(path)} does not exist; FLYWHEEL_WORKLOADS names the file`;
    return { policies: none, problems: required ? [missing] : [] };
  }
  const { contents, problems, at } = parseYaml(readFileSync(path, 'utf8'), shortPath(path), WorkloadsFile);
  if (contents === null) return { policies: none, problems };
  return { policies: toPolicies(contents), problems: crossCheck(contents, file, at) };
}

/** The policies as the file has them now, frozen. Throws `ConfigError` with every problem found. */
export function loadPolicies(file: PoliciesFile): Policies {
  const { policies, problems } = readPolicies(file);
  if (problems.length > 0) throw new ConfigError(problems);
  return deepFreeze(policies);
}

function toPolicies(contents: WorkloadsFile): Policies {
  const base = mergePolicy(defaultPolicy, contents.default);
  const workloads = Object.entries(contents.workloads).map(([id, entry]) => [id, mergePolicy(base, entry)]);
  return { default: base, workloads: Object.fromEntries(workloads) };
}

type At = (path: readonly PropertyKey[]) => string;

/** Candidates and providers that `candidates.yaml` does not have. */
function crossCheck(contents: WorkloadsFile, { candidates, providers }: PoliciesFile, at: At): string[] {
  const entries: [readonly string[], PolicyEntry][] = [
    [['default'], contents.default],
    ...Object.entries(contents.workloads).map(
      ([id, entry]) => [['workloads', id], entry] as [string[], PolicyEntry],
    ),
  ];
  return entries.flatMap(([path, entry]) => [
    ...(entry.candidates ?? []).flatMap((name, index) =>
      candidates.includes(name)
        ? []
        : [`${at([...path, 'candidates', index])} ${unknownWord('candidate', name, candidates)}`],
    ),
    ...(entry.judge && !providers.includes(entry.judge.provider)
      ? [`${at([...path, 'judge', 'provider'])} ${unknownWord('provider', entry.judge.provider, providers)}`]
      : []),
    ...Object.keys(entry.prices ?? {}).flatMap((name) =>
      candidates.includes(name)
        ? []
        : [`${at([...path, 'prices', name])} ${unknownWord('candidate', name, candidates)}`],
    ),
  ]);
}
