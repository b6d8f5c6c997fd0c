import { z } from 'zod';
import type { AdapterFiles } from '../../activities/ports/adapter-files.ts';
import type { Check, ProviderChecks } from '../../activities/ports/provider-checks.ts';
import { NotFoundError, RejectedError } from '../../domain/errors.ts';
import { listsModel } from '../openai/checks.ts';
import { createClient, type ProviderSettings } from '../openai/client.ts';
import { isMissingRoute } from '../openai/errors.ts';

const timeoutMs = 30_000;
/** No adapter is called so. */
const noModel = 'flywheel-candidates-check';

/**
 * Of a vLLM: its base model, and whether adapters can be brought to it and loaded. It trains nothing itself;
 * `trainers`, by name, do it for what it serves.
 */
export function createChecks(
  settings: ProviderSettings,
  trainers: Readonly<Record<string, AdapterFiles>>,
): ProviderChecks {
  return {
    serving: (model, { adapters }) => [
      listsModel(settings, model),
      ...(adapters ? [loadsAdapters(settings), ...fetches(trainers)] : []),
    ],
    training: () => [],
    evaluating: () => [],
  };
}

/** A load without a name is refused, by a server that knows loads at all. */
function loadsAdapters(settings: ProviderSettings): Check {
  const body = { lora_name: '', lora_path: '' };
  return {
    asked: 'loads adapters at run time',
    async ask() {
      try {
        await createClient(settings).call({
          ...{ doing: 'load adapters at run time', timeoutMs, reply: z.unknown() },
          send: (openai, options) => openai.post('/load_lora_adapter', { ...options, body }),
        });
      } catch (error) {
        const isRefused = error instanceof RejectedError && error.code !== 'unauthorized';
        if (!isRefused || isMissingRoute(error)) throw error;
      }
    },
    mend: 'Start it with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True.',
  };
}

function fetches(trainers: Readonly<Record<string, AdapterFiles>>): Check[] {
  return Object.entries(trainers).map(([trainer, files]) => ({
    asked: `can be brought the adapters of ${trainer}`,
    async ask() {
      const listing = await files.list(noModel).catch((error: unknown) => {
        if (!(error instanceof NotFoundError)) throw error;
      });
      if (listing === null)
        throw new RejectedError(`${trainer} does not hand out the files of its adapters.`);
    },
    mend: 'Name a trainer whose adapters can be read: a Flywheel model server, or a NeMo Platform.',
  }));
}
