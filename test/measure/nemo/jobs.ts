import { z } from 'zod';
import type { Config } from '../../../config/config.ts';

/** Work that a run left at a provider: `of` is the experiment or evaluation that its metadata name. */
export interface RemoteJob {
  readonly id: string;
  readonly status: string;
  readonly of: string;
}

/** Where a run's jobs are looked up: at the provider itself, not in Flywheel's own lineage. */
export interface Provider {
  trainings(runId: string): Promise<RemoteJob[]>;
  /** null where Flywheel asks and scores by itself. */
  evaluations: ((runId: string) => Promise<RemoteJob[]>) | null;
}

const Fields = z.record(z.string(), z.unknown()).nullish();

const ModelServerJobs = z.object({
  data: z.array(z.object({ id: z.string(), status: z.string(), metadata: Fields })),
});
const Jobs = z.object({
  data: z.array(
    z.object({ id: z.string(), name: z.string().nullish(), status: z.string(), custom_fields: Fields }),
  ),
});

/** By the names of candidates.yaml. */
export function providersOf({ modelServer, nemoPlatform }: Config, nemoV1Url: string) {
  const local: Provider = {
    async trainings(runId) {
      const { data } = ModelServerJobs.parse(await get(`${modelServer.url}/v1/fine_tuning/jobs?limit=100`));
      return ofRun(
        data.map(({ metadata, ...job }) => ({ ...job, fields: metadata ?? {} })),
        runId,
      );
    },
    evaluations: null,
  };
  const jobsAt = (url: string) => async (runId: string) => {
    const { data } = Jobs.parse(await get(url));
    return ofRun(
      data.map(({ id, name, status, custom_fields }) => ({
        id: name ?? id,
        status,
        fields: custom_fields ?? {},
      })),
      runId,
    );
  };
  const nemoV1: Provider = {
    trainings: jobsAt(`${nemoV1Url}/v1/customization/jobs?page_size=1000`),
    evaluations: jobsAt(`${nemoV1Url}/v1/evaluation/jobs?page_size=1000`),
  };
  const platformJobs = jobsAt(`${nemoPlatform?.url}/apis/jobs/v2/workspaces/flywheel/jobs?page_size=100`);
  const kind = (prefix: string) => async (runId: string) =>
    (await platformJobs(runId)).filter(({ id }) => id.startsWith(prefix));
  const platform: Provider = {
    trainings: kind('flywheel-tune-'),
    evaluations: kind('flywheel-eval-'),
  };
  return {
    'model-server': local,
    'nemo-platform': platform,
    'nemo-v1': nemoV1,
    'model-server-cosine': local,
  } as const;
}

export type CandidateName = keyof ReturnType<typeof providersOf>;

interface Seen {
  readonly id: string;
  readonly status: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

function ofRun(jobs: readonly Seen[], runId: string): RemoteJob[] {
  return jobs
    .filter(({ fields }) => fields['run_id'] === runId)
    .map(({ id, status, fields }) => ({
      ...{ id, status },
      of: z.string().parse(fields['experiment_id'] ?? fields['evaluation_id']),
    }));
}

async function get(url: string): Promise<unknown> {
  const reply = await fetch(url, { signal: AbortSignal.timeout(30_000) });
  if (!reply.ok) throw new Error(`GET ${url}: ${reply.status} ${await reply.text()}`);
  return reply.json();
}
