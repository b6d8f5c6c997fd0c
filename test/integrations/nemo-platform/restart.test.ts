import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { hasEnded, type Trainer } from '../../../activities/ports/trainer.ts';
import { type NemoPlatformService, startNemoPlatform } from '../../../cli/dev/services/nemo-platform.ts';
import { prepareNemoPlatform } from '../../../cli/setup/nemo-platform-environment.ts';
import { createDeployer } from '../../../integrations/nemo-platform/deployer.ts';
import type { NemoPlatformSettings } from '../../../integrations/nemo-platform/settings.ts';
import { freePort } from '../../support/free-port.ts';
import { answers, aWorkspace } from '../../support/nemo-platform.ts';
import { aTraining } from '../../support/nemo-platform-adapter.ts';

const minute = 60_000;

/** Trains for longer than a platform takes to come back, and not for much longer. */
const long = { epochs: 250, batchSize: 8, learningRate: 1e-4, schedule: 'linear', warmupRatio: 0 } as const;
const hyperparameters = { ...long, rank: 4, alpha: 4, dropout: 0 };
const manyRows = 160;
const endless = { ...hyperparameters, epochs: 1000 };

/** A platform of its own, which is killed as one that crashes is. */
describe('a NeMo Platform that is restarted in the middle of a training', { timeout: 12 * minute }, () => {
  let dataDir: string;
  let port: number;
  let platform: NemoPlatformService;
  let settings: NemoPlatformSettings;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'flywheel-nemo-'));
    port = await freePort();
    platform = await start();
    settings = await aWorkspace({ url: platform.url });
  }, 6 * minute);
  afterAll(async () => {
    await platform.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  async function start(): Promise<NemoPlatformService> {
    const tools = await prepareNemoPlatform(console.log);
    return startNemoPlatform({ ...tools, dataDir, port });
  }

  /** SIGKILL: no time to put anything in order. */
  async function restart(): Promise<void> {
    process.kill(platform.pid, 'SIGKILL');
    await platform.exited;
    platform = await start();
  }

  it('has one training and one adapter in the end, though it lost the job’s process', async () => {
    const { trainer, request } = await aTraining(settings, { hyperparameters });
    const { id } = await trainer.launch(request);
    await untilTraining(trainer, id);

    await restart();
    await expect
      .poll(() => trainer.get(id), { timeout: 6 * minute, interval: 1_000 })
      .toMatchObject({ status: expect.stringMatching(/succeeded|failed|cancelled/) as string });

    const job = await trainer.get(id);
    expect(job).toMatchObject({ status: 'succeeded', error: null });
    expect(job.trainSeconds).toBeGreaterThan(0);
    expect(await trainingsOf(request.metadata)).toHaveLength(1);
    await createDeployer(settings).deploy({ model: job.model ?? '', baseModel: 'flywheel/nano-1m' });
    await expect.poll(() => answers(settings, job.model ?? ''), { timeout: minute }).toBe(true);
  });

  it('ends a training that was cancelled after it', async () => {
    const { trainer, request } = await aTraining(settings, { hyperparameters: endless }, manyRows);
    const { id } = await trainer.launch(request);
    await untilTraining(trainer, id);

    await restart();
    await trainer.cancel(id);

    await expect.poll(() => trainer.get(id), { timeout: minute }).toMatchObject({ status: 'cancelled' });
    await expect
      .poll(() => trainingsOf(request.metadata), { timeout: minute })
      .toMatchObject([{ status: 'cancelled' }]);
  });

  it('says that a job is lost whose process is gone too, and adopts its training when asked again', async () => {
    const { trainer, request } = await aTraining(
      { ...settings, lostAfterMs: 40_000 },
      { hyperparameters: endless },
      manyRows,
    );
    const { id } = await trainer.launch(request);
    await untilTraining(trainer, id);
    const group = await processOf(id);

    process.kill(-group, 'SIGKILL');
    await restart();

    await expect
      .poll(() => trainer.get(id), { timeout: 2 * minute })
      .toMatchObject({
        status: 'failed',
        errorRetryable: true,
        error: expect.stringContaining('lost') as string,
      });
    const again = await trainer.launch({ ...request, key: `${request.key}-2` });
    await untilTraining(trainer, again.id);
    expect(await trainingsOf(request.metadata)).toMatchObject([{ status: 'running' }]);
    await trainer.cancel(again.id);
    await expect
      .poll(() => trainingsOf(request.metadata), { timeout: minute })
      .toMatchObject([{ status: 'cancelled' }]);
  });

  /** The platform's own word for the process that it started. */
  async function processOf(jobId: string): Promise<number> {
    const reply = await fetch(`${platform.url}/apis/jobs/v2/workspaces/flywheel/jobs/${jobId}/status`);
    const { steps } = (await reply.json()) as { steps: { tasks: { status_details: { pgid: number } }[] }[] };
    const group = steps[0]?.tasks[0]?.status_details.pgid;
    if (group === undefined) throw new Error('the job has no process');
    return group;
  }
});

/** Throws as soon as the job has ended instead. */
async function untilTraining(trainer: Trainer, jobId: string): Promise<void> {
  for (;;) {
    if ((await trainer.progress(jobId)) !== null) return;
    const job = await trainer.get(jobId);
    if (hasEnded(job)) throw new Error(`job ${jobId} ended ${job.status}: ${job.error}`);
    await sleep(500);
  }
}

/** The model server's own jobs for a run: how often it really trained. */
async function trainingsOf({
  run_id: runId,
}: Readonly<Record<string, string>>): Promise<{ status: string }[]> {
  const url = `${inject('modelServerUrl')}/v1/fine_tuning/jobs?limit=100&metadata[run_id]=${runId}`;
  const { data } = (await (await fetch(url)).json()) as { data: { status: string }[] };
  return data;
}
