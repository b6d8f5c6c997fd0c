import type { Config } from '../../config/config.ts';
import { FlywheelError } from '../../domain/errors.ts';
import { type Candidate, trainerOf } from '../../domain/experiments/experiment.ts';
import { openArtifactStore } from '../../wiring/open-artifact-store.ts';
import { openDeployers } from '../../wiring/open-deployers.ts';
import { openChatModels, openEmbedders, openTrainers } from '../../wiring/open-models.ts';

export interface CheckedCandidate {
  readonly candidate: string;
  /** What was asked of whom. */
  readonly asked: string;
  /** What was found instead; null when all is well. */
  readonly problem: string | null;
  /** What to do about it; null when all is well. */
  readonly mend: string | null;
}

interface Question {
  readonly asked: string;
  /** Throws with what is wrong. */
  ask(): Promise<unknown>;
}

const embedTimeoutMs = 60_000;
/** No run has it: what finds nothing under it has been reached and let us in. */
const noKey = 'flywheel-candidates-check';

/** Asks each candidate's providers everything that a run would need of them, and changes nothing there. */
export function checkCandidates(config: Config, signal: AbortSignal): Promise<CheckedCandidate[]> {
  const providers = openProviders(config, signal);
  return Promise.all(
    config.candidates.flatMap((candidate) =>
      questions(candidate, providers).map(async ({ asked, ask }) => ({
        candidate: candidate.name,
        asked,
        ...(await answered(ask)),
      })),
    ),
  );
}

type Providers = ReturnType<typeof openProviders>;

/** Each opened once, whoever of the candidates asks it; whether it trains is asked once, too. */
function openProviders(config: Config, signal: AbortSignal) {
  const [chatModels, deployers, embedders] = [
    openChatModels(config),
    openDeployers(config),
    openEmbedders(config),
  ];
  const trainers = openTrainers(config, openArtifactStore(config));
  const training = new Map<string, Promise<unknown>>();
  return {
    /** Where models are deployed on request, one that is not there yet is no complaint. */
    async serves({ provider, model }: Candidate): Promise<void> {
      if ((await chatModels(provider).isServed(model)) || deployers(provider) !== null) return;
      throw new Error(`${provider} does not list the model ${model}.`);
    },
    async trains(provider: string): Promise<unknown> {
      const asked = training.get(provider) ?? trainers(provider).find(noKey);
      training.set(provider, asked);
      return asked;
    },
    embeds: ({ provider, model }: ModelName) =>
      embedders(provider).embed({ model, texts: ['Hello'], timeoutMs: embedTimeoutMs, signal }),
  };
}

type ModelName = Pick<Candidate, 'provider' | 'model'>;

function questions(candidate: Candidate, providers: Providers): Question[] {
  const { provider, model, strategies, icl } = candidate;
  const { similarity } = icl;
  const trainer = trainerOf(candidate);
  const asked: Question[] = [
    { asked: `${provider} serves ${model}`, ask: () => providers.serves(candidate) },
  ];
  if (strategies.includes('lora'))
    asked.push({ asked: `${trainer} trains`, ask: () => providers.trains(trainer) });
  if (strategies.includes('icl') && similarity)
    asked.push({
      asked: `${similarity.provider} embeds with ${similarity.model}`,
      ask: async () => providers.embeds(similarity),
    });
  return asked;
}

async function answered(ask: Question['ask']): Promise<Pick<CheckedCandidate, 'problem' | 'mend'>> {
  try {
    await ask();
    return { problem: null, mend: null };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { problem, mend: mendOf(error) };
  }
}

function mendOf(error: unknown): string {
  if (error instanceof FlywheelError && error.retryable)
    return 'Start that server, or correct its url in candidates.yaml.';
  return 'Correct its entry in candidates.yaml: url, api_key_env or model.';
}
