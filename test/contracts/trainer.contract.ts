import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ArtifactStore } from '../../activities/ports/artifact-store.ts';
import {
  type FineTuneRequest,
  hasEnded,
  type Trainer,
  type TrainingJob,
} from '../../activities/ports/trainer.ts';
import { RejectedError } from '../../domain/errors.ts';
import { defaultLora } from '../../domain/experiments/defaults.ts';

export interface TrainerSetup {
  readonly trainer: Trainer;
  /** The store that the trainer reads its rows from. */
  readonly artifacts: ArtifactStore;
  /** A base model that can be trained. */
  readonly baseModel: string;
  /** Whether the model, by its id, answers; where serving takes a while after training, once it should. */
  answers(model: string): Promise<boolean>;
  /** The service splits off validation rows of its own where it is given none. */
  readonly alwaysValidates?: boolean;
  /** How long a cancelled job may take to end; a minute unless said. */
  readonly cancelledWithinMs?: number;
}

const tool = {
  type: 'function',
  function: { name: 'pto_balance', parameters: { type: 'object', properties: {} } },
};

/** A training row in OpenAI's form. */
function row(n: number): string {
  const call = { id: 'call_1', type: 'function', function: { name: 'pto_balance', arguments: '{}' } };
  return JSON.stringify({
    messages: [
      { role: 'user', content: `how many days off do I have left, asked for the ${n}th time` },
      { role: 'assistant', content: null, tool_calls: [call] },
    ],
    tools: [tool],
  });
}

/** A trainer's process may have to load its libraries first, which takes most of it. */
const trainingTimeoutMs = 600_000;

/** What every trainer does. One job at a time: the trainer refuses a second one while it is busy. */
export function describeTrainer(
  name: string,
  setup: () => Promise<TrainerSetup>,
  /**
   * `queues`: it puts a job behind others by itself, instead of refusing it while the device is taken.
   * `setsAside`: it leaves rows out that the model cannot learn from, and tells which.
   */
  { queues = false, setsAside = false }: { readonly queues?: boolean; readonly setsAside?: boolean } = {},
): void {
  describe(`${name} as a trainer`, { timeout: trainingTimeoutMs }, () => {
    let bundle: TrainerSetup;
    let launched: TrainingJob[];
    beforeEach(async () => {
      bundle = await setup();
      launched = [];
    }, trainingTimeoutMs);
    afterEach(async () => {
      for (const job of launched) await bundle.trainer.cancel(job.id);
      // The next test, or file, finds the device free.
      for (const job of launched) await until(job.id, hasEnded);
    }, trainingTimeoutMs);

    async function aRequest(
      overrides: Partial<FineTuneRequest> & { rows?: string[] } = {},
    ): Promise<FineTuneRequest> {
      const { rows = Array.from({ length: 16 }, (_, n) => row(n)), ...rest } = overrides;
      return {
        key: `run-${Math.random().toString(36).slice(2)}`,
        baseModel: bundle.baseModel,
        train: await bundle.artifacts.putLines(rows),
        validation: await bundle.artifacts.putLines([row(100), row(101)]),
        hyperparameters: { ...defaultLora, epochs: 1, batchSize: 8, rank: 4, alpha: 4 },
        seed: 1,
        suffix: 'contract',
        metadata: { run_id: 'run-contract' },
        ...rest,
      };
    }

    /** Long enough to be caught in the middle, by far. */
    async function aLongRequest(): Promise<FineTuneRequest> {
      const request = await aRequest();
      return { ...request, hyperparameters: { ...request.hyperparameters, epochs: 1000 } };
    }

    async function launch(request: FineTuneRequest): Promise<TrainingJob> {
      const job = await bundle.trainer.launch(request);
      launched.push(job);
      return job;
    }

    async function until(jobId: string, is: (job: TrainingJob) => boolean): Promise<TrainingJob> {
      for (;;) {
        const job = await bundle.trainer.get(jobId);
        if (is(job)) return job;
        await setTimeout(500);
      }
    }

    /** At once, or, from a trainer that looks at rows only when a job's turn has come, as the job's error. */
    async function refusalOf(request: FineTuneRequest): Promise<string> {
      try {
        const job = await launch(request);
        const ended = await until(job.id, hasEnded);
        expect(ended).toMatchObject({ status: 'failed', model: null, errorRetryable: false });
        return ended.error ?? '';
      } catch (error) {
        if (!(error instanceof RejectedError)) throw error;
        expect(error.code).toMatch(/^(too_many_unfit_rows|row_too_long)$/);
        return error.message;
      }
    }

    it('trains a model that answers, and tells how far it came', async () => {
      const job = await launch(await aRequest());

      const ended = await until(job.id, hasEnded);

      expect(ended).toMatchObject({ id: job.id, status: 'succeeded', error: null });
      expect(ended.trainSeconds).toBeGreaterThan(0);
      expect(await bundle.trainer.progress(job.id)).toMatchObject({
        step: 2,
        totalSteps: 2,
        trainLoss: expect.any(Number) as number,
        validationLoss: expect.any(Number) as number,
      });
      expect(await bundle.answers(ended.model ?? '')).toBe(true);
      // Ended as it is, a cancellation changes nothing.
      await bundle.trainer.cancel(job.id);
      expect(await bundle.trainer.get(job.id)).toEqual(ended);
    });

    if (setsAside) {
      it(
        'sets rows aside that the model cannot learn from, where few enough are, and lists them',
        async () => {
          const tooLong = row(1).replace('how many', 'how many many '.repeat(20_000));
          const rows = [...Array.from({ length: 8 }, (_, n) => row(n)), tooLong];
          const validation = await bundle.artifacts.putLines([tooLong, row(1)]);
          const request = await aRequest({ rows, validation, maxSetAsideShare: 0.5 });

          const job = await launch(request);
          const again = await launch(request);
          const ended = await until(job.id, hasEnded);
          const listed = await bundle.trainer.setAside?.(job.id);

          expect(again.id).toBe(job.id);
          expect(ended).toMatchObject({ status: 'succeeded', error: null });
          expect(listed).toEqual([
            { split: 'train', line: 9, reason: 'row_too_long', detail: expect.any(String) as string },
            { split: 'validation', line: 1, reason: 'row_too_long', detail: expect.any(String) as string },
          ]);
          const few = await aRequest({ rows: [row(1), tooLong, tooLong], maxSetAsideShare: 0.5 });
          expect(await refusalOf(few)).toContain('2 of 3 rows do not fit');
          const { maxSetAsideShare: _, ...none } = request;
          expect(await refusalOf({ ...none, key: `${none.key}-none` })).toMatch(/line 9/);
        },
        2 * trainingTimeoutMs,
      );
    } else {
      it('does not claim to tell which rows it left out', () => {
        expect(bundle.trainer.setAside).toBeUndefined();
      });
    }

    it('finds a job by its key, and launches none twice', async () => {
      const request = await aLongRequest();
      expect(await bundle.trainer.findAll(request.key)).toEqual([]);

      const [first, atOnce] = await Promise.all([launch(request), launch(request)]);
      const again = await launch(request);

      expect([atOnce.id, again.id]).toEqual([first.id, first.id]);
      expect(await bundle.trainer.findAll(request.key)).toMatchObject([{ id: first.id }]);
      expect(await bundle.trainer.findAll(request.key.slice(0, -1))).toEqual([]);
    });

    if (queues) {
      it('puts a second job behind the first', async () => {
        const first = await launch(await aLongRequest());
        await until(first.id, ({ status }) => status === 'running');

        const second = await launch(await aRequest());

        // A process that starts, and has not asked for the device yet, may be called running.
        await expect
          .poll(() => bundle.trainer.get(second.id), { timeout: 120_000 })
          .toMatchObject({ status: 'queued', model: null });
        await bundle.trainer.cancel(first.id);
        expect(await until(second.id, hasEnded)).toMatchObject({ status: 'succeeded' });
      });
    } else {
      it('refuses a second job while the device is taken, and says when to come back', async () => {
        await launch(await aLongRequest());

        const second = bundle.trainer.launch(await aRequest());

        await expect(second).rejects.toMatchObject({ name: 'UnavailableError', kind: 'busy' });
        await expect(second).rejects.toHaveProperty('retryAfterMs', expect.any(Number));
      });
    }

    it('ends a job in the middle of its training within seconds, and takes the next one', async () => {
      const validation = await bundle.artifacts.putLines([]);
      const job = await launch({ ...(await aLongRequest()), validation });
      await expect
        .poll(() => bundle.trainer.progress(job.id), { timeout: trainingTimeoutMs, interval: 500 })
        .toMatchObject({
          step: expect.any(Number) as number,
          ...(bundle.alwaysValidates ? {} : { validationLoss: null }),
        });

      await bundle.trainer.cancel(job.id);

      await expect
        .poll(() => bundle.trainer.get(job.id), { timeout: bundle.cancelledWithinMs ?? 60_000 })
        .toMatchObject({ status: 'cancelled', model: null });
      await bundle.trainer.cancel(job.id);
      const next = await launch(await aLongRequest());
      expect(next.id).not.toBe(job.id);
    });

    it.each([
      ['a row that is not JSON', [row(1), '{"messages": [', row(2)], /line 2/],
      ['a row without an answer', [row(1), '{"messages":[{"role":"user","content":"hi"}]}'], /line 2/],
      ['no rows at all', [], /empty/i],
    ])('refuses %s, says where, and keeps nothing', async (_, rows, where) => {
      const request = await aRequest({ rows });

      const launching = bundle.trainer.launch(request);

      await expect(launching).rejects.toMatchObject({ name: 'RejectedError' });
      await expect(launching).rejects.toThrow(where);
      expect(await bundle.trainer.findAll(request.key)).toEqual([]);
    });

    it('refuses a base model that it does not have, by name', async () => {
      const launching = bundle.trainer.launch(await aRequest({ baseModel: 'no-such-model' }));

      await expect(launching).rejects.toMatchObject({ name: 'RejectedError', code: 'model_not_found' });
      await expect(launching).rejects.toThrow('no-such-model');
    });

    it('does not know a job that was never made', async () => {
      await expect(bundle.trainer.get('ftjob-none')).rejects.toMatchObject({
        name: 'RejectedError',
        code: 'not_found',
      });
    });
  });
}
