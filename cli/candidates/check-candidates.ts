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
  return Promise.all(
    config.candidates.flatMap((candidate) =>
      questions(config, candidate, signal).map(async ({ asked, ask }) => ({
        candidate: candidate.name,
        asked,
        ...(await answered(ask)),
      })),
    ),
  );
}

function questions(config: Config, candidate: Candidate, signal: AbortSignal): Question[] {
  const { provider, model, strategies, icl } = candidate;
  const { similarity } = icl;
  const trainer = trainerOf(candidate);
  return [
    { asked: `${provider} serves ${model}`, ask: () => isServed(config, candidate) },
    ...(strategies.includes('lora')
      ? [
          {
            asked: `${trainer} trains`,
            ask: () => openTrainers(config, openArtifactStore(config))(trainer).find(noKey),
          },
        ]
      : []),
    ...(strategies.includes('icl') && similarity
      ? [
          {
            asked: `${similarity.provider} embeds with ${similarity.model}`,
            ask: () =>
              openEmbedders(config)(similarity.provider).embed({
                ...{ model: similarity.model, texts: ['Hello'], timeoutMs: embedTimeoutMs, signal },
              }),
          },
        ]
      : []),
  ];
}

/** Where models are deployed on request, one that is not there yet is no complaint. */
async function isServed(config: Config, { provider, model }: Candidate): Promise<void> {
  const served = await openChatModels(config)(provider).isServed(model);
  if (served || openDeployers(config)(provider) !== null) return;
  throw new Error(`${provider} does not list the model ${model}.`);
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
