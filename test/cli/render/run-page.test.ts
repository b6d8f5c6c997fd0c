import pc from 'picocolors';
import { describe, expect, test } from 'vitest';
import { hintFor } from '../../../cli/hint.ts';
import { createChangeLog } from '../../../cli/render/run-changes.ts';
import { runPage } from '../../../cli/render/run-page.ts';
import { runTree } from '../../../cli/render/run-tree.ts';
import type { SafetyReport } from '../../../domain/guardrails/safety.ts';
import { anExperimentView, aRunView } from '../../support/run-views.ts';

const plain = pc.createColors(false);
const hint = (command: string) => hintFor({}, command);
const at = (second: number) => new Date(Date.UTC(2026, 0, 2, 3, 0, second));

describe('a run’s page', () => {
  test('shows data, leaderboard, verdict, digest and the command to decide', () => {
    const page = runPage(aRunView(), plain, hint);

    expect(page).toContain('train 100, validation 10, eval 40');
    expect(page).toContain('3 duplicate');
    expect(page).toMatch(/★\s+nano × lora\s+90\.0 %\s+40\s+1\s+25 ms\s+1 min 2 s/);
    expect(page).toContain('Verdict: promote. lora is best');
    expect(page).toContain('digest d1');
    expect(page).toContain('npx flywheel approve run-1 --reason "…"');
  });

  test('says of how many answers a latency is, where not every one was timed', () => {
    const latencyMs = { p50: 25, p95: 40, of: 30 };

    const page = runPage(aRunView({ experiments: [anExperimentView({ n: 200, latencyMs })] }), plain, hint);

    expect(page).toMatch(/nano × lora .* 25 ms \(of 30\) /);
  });

  test('shows how answers fared against the guardrails, and what stopped which', () => {
    const safety: SafetyReport = {
      ...{ status: 'checked', checkId: 's', n: 30, passed: 27, unanswered: 1, attacksBlockedAtQuestion: 0 },
      blocked: { 'answers.card': 2 },
      categories: { personal_data: { n: 5, passed: 3 }, benign: { n: 5, passed: 4 } },
    };
    const run = aRunView({
      experiments: [
        anExperimentView({
          strategy: 'base',
          safety: { status: 'unknown', reason: 'NeMo does not answer.' },
        }),
        anExperimentView({ safety }),
      ],
    });

    const page = runPage(run, plain, hint);

    expect(page).toMatch(/nano × lora .* 27 of 30 /);
    expect(page).toContain(
      'safety of nano × lora: 27 of 30 passed; answers.card 2, without an answer 1 (personal_data 3/5, benign 4/5)',
    );
    expect(page).toContain('safety of nano × base could not be checked: NeMo does not answer.');
    expect(runPage(aRunView(), plain, hint)).not.toContain('safety');
  });

  test('orders experiments by the primary metric, failed ones after, the champion last', () => {
    const run = aRunView({
      experiments: [
        anExperimentView({ strategy: 'base', role: 'champion', metrics: { call_accuracy: 0.99 } }),
        anExperimentView({
          strategy: 'icl',
          status: 'failed',
          metrics: {},
          n: 0,
          failure: 'prompt too long',
        }),
        anExperimentView({ strategy: 'base', metrics: { call_accuracy: 0.2 } }),
        anExperimentView({ strategy: 'lora', metrics: { call_accuracy: 0.9 } }),
      ],
    });

    const page = runPage(run, plain, hint);

    const order = ['nano × lora', 'nano × base', 'nano × icl', 'champion (serves today)'].map((name) =>
      page.indexOf(name),
    );
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(page).toContain('failed: prompt too long');
  });

  test.each([
    [{ synthetic: true }, 'The traffic is synthetic'],
    [{ responseSources: { gold: 10 } }, 'The answers are gold labels made by people'],
    [{ responseSources: { gold: 1, production: 3 } }, '25.0 % of the answers are gold labels'],
    [{ toolsInferred: true }, 'The tools were inferred from the calls made'],
  ])('says where the records come from: %j', (fields, sentence) => {
    expect(runPage(aRunView(fields), plain, hint)).toContain(sentence);
    expect(runTree(aRunView(fields), plain, { columns: 200, now: at(0) })).toContain(sentence);
  });

  test('says which experiment was trained on how much less, and why', () => {
    const list = { uri: 'artifact:sha256/aa', sha256: 'aa', bytes: 1, rows: 14 };
    const setAside = {
      train: 12,
      validation: 2,
      reasons: { row_too_long: 13, invalid_training_row: 1 },
      list,
    };
    const training = { jobId: 'job-1', status: 'succeeded' as const, step: 1, totalSteps: 1 };
    const trained = { ...training, trainLoss: null, validationLoss: null, setAside };

    const page = runPage(aRunView({ experiments: [anExperimentView({ training: trained })] }), plain, hint);

    expect(page).toContain(
      'nano × lora was trained without 12 of 100 records, and 2 of validation: 13 row_too_long, 1 invalid_training_row',
    );
  });

  test('offers an override where the verdict is not promote', () => {
    const page = runPage(
      aRunView({ verdict: { outcome: 'hold', winner: 'nano/lora', reason: 'below' } }),
      plain,
      hint,
    );

    expect(page).toContain('approve run-1 --reason "…" --override');
    expect(page).toContain('☆');
  });

  test('a failed run says why and how to go on', () => {
    const page = runPage(
      aRunView({
        status: 'failed',
        verdict: null,
        digest: null,
        approval: undefined,
        failure: 'Found 3 usable records.',
      }),
      plain,
      hint,
    );

    expect(page).toContain('No verdict: the run failed. Found 3 usable records.');
    expect(page).toContain('npx flywheel run hr --wait');
  });

  test('hints carry the flags of the stack at hand', () => {
    const page = runPage(aRunView(), plain, (command) => hintFor({ home: 'x', portOffset: 7 }, command));

    expect(page).toContain('npx flywheel reject run-1 --reason "…" --home x --port-offset 7');
  });
});

describe('the live tree', () => {
  test('says why a training shows no step yet', () => {
    const waiting = anExperimentView({ status: 'running', stage: 'training', metrics: {} });

    const tree = runTree(aRunView({ status: 'running', experiments: [waiting] }), plain, {
      ...{ columns: 120, now: at(30) },
    });

    expect(tree).toContain('▸ nano × lora  training  no job yet: waits for a device');
  });

  test('shows each experiment’s progress within the width', () => {
    const run = aRunView({
      ...{ status: 'running', stage: 'experiments', verdict: null, endedAt: null },
      experiments: [
        anExperimentView({
          ...{ status: 'running', stage: 'training', strategy: 'lora', metrics: {} },
          training: {
            jobId: 'j',
            status: 'running',
            step: 12,
            totalSteps: 50,
            trainLoss: 1.2345,
            validationLoss: null,
          },
        }),
        anExperimentView({
          ...{ status: 'running', stage: 'evaluating', strategy: 'base', metrics: {} },
          evaluated: { done: 7, total: 40 },
        }),
      ],
    });

    const tree = runTree(run, plain, { columns: 60, now: at(30) });

    expect(tree).toContain('▸ nano × lora  training  step 12 of 50 · loss 1.23');
    expect(tree).toContain('▸ nano × base  evaluating  7 of 40');
    expect(tree).toContain('· verdict');
    for (const line of tree.split('\n')) expect(line.length).toBeLessThanOrEqual(60);
  });
});

describe('the change log for pipes', () => {
  const training = (step: number, stage: 'training' | 'evaluating' = 'training') =>
    aRunView({
      ...{ status: 'running', stage: 'experiments', verdict: null, endedAt: null },
      experiments: [
        anExperimentView({
          ...{ status: 'running', stage, strategy: 'lora', metrics: {} },
          training: {
            jobId: 'j',
            status: 'running',
            step,
            totalSteps: 50,
            trainLoss: 1,
            validationLoss: null,
          },
        }),
      ],
    });

  test('tells a change of state at once, progress every few seconds, and nothing twice', () => {
    const changes = createChangeLog();

    changes(training(1), at(0));
    const same = changes(training(1), at(10));
    const soon = changes(training(2), at(11));
    changes(training(3), at(12));
    const later = changes(training(9), at(20));
    const moved = changes(training(9, 'evaluating'), at(21));

    expect(same).toEqual([]);
    expect(soon).toEqual(['03:00:11  nano × lora  running  training  step 2 of 50 · loss 1.000']);
    expect(later).toEqual(['03:00:20  nano × lora  running  training  step 9 of 50 · loss 1.000']);
    expect(moved).toEqual(['03:00:21  nano × lora  running  evaluating']);
  });

  test('ends with the run’s own status', () => {
    const changes = createChangeLog();
    changes(training(1), at(0));

    const lines = changes(aRunView({ status: 'failed', failure: 'out of disk' }), at(1));

    expect(lines.at(-1)).toBe('03:00:01  run-1  failed  out of disk');
  });
});
