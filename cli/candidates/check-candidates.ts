import type { Check, ProviderChecksBy } from '../../activities/ports/provider-checks.ts';
import type { Config } from '../../config/config.ts';
import { FlywheelError, RejectedError, UnavailableError } from '../../domain/errors.ts';
import { type Candidate, trainerOf } from '../../domain/experiments/experiment.ts';
import { openEmbedders } from '../../wiring/open-models.ts';
import { openProviderChecks } from '../../wiring/open-provider-checks.ts';

/** One question, and how it went. */
export interface CheckedCandidate {
  readonly candidate: string;
  readonly provider: string;
  /** As the provider calls it. */
  readonly model: string;
  /** What has to be so of the provider: `serves nano-1m`. */
  readonly asked: string;
  /** What was found instead; null when all is well. */
  readonly problem: string | null;
  /** What to do about it; null when all is well. */
  readonly mend: string | null;
}

type Answer = Pick<CheckedCandidate, 'problem' | 'mend'>;

interface Question extends Check {
  readonly provider: string;
  readonly model: string;
}

const embedTimeoutMs = 60_000;

/**
 * Asks each candidate's providers, service by service, for what its strategies would need of them: who serves it or
 * deploys it, who trains it, who evaluates it, who embeds. Changes nothing there. Guardrails and judges are a
 * workload's, not a candidate's.
 */
export function checkCandidates(config: Config, signal: AbortSignal): Promise<CheckedCandidate[]> {
  const providers = openProviders(config, signal);
  const answers = new Map<string, Promise<Answer>>();
  /** The same question of the same provider is asked once, whoever of the candidates has it. */
  const answerOnce = (question: Question): Promise<Answer> => {
    const answer = answers.get(keyOf(question)) ?? answered(question);
    answers.set(keyOf(question), answer);
    return answer;
  };
  return Promise.all(
    config.candidates.flatMap((candidate) =>
      questions(candidate, providers).map(async (question) => {
        const { provider, model, asked } = question;
        return { candidate: candidate.name, provider, model, asked, ...(await answerOnce(question)) };
      }),
    ),
  );
}

interface ProvidersAsked {
  readonly checks: ProviderChecksBy;
  embeds(provider: string, model: string): Check;
}

function openProviders(config: Config, signal: AbortSignal): ProvidersAsked {
  const embedders = openEmbedders(config);
  return {
    checks: openProviderChecks(config),
    embeds: (provider, model) => ({
      asked: `embeds with ${model}`,
      ask: () => embedders(provider).embed({ model, texts: ['Hello'], timeoutMs: embedTimeoutMs, signal }),
    }),
  };
}

function questions(candidate: Candidate, { checks, embeds }: ProvidersAsked): Question[] {
  const { provider, model, strategies, icl } = candidate;
  const { similarity } = icl;
  const trainer = trainerOf(candidate);
  const adapters = strategies.includes('lora');
  const of = (asked: string, name: string, list: readonly Check[]) =>
    list.map((check) => ({ ...check, provider: asked, model: name }));
  const all = [
    ...of(provider, model, checks(provider).serving(model, { adapters })),
    ...(adapters ? of(trainer, model, checks(trainer).training(model)) : []),
    ...of(provider, model, checks(provider).evaluating()),
    ...(strategies.includes('icl') && similarity
      ? of(similarity.provider, similarity.model, [embeds(similarity.provider, similarity.model)])
      : []),
  ];
  const keys = all.map(keyOf);
  return all.filter((_, index) => keys.indexOf(keys[index] ?? '') === index);
}

/** What tells two questions apart. */
function keyOf({ provider, asked }: Question): string {
  return `${provider} ${asked}`;
}

async function answered(check: Check): Promise<Answer> {
  try {
    await check.ask();
    return { problem: null, mend: null };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { problem, mend: mendOf(error, check) };
  }
}

function mendOf(error: unknown, { mend }: Check): string {
  if (error instanceof RejectedError && error.code === 'unauthorized')
    return 'Put a key that it takes into the variable that api_key_env names.';
  const isAway = error instanceof UnavailableError && ['unreachable', 'timeout'].includes(error.kind);
  if (isAway) return 'Start that server, or correct its url in candidates.yaml.';
  if (mend !== undefined) return mend;
  return error instanceof FlywheelError && error.retryable
    ? 'It was reached and is not well: look into its log, and ask again.'
    : 'Correct its entry in candidates.yaml: url, api_key_env or model.';
}
