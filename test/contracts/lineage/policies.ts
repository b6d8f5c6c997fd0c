import { expect, it } from 'vitest';
import type { Lineage } from '../../../activities/ports/lineage.ts';
import { policyVersion } from '../../../domain/policies/policy-version.ts';
import { aRun } from '../../support/lineage.ts';
import { aPolicy } from '../../support/policies.ts';

export function policyCases(lineage: () => Lineage): void {
  const policy = aPolicy({
    threshold: 0.9,
    prices: { nano: { prompt: 0.1, completion: 0.4 } },
    approvers: ['ana'],
  });
  const version = policyVersion(policy);

  it('stores a policy once, under its version', async () => {
    const { policies } = lineage();

    await policies.record(version, policy);
    await policies.record(version, policy);

    expect(await policies.get(version)).toEqual(policy);
    await expect(policies.get('0'.repeat(64))).rejects.toMatchObject({ name: 'NotFoundError' });
  });

  it('gives back exactly what the version is the hash of', async () => {
    await lineage().policies.record(version, policy);

    expect(policyVersion(await lineage().policies.get(version))).toBe(version);
  });

  it('knows which versions the runs of a workload pinned, last used first', async () => {
    const { policies, runs } = lineage();
    const newer = aPolicy({ threshold: 0.95 });
    const newerVersion = policyVersion(newer);
    await policies.record(version, policy);
    await policies.record(newerVersion, newer);

    await runs.open(aRun('run-1', { policyVersion: version }));
    await runs.open(aRun('run-2', { policyVersion: version }));
    await runs.open(aRun('run-3', { policyVersion: newerVersion }));
    await runs.open(aRun('run-4', { workloadId: 'it', policyVersion: version }));

    expect(await policies.uses('hr')).toMatchObject([
      { version: newerVersion, runs: 1 },
      { version, runs: 2, firstUsed: expect.stringMatching(/Z$/), lastUsed: expect.stringMatching(/Z$/) },
    ]);
    expect((await runs.view('run-1')).policy).toEqual({ version, ...policy });
    expect((await runs.view('run-1')).threshold).toBe(0.9);
    expect(await policies.uses('nobody')).toEqual([]);
  });
}
