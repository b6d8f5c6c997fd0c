import { expect, test } from 'vitest';
import { createEndTraining } from '../../activities/end-training.ts';
import type { FineTuneInput } from '../../activities/fine-tune.ts';
import { fineTuneKey } from '../../activities/idempotency-keys.ts';
import { UnavailableError } from '../../domain/errors.ts';
import { anAttempt, runIn } from '../support/activity-environment.ts';
import { aCandidate, aDataset } from '../support/experiments.ts';
import { inMemoryDatasets, inMemoryTrainings } from '../support/in-memory-lineage.ts';
import { scriptedTrainer } from '../support/scripted-trainer.ts';

const input: FineTuneInput = {
  experimentId: 'run-1/nano/lora',
  runId: 'run-1',
  workloadId: 'hr',
  candidate: aCandidate(),
  datasetId: 'data-1',
  seed: 7,
};

function setup() {
  const trainer = scriptedTrainer();
  const dataset = aDataset();
  const lineage = { datasets: inMemoryDatasets(dataset), experiments: inMemoryTrainings() };
  const timing = { pollMs: 1, endMs: 40 };
  const { endTraining } = createEndTraining({ lineage, trainers: () => trainer }, timing);
  const launch = (round: number) => {
    const key = fineTuneKey({ ...input, datasetHash: dataset.summary.hash }, round);
    return trainer.launch({
      key,
      baseModel: 'nano-1m',
      train: dataset.files.train,
      validation: dataset.files.validation,
      hyperparameters: input.candidate.lora,
      seed: 7,
      suffix: 'hr',
      metadata: {},
    });
  };
  return { trainer, launch, endTraining: () => runIn(anAttempt(), endTraining, input) };
}

test('a job that no attempt recorded is found by its key, and ended', async () => {
  const { trainer, launch, endTraining } = setup();
  await launch(1);
  trainer.onCall = (call) => {
    const [job] = trainer.jobs;
    if (call === 'get' && job?.cancelRequested) job.status = 'cancelled';
  };

  expect(await endTraining()).toEqual({ ended: 1 });
  expect(trainer.jobs[0]?.status).toBe('cancelled');
});

test('the job of a later round is found behind those that were lost', async () => {
  const { trainer, launch, endTraining } = setup();
  await launch(1);
  Object.assign(trainer.jobs[0] ?? {}, { status: 'failed', errorRetryable: true });
  await launch(2);
  trainer.onCall = (call) => {
    const job = trainer.jobs[1];
    if (call === 'get' && job?.cancelRequested) job.status = 'cancelled';
  };

  expect(await endTraining()).toEqual({ ended: 1 });
  expect(trainer.jobs.map((job) => job.status)).toEqual(['failed', 'cancelled']);
});

test('each job of a key is ended, also one that nobody knew of', async () => {
  const { trainer, launch, endTraining } = setup();
  const { id } = await launch(1);
  trainer.addSurplus(id);
  trainer.onCall = (call) => {
    if (call !== 'get') return;
    for (const job of trainer.jobs) if (job.cancelRequested) job.status = 'cancelled';
  };

  expect(await endTraining()).toEqual({ ended: 2 });
  expect(trainer.jobs.map((job) => job.status)).toEqual(['cancelled', 'cancelled']);
});

test('nothing was launched, nothing is done', async () => {
  const { trainer, endTraining } = setup();

  expect(await endTraining()).toEqual({ ended: 0 });
  expect(trainer.jobs).toEqual([]);
});

test('a trainer that does not end the job is asked again by the next attempt', async () => {
  const { launch, endTraining } = setup();
  await launch(1);

  await expect(endTraining()).rejects.toThrow(UnavailableError);
});
