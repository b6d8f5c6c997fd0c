import { expect } from 'vitest';
import { cliWith, type Ran } from '../../cli/support/cli.ts';
import type { Stack } from './stack.ts';

/** Two seconds instead of a day: what a route has left is soon gone. */
export const shortGrace = { FLYWHEEL_RETIREMENT_GRACE: '2s' };

export interface CleanedThing {
  readonly kind: string;
  readonly id: string;
  readonly outcome: 'removed' | 'kept' | 'failed';
  readonly reason: string | null;
}

/** What a person types who moves a workload's traffic and tidies up. */
export function commandLine(stack: Pick<Stack, 'env'>) {
  const flywheel = cliWith(stack.env);
  return {
    /** The model that the route then serves. Small data make no promise, so whatever the verdict was. */
    async approve(run: string): Promise<string> {
      const reason = ['--reason', 'an end-to-end test', '--override'];
      const approved = printed(await flywheel('approve', run, ...reason, '--json'));
      expect(approved).toMatchObject({ outcome: 'moved' });
      return (approved as { route: { model: string } }).route.model;
    },
    /** The model that the route then serves. */
    async rollBack(workload: string): Promise<string> {
      const back = printed(await flywheel('rollback', workload, '--json'));
      expect(back).toMatchObject({ outcome: 'moved' });
      return (back as { model: string }).model;
    },
    /** Of everything that Flywheel made, however young. */
    async cleanUp(...flags: string[]): Promise<readonly CleanedThing[]> {
      const ran = await flywheel('cleanup', '--older-than', '0', '--json', ...flags);
      return (printed(ran) as { things: CleanedThing[] }).things;
    },
  };
}

/** What it printed, once it has ended well. */
function printed(ran: Ran): unknown {
  expect([ran.code, ran.stdout]).toEqual([0, expect.any(String)]);
  return ran.json();
}

/** One call of the workload's application, which names its own model: who answered it. */
export async function answered(stack: Stack, workload: string): Promise<string> {
  const reply = await fetch(`${stack.config.gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-workload-id': workload, 'cache-control': 'no-cache' },
    body: JSON.stringify({
      model: 'nano-1m',
      messages: [{ role: 'user', content: 'Where is my parcel?' }],
      max_tokens: 8,
    }),
  });
  const body = (await reply.json()) as { model?: string; choices?: object[] };
  expect([reply.status, body]).toEqual([200, expect.objectContaining({ choices: [expect.anything()] })]);
  return body.model ?? '';
}
