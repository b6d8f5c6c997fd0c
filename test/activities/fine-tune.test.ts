import type { Client } from '@temporalio/client';
import { ActivityCancellationDetails, CancelledFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import { createFineTune, type FineTuneInput } from '../../activities/fine-tune.ts';
import type { TrainingTiming } from '../../activities/watch-training.ts';
import { RejectedError, UnavailableError } from '../../domain/errors.ts';
import { anAttempt, runIn } from '../support/activity-environment.ts';
import { aCandidate, aDataset } from '../support/experiments.ts';
import { inMemoryArtifacts } from '../support/in-memory-artifacts.ts';
import { inMemoryDatasets, inMemoryTrainings } from '../support/in-memory-lineage.ts';
import { type ScriptedJob, scriptedTrainer } from '../support/scripted-trainer.ts';

const fast: TrainingTiming = { pollMs: 1, reportMs: 0, silenceMs: 50, endMs: 40 };

const input: FineTuneInput = {
  experimentId: 'run-1/nano/lora',
  runId: 'run-1',
  workloadId: 'HR desk',
  candidate: aCandidate(),
  datasetId: 'data-1',
  seed: 7,
};

async function setup(timing = fast) {
  const trainer = scriptedTrainer();
  const artifacts = inMemoryArtifacts();
  const manifest = await artifacts.putText(
    JSON.stringify({
      splits: { train: { recordIds: ['rec-a', 'rec-b', 'rec-c'] }, validation: { recordIds: ['rec-d'] } },
    }),
  );
  const trainings = inMemoryTrainings();
  const lineage = { datasets: inMemoryDatasets(aDataset({ files: { manifest } })), experiments: trainings };
  const { fineTune } = createFineTune({ lineage, artifacts, trainers: () => trainer }, timing);
  const train = (of: FineTuneInput = input, environment = anAttempt()) => runIn(environment, fineTune, of);
  return { artifacts, trainer, trainings, train };
}

/** After so many looks at a job, changes the newest one. */
function after(
  looks: number,
  change: (job: ScriptedJob) => void,
  trainer: ReturnType<typeof scriptedTrainer>,
) {
  let seen = 0;
  trainer.onCall = (call) => {
    const job = trainer.jobs.at(-1);
    if (call === 'get' && job && ++seen === looks) change(job);
  };
}

function succeed(job: ScriptedJob): void {
  Object.assign(job, {
    status: 'succeeded',
    model: `ft:nano-1m:flywheel:hr-desk:${job.id}`,
    trainSeconds: 12.5,
  });
}

test('a training ends in a model, a serving and an adapter with its lineage', async () => {
  const { trainer, trainings, train } = await setup();
  after(3, succeed, trainer);

  const result = await train();

  const model = 'ft:nano-1m:flywheel:hr-desk:job-1';
  expect(result).toEqual({
    model,
    jobId: 'job-1',
    trainSeconds: 12.5,
    serving: { provider: 'local', model, fewShotUri: null, maxTokens: 64 },
  });
  expect(trainings.jobs.get('job-1')).toMatchObject({
    status: 'succeeded',
    experimentId: input.experimentId,
  });
  expect(trainings.adapters.get(model)).toMatchObject({
    jobId: 'job-1',
    baseModel: 'nano-1m',
    datasetId: 'data-1',
  });
});

test('the trainer is told the run, and a key that starts with it', async () => {
  const { trainer, train } = await setup();
  after(1, succeed, trainer);

  await train();

  expect(trainer.requests[0]).toMatchObject({
    suffix: 'hr-desk',
    seed: 7,
    metadata: { run_id: 'run-1', workload_id: 'HR desk', dataset_id: 'data-1' },
  });
  expect(trainer.requests[0]?.key).toMatch(/^run-1-[0-9a-f]{16}$/);
});

test('an attempt after a crash adopts the job that is running', async () => {
  const { trainer, train } = await setup();
  // The first attempt's process dies in the middle of watching.
  let looks = 0;
  trainer.onCall = (call) => {
    if (call === 'get' && ++looks === 3) throw new RejectedError('this process is gone');
  };
  await expect(train()).rejects.toThrow('this process is gone');
  after(2, succeed, trainer);

  const result = await train();

  expect(result.jobId).toBe('job-1');
  expect(trainer.requests).toHaveLength(1);
});

test('two runs of one workload make two jobs', async () => {
  const { trainer, train } = await setup();
  trainer.onCall = () => trainer.jobs.filter((job) => job.status === 'running').forEach(succeed);

  await train();
  await train({ ...input, runId: 'run-2' });

  expect(new Set(trainer.requests.map(({ key }) => key)).size).toBe(2);
});

test.each([
  ['seed', { seed: 8 }],
  ['learning rate', { candidate: aCandidate({ lora: { ...input.candidate.lora, learningRate: 1 } }) }],
  ['base model', { candidate: aCandidate({ model: 'other' }) }],
])('another %s is another job of the same run', async (_, change) => {
  const { trainer, train } = await setup();
  trainer.onCall = () => trainer.jobs.filter((job) => job.status === 'running').forEach(succeed);

  await train();
  await train({ ...input, ...change });

  expect(trainer.requests).toHaveLength(2);
});

test('records that the model cannot learn from are listed with the job, by every attempt alike', async () => {
  const { artifacts, trainer, trainings, train } = await setup();
  trainer.setAside = async () => [
    { split: 'train', line: 2, reason: 'row_too_long', detail: '900 tokens' },
    { split: 'train', line: 3, reason: 'invalid_training_row', detail: 'two calls' },
    { split: 'validation', line: 1, reason: 'row_too_long', detail: '901 tokens' },
  ];
  let looks = 0;
  trainer.onCall = (call) => {
    if (call === 'get' && ++looks === 2) throw new RejectedError('this process is gone');
  };
  await expect(train()).rejects.toThrow('this process is gone');
  const first = trainings.jobs.get('job-1')?.setAside;
  after(1, succeed, trainer);

  await train();

  const setAside = trainings.jobs.get('job-1')?.setAside;
  expect(setAside).toMatchObject({
    train: 2,
    validation: 1,
    reasons: { row_too_long: 2, invalid_training_row: 1 },
  });
  expect(setAside).toEqual(first);
  const listed = (await artifacts.readText(setAside?.list.uri ?? '')).trim().split('\n');
  expect(listed.map((line) => JSON.parse(line) as unknown)).toEqual([
    { recordId: 'rec-b', split: 'train', reason: 'row_too_long', detail: '900 tokens' },
    { recordId: 'rec-c', split: 'train', reason: 'invalid_training_row', detail: 'two calls' },
    { recordId: 'rec-d', split: 'validation', reason: 'row_too_long', detail: '901 tokens' },
  ]);
  expect(trainer.requests[0]?.maxSetAsideShare).toBe(0.5);
});

test('what a trainer tells only when the job’s turn has come is listed all the same', async () => {
  const { trainer, trainings, train } = await setup();
  trainer.setAside = async (jobId) =>
    trainer.jobs.some(({ id, status }) => id === jobId && status === 'succeeded')
      ? [{ split: 'train', line: 2, reason: 'row_too_long', detail: '900 tokens' }]
      : [];
  after(1, succeed, trainer);

  await train();

  expect(trainings.jobs.get('job-1')?.setAside).toMatchObject({ train: 1, validation: 0 });
});

test('too few records that fit fail the training, with the reason', async () => {
  const { trainer, train } = await setup();
  trainer.onCall = (call) => {
    if (call === 'launch')
      throw new RejectedError('9 of 10 rows do not fit.', { code: 'too_many_unfit_rows' });
  };

  const training = train();

  await expect(training).rejects.toMatchObject({ name: 'RejectedError', code: 'too_many_unfit_rows' });
  await expect(training).rejects.toThrow(
    '9 of 10 rows do not fit. Questions like these will be asked as well, and each counts as failed: nano-1m could not win',
  );
});

test('a trainer that does not tell, or sets nothing aside, leaves no list', async () => {
  const { trainer, trainings, train } = await setup();
  after(1, succeed, trainer);

  await train();

  expect(trainings.jobs.get('job-1')).not.toHaveProperty('setAside');
});

test('progress goes into the heartbeat and the lineage', async () => {
  const { trainer, trainings, train } = await setup({ ...fast, pollMs: 5 });
  const environment = anAttempt();
  const heartbeats: unknown[] = [];
  environment.on('heartbeat', (details) => heartbeats.push(details));
  const progress = { step: 0, totalSteps: 40, trainLoss: 2.5, validationLoss: null };
  let looks = 0;
  trainer.onCall = (call) => {
    const job = trainer.jobs[0];
    if (call !== 'get' || !job) return;
    job.progress = { ...progress, step: ++looks };
    if (looks === 10) succeed(job);
  };

  await train(input, environment);

  expect(trainings.jobs.get('job-1')).toMatchObject({ step: 10, status: 'succeeded' });
  expect(trainings.jobs.get('job-1')?.updates).toBeGreaterThan(3);
  expect(heartbeats).toContainEqual({ jobId: 'job-1', progress: { ...progress, step: 4 } });
});

test('progress is written no more often than it may be', async () => {
  const { trainer, trainings, train } = await setup({ ...fast, reportMs: 60_000 });
  let looks = 0;
  trainer.onCall = (call) => {
    const job = trainer.jobs[0];
    if (call !== 'get' || !job) return;
    job.progress = { step: ++looks, totalSteps: 40, trainLoss: 2.5, validationLoss: null };
    if (looks === 20) succeed(job);
  };

  await train();

  // The first step, and the end.
  expect(trainings.jobs.get('job-1')?.updates).toBe(2);
});

test('a cancellation ends the remote job and waits until it has ended', async () => {
  const { trainer, trainings, train } = await setup({ ...fast, endMs: 5_000 });
  const environment = anAttempt();
  let looksAfterCancel = 0;
  after(2, () => environment.cancel('CANCELLED'), trainer);
  const scripted = trainer.onCall;
  trainer.onCall = (call) => {
    scripted(call);
    const job = trainer.jobs[0];
    if (call === 'get' && job?.cancelRequested && ++looksAfterCancel === 3) job.status = 'cancelled';
  };

  await expect(train(input, environment)).rejects.toBeInstanceOf(CancelledFailure);

  expect(trainer.jobs[0]).toMatchObject({ cancelRequested: true, status: 'cancelled' });
  expect(trainings.jobs.get('job-1')).toMatchObject({ status: 'cancelled' });
});

test('a cancellation survives a trainer that is unreachable for a moment', async () => {
  const { trainer, train } = await setup({ ...fast, endMs: 5_000 });
  const environment = anAttempt();
  let refused = 0;
  after(1, () => environment.cancel('CANCELLED'), trainer);
  const scripted = trainer.onCall;
  trainer.onCall = (call) => {
    scripted(call);
    if (call === 'cancel' && ++refused <= 2) throw new UnavailableError('restarting');
    const job = trainer.jobs[0];
    if (job?.cancelRequested) job.status = 'cancelled';
  };

  await expect(train(input, environment)).rejects.toBeInstanceOf(CancelledFailure);

  expect(trainer.jobs[0]?.status).toBe('cancelled');
});

test('a job that does not end is reported, and the cancellation goes on', async () => {
  const { trainer, trainings, train } = await setup();
  const environment = anAttempt();
  after(1, () => environment.cancel('CANCELLED'), trainer);

  await expect(train(input, environment)).rejects.toBeInstanceOf(CancelledFailure);

  expect(trainings.jobs.get('job-1')?.error).toContain('had not ended it after');
});

test.each([
  ['the worker shuts down', 'WORKER_SHUTDOWN', { workerShutdown: true }],
  ['an operator pauses the activity', 'PAUSED', { paused: true }],
  ['the activity is reset', 'RESET', { reset: true }],
  ['the attempt has timed out', 'TIMED_OUT', { timedOut: true }],
] as const)('when %s the job goes on, and the next attempt adopts it', async (_, reason, details) => {
  const { trainer, train } = await setup();
  const environment = anAttempt();
  after(2, () => environment.cancel(reason, new ActivityCancellationDetails(details)), trainer);
  await expect(train(input, environment)).rejects.toThrow();
  expect(trainer.jobs[0]?.cancelRequested).toBe(false);
  after(1, succeed, trainer);

  const result = await train();

  expect(result.jobId).toBe('job-1');
  expect(trainer.requests).toHaveLength(1);
});

test.each([
  ['closed', 'TERMINATED', true],
  ['still running, so another attempt has the job', 'RUNNING', false],
])('an attempt that the server no longer knows asks whether the workflow is %s', async (_, status, ended) => {
  const { trainer, train } = await setup();
  const client = {
    withAbortSignal: (__: AbortSignal, work: () => Promise<unknown>) => work(),
    workflow: { getHandle: () => ({ describe: async () => ({ status: { name: status } }) }) },
  };
  const environment = anAttempt({ client: client as unknown as Client });
  after(
    2,
    () => environment.cancel('NOT_FOUND', new ActivityCancellationDetails({ notFound: true })),
    trainer,
  );

  await expect(train(input, environment)).rejects.toThrow();

  expect(trainer.jobs[0]?.cancelRequested).toBe(ended);
});

test('a job that the trainer lost is launched again under a key of its own', async () => {
  const { trainer, trainings, train } = await setup();
  trainer.onCall = (call) => {
    if (call !== 'get') return;
    const [first, second] = trainer.jobs;
    if (first?.status === 'running') {
      Object.assign(first, { status: 'failed', error: 'the server restarted', errorRetryable: true });
    } else if (second) succeed(second);
  };

  const result = await train();

  const [first, second] = trainer.requests.map(({ key }) => key);
  expect(result.jobId).toBe('job-2');
  expect(second).toBe(`${first}-2`);
  expect(trainings.jobs.get('job-1')).toMatchObject({ status: 'failed', error: 'the server restarted' });
});

test('a trainer that loses every job is given up', async () => {
  const { trainer, train } = await setup();
  trainer.onCall = (call) => {
    const job = trainer.jobs.at(-1);
    if (call === 'get' && job) Object.assign(job, { status: 'failed', error: 'lost', errorRetryable: true });
  };

  await expect(train()).rejects.toThrow('job-4 failed: lost');
});

test('a job that failed for good fails the training with the trainer’s reason', async () => {
  const { trainer, train } = await setup();
  after(1, (job) => Object.assign(job, { status: 'failed', error: 'row 3 is too long' }), trainer);

  const training = train();

  await expect(training).rejects.toMatchObject({ name: 'RejectedError' });
  await expect(training).rejects.toThrow('row 3 is too long');
});

test('a job that somebody cancels at the trainer fails the training', async () => {
  const { trainer, train } = await setup();
  after(2, (job) => Object.assign(job, { status: 'cancelled' }), trainer);

  await expect(train()).rejects.toThrow('cancelled at the trainer');
  expect(trainer.requests).toHaveLength(1);
});

test('a run that is reset after its cancellation trains anew', async () => {
  const { trainer, train } = await setup();
  after(1, (job) => Object.assign(job, { status: 'cancelled' }), trainer);
  await expect(train()).rejects.toThrow();
  trainer.onCall = () => trainer.jobs.filter((job) => job.status === 'running').forEach(succeed);

  const result = await train();

  expect(result.jobId).toBe('job-2');
});

test('a busy device is waited for as long as the trainer asks, with the reason in the heartbeat', async () => {
  const { trainer, train } = await setup();
  const environment = anAttempt();
  const heartbeats: unknown[] = [];
  environment.on('heartbeat', (details) => heartbeats.push(details));
  let refused = 0;
  trainer.onCall = (call) => {
    if (call === 'launch' && ++refused <= 1) {
      throw new UnavailableError('the device is training', { kind: 'busy', retryAfterMs: 1 });
    }
    trainer.jobs.filter((job) => job.status === 'running').forEach(succeed);
  };

  const result = await train(input, environment);

  expect(result.jobId).toBe('job-1');
  expect(heartbeats).toContainEqual({ jobId: null, waitingFor: 'device', progress: null });
});

test('a cancellation while the device is busy starts no job', async () => {
  const { trainer, train } = await setup();
  const environment = anAttempt();
  trainer.onCall = (call) => {
    if (call !== 'launch') return;
    setTimeout(() => environment.cancel('CANCELLED'), 5);
    throw new UnavailableError('the device is training', { kind: 'busy', retryAfterMs: 60_000 });
  };

  await expect(train(input, environment)).rejects.toBeInstanceOf(CancelledFailure);

  expect(trainer.jobs).toHaveLength(0);
});

test('an unreachable trainer at launch is Temporal’s to retry', async () => {
  const { trainer, train } = await setup();
  trainer.onCall = (call) => {
    if (call === 'launch') throw new UnavailableError('connection refused');
  };

  await expect(train()).rejects.toMatchObject({ name: 'UnavailableError' });
});

test('a trainer that is silent for a moment does not disturb the watch', async () => {
  const { trainer, train } = await setup({ ...fast, silenceMs: 60_000 });
  let looks = 0;
  trainer.onCall = (call) => {
    if (call !== 'get') return;
    looks += 1;
    if (looks < 5) throw new UnavailableError('restarting');
    trainer.jobs.forEach(succeed);
  };

  await expect(train()).resolves.toMatchObject({ jobId: 'job-1' });
});

test('a trainer that stays silent ends the attempt, not the job', async () => {
  const { trainer, train } = await setup();
  trainer.onCall = (call) => {
    if (call === 'get') throw new UnavailableError('down');
  };

  await expect(train()).rejects.toMatchObject({ name: 'UnavailableError' });
  expect(trainer.jobs[0]?.cancelRequested).toBe(false);
});

test('progress that cannot be stored does not disturb the training', async () => {
  const { trainer, trainings, train } = await setup();
  const { updateJob } = trainings;
  Object.assign(trainings, {
    updateJob: async (...update: Parameters<typeof updateJob>) => {
      if (update[1] === 'running') throw new UnavailableError('PostgreSQL is away');
      await updateJob(...update);
    },
  });
  after(
    3,
    (job) => {
      job.progress = { step: 1, totalSteps: 2, trainLoss: 1, validationLoss: null };
      setTimeout(() => succeed(job), 5);
    },
    trainer,
  );

  await expect(train()).resolves.toMatchObject({ jobId: 'job-1' });
});
