import { existsSync, readFileSync } from 'node:fs';
import { defaultPolicy, type Policies, type WorkloadPolicy } from '../domain/policies/policy.ts';
import { ConfigError } from './config-error.ts';
import { deepFreeze } from './deep-freeze.ts';
import { guardrailProblems } from './guardrail-problems.ts';
import { mergePolicy } from './merge-policy.ts';
import { unknownWord } from './nearest.ts';
import { type PolicyEntry, WorkloadsFile } from './policies-schema.ts';
import { shortPath } from './short-path.ts';
import { parseYaml } from './yaml-file.ts';

/** Where the policies stand, and what they may name. */
export interface PoliciesFile {
  readonly path: string;
  /** It must exist: FLYWHEEL_WORKLOADS names it, or it was there when this process started. */
  readonly required: boolean;
  /** Names in `candidates.yaml`. */
  readonly candidates: readonly string[];
  /** Names of the configured providers. */
  readonly providers: readonly string[];
  /** Those of them that check words: NeMo Platforms. */
  readonly guardrailProviders: readonly string[];
}

const isEmpty = 'is empty; write `{}` into it for no policies, or delete it';

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
  const text = readFileSync(path, 'utf8');
  // What is being written, or was cut off, must not count as a wish for defaults: it would open every gate to anyone.
  if (text.trim() === '') return { policies: none, problems: [`${shortPath(path)} ${isEmpty}`] };
  const { contents, problems, at } = parseYaml(text, shortPath(path), WorkloadsFile);
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

function crossCheck(contents: WorkloadsFile, file: PoliciesFile, at: At): string[] {
  const { default: base, workloads } = toPolicies(contents);
  return [
    ...policyProblems(contents.default, base, file, (path) => at(['default', ...path])),
    ...Object.entries(contents.workloads).flatMap(([id, entry]) =>
      policyProblems(entry, workloads[id] ?? base, file, (path) => at(['workloads', id, ...path])),
    ),
  ];
}

/**
 * What one entry, and the policy that it makes, name and there is not: candidates, providers, files. `at` says where
 * a path of the entry stands.
 */
export function policyProblems(
  entry: PolicyEntry,
  policy: WorkloadPolicy,
  file: PoliciesFile,
  at: At,
): string[] {
  const check = (path: readonly PropertyKey[], what: string, name: string, known: readonly string[]) =>
    known.includes(name) ? [] : [`${at(path)} ${unknownWord(what, name, known)}`];
  const { candidates, providers } = file;
  return [
    ...(entry.candidates ?? []).flatMap((name, index) =>
      check(['candidates', index], 'candidate', name, candidates),
    ),
    ...(entry.judge ? check(['judge', 'provider'], 'provider', entry.judge.provider, providers) : []),
    ...Object.keys(entry.prices ?? {}).flatMap((name) =>
      check(['prices', name], 'candidate', name, candidates),
    ),
    // What comes from the default alone was checked there.
    ...(entry.guardrails && policy.guardrails ? guardrailProblems(policy.guardrails, file, at) : []),
  ];
}
