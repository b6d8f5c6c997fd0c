import { describe, expect, test } from 'vitest';
import { proofOf, provenSource } from '../../../domain/verdicts/proof.ts';
import type { Decision } from '../../../domain/verdicts/verdict.ts';

const decision: Decision = {
  id: 'd1',
  outcome: 'approve',
  actor: 'ana',
  actorSource: 'local',
  reason: 'good',
  digest: 'abc',
  override: false,
};
const proof = proofOf('run-1', decision, 'token-1');

describe('the source of a decision’s actor', () => {
  test('is the token where the server proved exactly this decision', () => {
    expect(provenSource(proof, 'run-1', decision)).toBe('token');
  });

  test.each<[string, Partial<Decision>]>([
    ['another actor', { actor: 'eve' }],
    ['another outcome', { outcome: 'reject' }],
    ['another digest', { digest: 'def' }],
    ['another reason', { reason: 'bribed' }],
    ['an override', { override: true }],
    ['another id', { id: 'd2' }],
  ])('is a mere claim with %s under the same proof', (_, change) => {
    expect(provenSource(proof, 'run-1', { ...decision, ...change })).toBe('local');
  });

  test('is a mere claim without a proof, whatever the message says', () => {
    expect(provenSource(null, 'run-1', { ...decision, actorSource: 'token' })).toBe('local');
    expect(provenSource(null, 'run-1', { ...decision, actorSource: 'signal' })).toBe('signal');
    expect(provenSource(proof, 'run-2', { ...decision, actorSource: 'token' })).toBe('local');
  });
});
