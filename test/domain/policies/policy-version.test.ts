import { expect, it } from 'vitest';
import { defaultPolicy, policyOf } from '../../../domain/policies/policy.ts';
import { policyVersion } from '../../../domain/policies/policy-version.ts';
import { aPolicy } from '../../support/policies.ts';

it('is the same for equal policies, whatever the order of their keys', () => {
  const reversed = Object.fromEntries(Object.entries(defaultPolicy).reverse()) as typeof defaultPolicy;

  expect(policyVersion(reversed)).toBe(policyVersion(defaultPolicy));
  expect(policyVersion(defaultPolicy)).toMatch(/^[0-9a-f]{64}$/);
});

it('is another one for any change', () => {
  const changed = [
    aPolicy({ threshold: 0.8 }),
    aPolicy({ approvers: ['ada'] }),
    aPolicy({ redaction: { kinds: ['email'], patterns: {} } }),
  ];

  expect(new Set([defaultPolicy, ...changed].map(policyVersion)).size).toBe(4);
});

it('a workload has its own policy, else the default, whatever its name', () => {
  const own = aPolicy({ kpi: 'solved' });
  const policies = { default: defaultPolicy, workloads: { hr: own } };

  expect(policyOf(policies, 'hr')).toBe(own);
  expect(policyOf(policies, 'it')).toBe(defaultPolicy);
  expect(policyOf(policies, 'constructor')).toBe(defaultPolicy);
});
