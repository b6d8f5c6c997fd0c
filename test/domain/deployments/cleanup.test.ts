import { describe, expect, it } from 'vitest';
import {
  isServedBy,
  type MadeThing,
  type ThingRole,
  whyForeign,
  whyKept,
} from '../../../domain/deployments/cleanup.ts';

const before = new Date('2026-06-08T00:00:00Z');
const nothing = { models: [], runs: [] };
const old = '2026-06-01T00:00:00Z';

function thing(role: ThingRole, id: string, createdAt: string | null = old) {
  return { role, id, createdAt, runId: null };
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

describe('what cleaning up takes for another Flywheel’s', () => {
  const known = { runs: ['run-7'], models: ['fly/flywheel-hr-1', 'meta/llama'] };
  const of = (role: ThingRole, fields: Partial<MadeThing>) => ({ ...thing(role, 'fly/thing'), ...fields });

  it.each([
    ['a thing of a run of ours', of('weights', { runId: 'run-7' }), null],
    ['a thing of another run', of('work', { runId: 'run-8' }), 'run-8'],
    ['an adapter of ours', of('weights', { id: 'fly/flywheel-hr-1' }), null],
    ['files of an adapter of ours', of('weights', { id: 'flywheel-hr-1' }), null],
    ['an adapter that nobody here trained', of('weights', { id: 'fly/flywheel-hr-2' }), 'fly/flywheel-hr-2'],
    ['what serves models of ours', of('serving', { serves: ['meta/llama', 'fly/flywheel-hr-1'] }), null],
    ['what serves another one too', of('serving', { serves: ['meta/llama', 'fly/x'] }), 'fly/x'],
    ['data that are named by their content', of('work', {}), null],
  ] as const)('%s: %#', (_, made, stranger) => {
    const reason = whyForeign(made, known);

    if (stranger === null) expect(reason).toBeNull();
    else expect(reason).toContain(`does not know ${stranger}:`);
  });
});

describe('what a model answers by', () => {
  it('is what serves it, not what it is made of', () => {
    expect(isServedBy(thing('serving', 'fly/hr@v1'), ['fly/hr@v1'])).toBe(true);
    expect(isServedBy(thing('serving', 'fly/other'), ['fly/hr@v1'])).toBe(false);
    expect(isServedBy(thing('weights', 'fly/hr@v1'), ['fly/hr@v1'])).toBe(false);
  });
});
