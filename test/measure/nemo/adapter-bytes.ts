import { z } from 'zod';

const Jobs = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      status: z.string(),
      fine_tuned_model: z.string().nullish(),
      train_seconds: z.number().nullish(),
      hyperparameters: z.record(z.string(), z.unknown()),
      training_file: z.string(),
      metadata: z.record(z.string(), z.unknown()).nullish(),
    }),
  ),
});
const Files = z.object({ data: z.array(z.object({ name: z.string(), sha256: z.string() })) });

/** A training as the model server did it, whoever asked for it. */
export interface Training {
  readonly job: string;
  readonly trainSeconds: number | null;
  readonly hyperparameters: Readonly<Record<string, unknown>>;
  /** By content: the same rows are the same file. */
  readonly trainingFile: string;
  /** sha256 of `adapter_model.safetensors`. */
  readonly weights: string;
}

/**
 * The trainings that a run had at the model server, which trains for all three: found by the run, or by
 * Customizer's jobs, in their metadata.
 */
export async function trainingsAt(
  modelServer: string,
  { runId, jobs }: { readonly runId: string; readonly jobs: readonly string[] },
): Promise<Training[]> {
  const { data } = Jobs.parse(await read(`${modelServer}/v1/fine_tuning/jobs?limit=100`));
  const ours = data.filter(
    ({ metadata }) =>
      metadata?.['run_id'] === runId || jobs.includes(String(metadata?.['customization_job'])),
  );
  return Promise.all(
    ours.map(async (job) => ({
      job: job.id,
      trainSeconds: job.train_seconds ?? null,
      hyperparameters: job.hyperparameters,
      trainingFile: job.training_file,
      weights: job.fine_tuned_model ? await weightsOf(modelServer, job.fine_tuned_model) : job.status,
    })),
  );
}

async function weightsOf(modelServer: string, model: string): Promise<string> {
  const { data } = Files.parse(await read(`${modelServer}/v1/adapters/${model}/files`));
  return data.find(({ name }) => name === 'adapter_model.safetensors')?.sha256 ?? 'no weights';
}

async function read(url: string): Promise<unknown> {
  const reply = await fetch(url, { signal: AbortSignal.timeout(30_000) });
  if (!reply.ok) throw new Error(`GET ${url}: ${reply.status} ${await reply.text()}`);
  return reply.json();
}
