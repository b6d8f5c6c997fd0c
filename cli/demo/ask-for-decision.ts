import { setTimeout as sleep } from 'node:timers/promises';
import { isCancel, select, text } from '@clack/prompts';
import type { RunView } from '../../activities/ports/run-lineage.ts';
import type { DecisionOutcome } from '../../domain/verdicts/verdict.ts';
import type { CommandContext } from '../command.ts';
import { awaitRollout } from '../runs/decide.ts';
import { refuseLostGate } from '../runs/lost-gate.ts';
import type { Demo } from './demo.ts';
import { interrupted } from './interrupted.ts';

export interface Wish {
  readonly outcome: DecisionOutcome;
  readonly reason: string;
}

/**
 * What the person at the demo decides: by option, else at the terminal. Null when it was decided elsewhere,
 * by the command that a demo without a terminal prints.
 */
export async function askForDecision(demo: Demo, run: RunView): Promise<Wish | null> {
  const { context, options } = demo;
  if (options.approve) return { outcome: 'approve', reason: 'flywheel demo --approve' };
  if (options.reject) return { outcome: 'reject', reason: 'flywheel demo --reject' };
  if (context.out.isTTY && process.stdin.isTTY) return askAtTerminal(context, run);
  await waitForDecision(demo, run.runId);
  return null;
}

async function askAtTerminal({ signal }: CommandContext, run: RunView): Promise<Wish> {
  const outcome = await select<DecisionOutcome>({
    message: `Give the traffic of ${run.workload} to ${run.verdict?.winner ?? 'the winner'}?`,
    options: [
      { value: 'approve', label: 'Approve' },
      { value: 'reject', label: 'Reject' },
    ],
    signal,
  });
  if (isCancel(outcome)) throw interrupted('nothing was decided');
  const reason = await text({ message: 'Why? It is kept with the decision.', initialValue: 'demo', signal });
  if (isCancel(reason)) throw interrupted('nothing was decided');
  return { outcome, reason: reason.trim() === '' ? 'demo' : reason };
}

async function waitForDecision({ context, client, lineage }: Demo, runId: string): Promise<void> {
  const { out, hint, signal } = context;
  out.note('Waiting for a decision. In another terminal:');
  out.note(`  ${hint(`approve ${runId} --reason "looks good"`)}`);
  out.note(`  ${hint(`reject ${runId} --reason "not yet"`)}`);
  for (;;) {
    const { approval, workload } = await lineage.runs.view(runId);
    if (approval?.status === 'approved') {
      // Followed by the move of the route, which whoever approved waits for as well.
      await awaitRollout(client, { runId, status: 'approved' });
      return;
    }
    if (approval && approval.status !== 'pending') return;
    await refuseLostGate(client, lineage, { runId, workload });
    await sleep(1_000, undefined, { signal });
  }
}
