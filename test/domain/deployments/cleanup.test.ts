import { describe, expect, it } from 'vitest';
import { whyKept } from '../../../domain/deployments/cleanup.ts';

const before = new Date('2026-06-08T00:00:00Z');
const nothing = { models: [], runs: [] };
const old = '2026-06-01T00:00:00Z';

function thing(kind: string, id: string, createdAt: string | null = old) {
  return { kind, id, createdAt };
}

describe('what cleaning up keeps', () => {
  it('is nothing that is old and that nobody needs', () => {
    for (const kind of ['deployment', 'model', 'adapter', 'fileset', 'dataset', 'job'])
      expect(whyKept(thing(kind, 'fly/flywheel-hr-1'), nothing, before)).toBeNull();
  });

  it.each([
    ['a model by its whole name', 'model', 'fly/hr@v1', 'fly/hr@v1'],
    ['an adapter without its workspace', 'adapter', 'flywheel-hr-1', 'fly/flywheel-hr-1'],
    ['the files of its weights', 'fileset', 'flywheel-hr-1', 'fly/flywheel-hr-1'],
    ['a deployment that serves an adapter', 'deployment', 'fly/nim-1', 'fly/nim-1#fly/hr@v1'],
  ])('is %s, while it is in use', (_, kind, id, model) => {
    expect(whyKept(thing(kind, id), { models: [model], runs: [] }, before)).toBe(`${model} is in use`);
    expect(whyKept(thing(kind, `${id}2`), { models: [model], runs: [] }, before)).toBeNull();
  });

  it('is everything while a run works', () => {
    const inUse = { models: [], runs: ['run-7'] };
    expect(whyKept(thing('dataset', 'd'), inUse, before)).toMatch(/run-7/);
    expect(whyKept(thing('deployment', 'd'), inUse, before)).toMatch(/run-7/);
  });

  it('is what is young, or of unknown age', () => {
    expect(whyKept(thing('dataset', 'd', '2026-06-09T00:00:00Z'), nothing, before)).toMatch(/made after/);
    expect(whyKept(thing('dataset', 'd', null), nothing, before)).toMatch(/age is not known/);
  });
});
