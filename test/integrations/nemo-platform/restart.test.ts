import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { hasEnded, type Trainer } from '../../../activities/ports/trainer.ts';
import { type NemoPlatformService, startNemoPlatform } from '../../../cli/dev/services/nemo-platform.ts';
import { prepareNemoPlatform } from '../../../cli/setup/nemo-platform-environment.ts';
import { createDeployer } from '../../../integrations/nemo-platform/deployer.ts';
import { createEvaluator } from '../../../integrations/nemo-platform/evaluator.ts';
import type { NemoPlatformSettings } from '../../../integrations/nemo-platform/settings.ts';
import { createTrainer } from '../../../integrations/nemo-platform/trainer.ts';
import { freePort } from '../../support/free-port.ts';
import { startHeldGateway } from '../../support/held-gateway.ts';
import { inMemoryArtifacts } from '../../support/in-memory-artifacts.ts';
import { answers, aWorkspace } from '../../support/nemo-platform.ts';
import { aTraining } from '../../support/nemo-platform-adapter.ts';

const minute = 60_000;

/** Trains for longer than a platform takes to come back, and not for much longer. */
const long = { epochs: 250, batchSize: 8, learningRate: 1e-4, schedule: 'linear', warmupRatio: 0 } as const;
const hyperparameters = { ...long, rank: 4, alpha: 4, dropout: 0 };
const manyRows = 160;
const endless = { ...hyperparameters, epochs: 1000 };

/** A platform of its own, which is killed as one that crashes is. */
describe('a NeMo Platform that is restarted in the middle of a training', { timeout: 20 * minute }, () => {
  let dataDir: string;
  let port: number;
  let platform: NemoPlatformService;
  let settings: NemoPlatformSettings;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'flywheel-nemo-'));
    port = await freePort();
    platform = await start();
    settings = await aWorkspace({ url: platform.url });
  }, 10 * minute);
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
      .poll(() => trainer.get(id), { timeout: 10 * minute, interval: 1_000 })
      .toMatchObject({ status: expect.stringMatching(/succeeded|failed|cancelled/) as string });

    const job = await trainer.get(id);
    expect(job).toMatchObject({ status: 'succeeded', error: null });
    expect(job.trainSeconds).toBeGreaterThan(0);
    expect(await trainingsOf(request.metadata)).toHaveLength(1);
    await createDeployer(settings).deploy({ model: job.model ?? '', baseModel: 'flywheel/nano-1m' });
    await expect.poll(() => answers(settings, job.model ?? ''), { timeout: 4 * minute }).toBe(true);
  });

  it('ends a training that was cancelled after it', async () => {
    const { trainer, request } = await aTraining(settings, { hyperparameters: endless }, manyRows);
    const { id } = await trainer.launch(request);
    await untilTraining(trainer, id);

    await restart();
    await trainer.cancel(id);

    await expect.poll(() => trainer.get(id), { timeout: 4 * minute }).toMatchObject({ status: 'cancelled' });
    await expect
      .poll(() => trainingsOf(request.metadata), { timeout: 4 * minute })
      .toMatchObject([{ status: 'cancelled' }]);
  });

  it('says that a job is lost whose process is gone too, and adopts its training when asked again; an evaluation whose process lived on is used', async () => {
    const { trainer, request } = await aTraining(settings, { hyperparameters: endless }, manyRows);
    // To this one only: a process that starts on a busy machine may be silent for as long.
    const impatient = createTrainer({ ...settings, lostAfterMs: 40_000 }, inMemoryArtifacts());
    const { id } = await trainer.launch(request);
    const [evaluation] = await Promise.all([anEvaluationUnderWay(), untilTraining(trainer, id)]);
    const group = await processOf(id);

    process.kill(-group, 'SIGKILL');
    await restart();
    evaluation.gateway.release();

    await expect
      .poll(() => impatient.get(id), { timeout: 4 * minute })
      .toMatchObject({
        status: 'failed',
        errorRetryable: true,
        error: expect.stringContaining('lost') as string,
      });
    // Cancelled, it is heard of again; that it was lost is known to whoever comes later, too.
    await expect
      .poll(() => trainer.get(id), { timeout: 4 * minute })
      .toMatchObject({ status: 'failed', errorRetryable: true });
    const again = await trainer.launch({ ...request, key: `${request.key}-2` });
    await untilTraining(trainer, again.id);
    expect(await trainingsOf(request.metadata)).toMatchObject([{ status: 'running' }]);
    await trainer.cancel(again.id);
    await expect
      .poll(() => trainingsOf(request.metadata), { timeout: 4 * minute })
      .toMatchObject([{ status: 'cancelled' }]);
    await expectUsed(evaluation);
  });

  /** An evaluation whose process waits for its first answer, which no death of the platform keeps from it. */
  async function anEvaluationUnderWay() {
    const gateway = await startHeldGateway(platform.url, 'soon');
    onTestFinished(() => gateway.close());
    const body = { messages: [{ role: 'user', content: 'when is payday' }], max_tokens: 16 };
    const target = { role: 'assistant', content: 'soon' };
    const rows = ['item-1', 'item-2'].map((itemId) => ({ itemId, body, target }));
    const key = `run-${Math.random().toString(36).slice(2)}`;
    const evaluator = createEvaluator({ ...settings, url: gateway.url });
    const { id } = await evaluator.launch({ key, model: 'nano-1m', rows, metadata: {} });
    await gateway.asked;
    return { gateway, id };
  }

  /** The platform goes on calling it active, with all its rows there. */
  async function expectUsed({ id }: { id: string }): Promise<void> {
    const job = `apis/evaluator/v2/workspaces/${settings.workspace}/evaluate/jobs/${id}`;
    const told = async (path: string) => (await fetch(`${platform.url}/${job}${path}`)).text();
    await expect.poll(() => told('/results'), { timeout: 4 * minute }).toContain('row-scores');
    expect(await told('/status')).toContain('"status":"active"');
    const evaluator = createEvaluator({ ...settings, lostAfterMs: 1 });
    expect(await evaluator.get(id)).toMatchObject({ status: 'succeeded', error: null });
    const scores: unknown[] = [];
    for await (const { itemId, metrics } of evaluator.results(id)) scores.push([itemId, metrics]);
    expect(scores).toHaveLength(2);
    expect(scores).toContainEqual(['item-1', { 'string-check': 1 }]);
  }

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
