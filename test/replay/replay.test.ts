import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundleWorkflows } from '../workflows/support/bundle.ts';

// A deviation is reported by the test; the SDK's own complaint adds nothing.
Runtime.install({ logger: new DefaultLogger('ERROR', () => {}) });

const folder = fileURLToPath(new URL('./histories/', import.meta.url));
const names = readdirSync(folder).filter((name) => name.endsWith('.json'));

/** A change of a workflow must go on where older versions stopped, or be patched. */
describe('the workflows', () => {
  let workflowBundle: WorkflowBundle;
  beforeAll(async () => {
    workflowBundle = await bundleWorkflows();
  }, 120_000);

  it.each(names)('still replay %s', async (name) => {
    const failure = await replay(workflowBundle, read(name));

    expect(failure).toBeNull();
  });

  it('would be told from others: a history of another story is refused', async () => {
    const history = read('flywheel-verdict.json').replaceAll('"takeSnapshot"', '"takeSomethingElse"');

    const failure = await replay(workflowBundle, history);

    expect(failure?.name).toBe('DeterminismViolationError');
  });
});

function read(name: string): string {
  return readFileSync(`${folder}${name}`, 'utf8');
}

async function replay(workflowBundle: WorkflowBundle, history: string): Promise<Error | null> {
  const results = Worker.runReplayHistories({ workflowBundle }, [
    { workflowId: workflowIdOf(history), history: JSON.parse(history) as unknown },
  ]);
  for await (const result of results) return result.error ?? null;
  return new Error('nothing was replayed');
}

/** Ids are made of the workflow's input: the one recorded in the first event is the one to replay under. */
function workflowIdOf(history: string): string {
  const { events } = JSON.parse(history) as {
    events: { workflowExecutionStartedEventAttributes?: { workflowId?: string } }[];
  };
  return events[0]?.workflowExecutionStartedEventAttributes?.workflowId ?? 'unknown';
}
