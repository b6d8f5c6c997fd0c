import { describe, expect, it } from 'vitest';
import { isServedBy, type ThingRole, whyKept } from '../../../domain/deployments/cleanup.ts';

const before = new Date('2026-06-08T00:00:00Z');
const nothing = { models: [], runs: [] };
const old = '2026-06-01T00:00:00Z';

function thing(role: ThingRole, id: string, createdAt: string | null = old) {
  return { role, id, createdAt };
}

describe('what cleaning up keeps', () => {
  it('is nothing that is old and that nobody needs', () => {
    for (const role of ['serving', 'weights', 'work'] as const)
      expect(whyKept(thing(role, 'fly/flywheel-hr-1'), nothing, before)).toBeNull();
  });

  it.each([
    ['a model by its whole name', 'weights', 'fly/hr@v1', 'fly/hr@v1'],
    ['an adapter without its workspace', 'weights', 'flywheel-hr-1', 'fly/flywheel-hr-1'],
    ['a deployment that serves an adapter', 'serving', 'fly/nim-1', 'fly/nim-1#fly/hr@v1'],
  ] as const)('is %s, while it is in use', (_, role, id, model) => {
    expect(whyKept(thing(role, id), { models: [model], runs: [] }, before)).toBe(`${model} is in use`);
    expect(whyKept(thing(role, `${id}2`), { models: [model], runs: [] }, before)).toBeNull();
  });

  it('is no training’s data or job, whatever its name', () => {
    expect(whyKept(thing('work', 'fly/hr@v1'), { models: ['fly/hr@v1'], runs: [] }, before)).toBeNull();
  });

  it('is everything while a run works', () => {
    const inUse = { models: [], runs: ['run-7'] };
    expect(whyKept(thing('work', 'd'), inUse, before)).toMatch(/run-7/);
    expect(whyKept(thing('serving', 'd'), inUse, before)).toMatch(/run-7/);
  });

  it('is what is young, or of unknown age', () => {
    expect(whyKept(thing('work', 'd', '2026-06-09T00:00:00Z'), nothing, before)).toMatch(/made after/);
    expect(whyKept(thing('work', 'd', null), nothing, before)).toMatch(/age is not known/);
  });
});

describe('what a model answers by', () => {
  it('is what serves it, not what it is made of', () => {
    expect(isServedBy(thing('serving', 'fly/hr@v1'), ['fly/hr@v1'])).toBe(true);
    expect(isServedBy(thing('serving', 'fly/other'), ['fly/hr@v1'])).toBe(false);
    expect(isServedBy(thing('weights', 'fly/hr@v1'), ['fly/hr@v1'])).toBe(false);
  });
});
