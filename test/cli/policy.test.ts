import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { policyVersion } from '../../domain/policies/policy-version.ts';
import { aPolicy } from '../support/policies.ts';
import { cliWith, setup } from './support/cli.ts';

function workloadsFile(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'flywheel-policy-')), 'workloads.yaml');
  writeFileSync(file, text);
  return file;
}

it('check says where a mistake stands, and what was meant', async () => {
  const good = cliWith({ FLYWHEEL_WORKLOADS: workloadsFile('workloads: { hr: { threshold: 0.9 } }') });
  const bad = cliWith({ FLYWHEEL_WORKLOADS: workloadsFile('workloads:\n  hr: { treshold: 0.9 }\n') });

  expect((await good('policy', 'check')).stdout).toContain('good. Policies: default, hr.');
  expect(await bad('policy', 'check')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/workloads\.yaml:2:9 .*"treshold"; did you mean "threshold"/),
  });
});

it('shows what the next run would pin, what earlier ones did, and the policy beside a run', async () => {
  const file = workloadsFile('workloads: { hr: { threshold: 0.9, approvers: [ana], kpi: solved } }');
  const { run, lineage } = await setup({ FLYWHEEL_WORKLOADS: file });
  const older = aPolicy({ threshold: 0.8, budgets: { costPerThousandCalls: 2, latencyP95Ms: 900 } });
  const version = policyVersion(older);
  await lineage.policies.record(version, older);
  await lineage.runs.open({
    ...{ runId: 'run-1', workflowId: 'flywheel:hr', workloadId: 'hr', reason: 'r', requestedBy: 'ada' },
    ...{ plan: {}, policyVersion: version },
  });

  const now = await run('policy', 'show', 'hr');
  const then = await run('policy', 'show', 'hr', '--hash', version.slice(0, 6), '--json');
  const list = await run('policy', 'list', 'hr', '--json');
  const shown = await run('show', 'hr');

  expect(now.stdout).toMatch(/auto, at least 0.9[\s\S]*kpi +solved[\s\S]*approvers +ana/);
  expect(then.json()).toMatchObject({ version, threshold: 0.8 });
  expect(list.json()).toMatchObject([{ version, runs: 1, current: false }]);
  expect(shown.stdout).toContain(
    `policy    ${version.slice(0, 12)}  auto ≥ 0.8, at most $2.00 per 1,000 calls, P95 at most 900 ms`,
  );
});

it('runs says which sweeps made no run, and why', async () => {
  const { run, lineage } = await setup();
  await lineage.sweeps.record({
    ...{ id: 'x/hr', scheduleId: 'daily:hr', cadence: 'daily', workloadId: 'hr', outcome: 'skipped' },
    ...{ reason: '3 new records; 50 needed', newRecords: 3, runId: null },
    scheduledAt: '2026-01-31T02:00:00.000Z',
  });

  const { stdout } = await run('runs', 'hr');

  expect(stdout).toMatch(/Swept without a run[\s\S]*daily:hr +hr +skipped +3 new records; 50 needed/);
});
