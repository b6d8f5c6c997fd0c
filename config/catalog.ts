import { existsSync, readFileSync } from 'node:fs';
import type { Candidate } from '../domain/experiments/experiment.ts';
import { type CandidateEntry, CandidatesFile, toCandidate } from './candidates-schema.ts';
import { type LocalModels, modelSource, shippedModels } from './local-models.ts';
import { unknownWord } from './nearest.ts';
import { type Provider, toProvider, trains } from './provider.ts';
import { shortPath } from './short-path.ts';
import { whyNotServed } from './why-not-served.ts';
import { parseYaml } from './yaml-file.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** What `candidates.yaml` settles, without the built-in provider `local`. */
export interface Catalog {
  readonly candidates: readonly Candidate[];
  readonly providers: Readonly<Record<string, Provider>>;
  /** What a model server of our own has to serve. */
  readonly localModels: LocalModels;
  readonly problems: readonly string[];
}

/** Reads the file, or says everything that is wrong with it. */
export function readCatalog(path: string, variables: Variables): Catalog {
  const name = shortPath(path);
  if (!existsSync(path)) {
    return {
      candidates: [],
      providers: {},
      localModels: {},
      problems: [`${name} does not exist; FLYWHEEL_CANDIDATES names the file`],
    };
  }
  const { contents, problems, at } = parseYaml(readFileSync(path, 'utf8'), name, CandidatesFile);
  if (contents === null) return { candidates: [], providers: {}, localModels: {}, problems };
  const local = readLocalModels(contents, path, at);
  return {
    candidates: contents.candidates.map(toCandidate),
    providers: toProviders(contents, variables, path),
    localModels: local.models,
    problems: [...crossCheck(contents, variables, at), ...(servesOurModels(variables) ? local.problems : [])],
  };
}

/** Another server's models, and those that an operator lists for ours, are not ours to look for. */
function servesOurModels(variables: Variables): boolean {
  return !variables['MODEL_SERVER_URL'] && !variables['FLYWHEEL_MODEL_SERVER_MODELS'];
}

function readLocalModels(
  { candidates }: CandidatesFile,
  file: string,
  at: (path: readonly PropertyKey[]) => string,
): { models: LocalModels; problems: string[] } {
  const models: Record<string, string> = { ...shippedModels() };
  const problems: string[] = [];
  for (const [index, { name, provider, model }] of candidates.entries()) {
    if (provider !== 'local') continue;
    const found = modelSource(model, file);
    if ('source' in found) models[model] = found.source;
    else
      problems.push(`${at(['candidates', index, 'model'])} model "${model}" of "${name}": ${found.problem}`);
  }
  return { models, problems };
}

/** What no single entry can tell about itself. */
function crossCheck(
  { candidates, providers }: CandidatesFile,
  variables: Variables,
  at: (path: readonly PropertyKey[]) => string,
): string[] {
  const problems: string[] = [];
  if (providers['local']) {
    problems.push(
      `${at(['providers', 'local'])} "local" is the model server; set MODEL_SERVER_URL to use another one`,
    );
  }
  for (const [name, { api_key_env: variable }] of Object.entries(providers)) {
    if (variable && !variables[variable]) {
      problems.push(
        `${at(['providers', name, 'api_key_env'])} the environment variable ${variable} is not set`,
      );
    }
  }
  return [
    ...problems,
    ...sharedNamespaces(providers, at),
    ...candidates.flatMap((candidate, index) => {
      const path = ['candidates', index] as const;
      const twice = candidates.findIndex((other) => other.name === candidate.name) < index;
      return [
        ...(twice ? [`${at([...path, 'name'])} "${candidate.name}" is listed twice; names are unique`] : []),
        ...candidateProblems(candidate, providers, (field) => at([...path, ...field])),
      ];
    }),
  ];
}

/**
 * At v1 a base model's deployment is named after its namespace and the model, while who needs it is known for each
 * provider: of two in one namespace, the last to need it there would remove it for both.
 */
function sharedNamespaces(
  providers: CandidatesFile['providers'],
  at: (path: readonly PropertyKey[]) => string,
): string[] {
  const v1 = Object.entries(providers).flatMap(([name, entry]) => {
    const provider = toProvider(entry, null, '.');
    return provider.kind === 'nemo-microservices' ? [{ name, ...provider }] : [];
  });
  return v1.flatMap(({ name, url, namespace }, index) => {
    const first = v1.slice(0, index).find((other) => other.url === url && other.namespace === namespace);
    return first === undefined
      ? []
      : [
          `${at(['providers', name, 'namespace'])} "${name}" and "${first.name}" share the namespace "${namespace}" at ${url}: ` +
            'each needs its own, or one removes what the other serves',
        ];
  });
}

function candidateProblems(
  candidate: CandidateEntry,
  providers: CandidatesFile['providers'],
  at: (field: readonly string[]) => string,
): string[] {
  const { provider, trainer, strategies, icl, context, max_tokens: answer } = candidate;
  const known = ['local', ...Object.keys(providers)];
  const unknown = (field: readonly string[], named: string | undefined) =>
    named === undefined || known.includes(named)
      ? []
      : [`${at(field)} ${unknownWord('provider', named, known)}`];
  return [
    ...unknown(['provider'], provider),
    ...unknown(['trainer'], trainer),
    ...(strategies.includes('lora') ? loraProblems(candidate, providers, at) : []),
    ...unknown(['icl', 'embedding', 'provider'], icl.embedding?.provider),
    ...(context !== undefined && context <= answer
      ? [
          `${at(['context'])} ${context} tokens leave no room for a prompt beside an answer of ${answer} (max_tokens)`,
        ]
      : []),
  ];
}

/** Unknown providers are told of by themselves. */
function loraProblems(
  { provider, trainer = provider, lora }: CandidateEntry,
  providers: CandidatesFile['providers'],
  at: (field: readonly string[]) => string,
): string[] {
  const placeOf = (name: string) => {
    const entry = providers[name];
    return { name, provider: entry ? toProvider(entry, null, '.') : null };
  };
  const training = placeOf(trainer);
  if (training.provider && !trains(training.provider)) {
    const needed = howToTrain(training.provider.kind);
    return [`${at(['strategies'])} "lora" needs ${needed}; "${trainer}" does not train`];
  }
  const knowsBoth = [provider, trainer].every((name) => name === 'local' || providers[name]);
  const unserved = knowsBoth ? whyNotServed(placeOf(provider), training) : null;
  return [
    ...(unserved === null ? [] : [`${at(['strategies'])} adapters ("lora"): ${unserved}`]),
    ...(training.provider?.kind === 'nemo-microservices' && !isPowerOfTwo(lora.rank)
      ? [
          `${at(['lora', 'rank'])} "${trainer}" trains ranks that are powers of two, such as 16 or 32; not ${lora.rank}`,
        ]
      : []),
  ];
}

/** What NeMo Customizer v1 takes as `adapter_dim`. */
function isPowerOfTwo(rank: number): boolean {
  return Number.isInteger(Math.log2(rank));
}

function howToTrain(kind: Provider['kind']): string {
  return kind === 'vllm' ? 'a `trainer`' : 'a provider with fine_tuning: true, or a `trainer`';
}

function toProviders(
  { providers }: CandidatesFile,
  variables: Variables,
  file: string,
): Record<string, Provider> {
  return Object.fromEntries(
    Object.entries(providers).map(([name, entry]) => {
      const apiKey = (entry.api_key_env && variables[entry.api_key_env]) || null;
      return [name, toProvider(entry, apiKey, file)];
    }),
  );
}
