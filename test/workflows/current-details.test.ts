import { expect, it } from 'vitest';
import { gateDetails, rolloutDetails, runDetails } from '../../workflows/current-details.ts';
import type { GateInput } from '../../workflows/messages.ts';

const flags = { flywheel: " --home '/srv/my home' --port-offset 200", temporal: ' --address 127.0.0.1:7433' };

const gate: GateInput = {
  ...{ runId: 'run-1', workloadId: 'hr', digest: 'd', leaderboard: [], requestedBy: 'ana' },
  verdict: { outcome: 'promote', reason: 'x', primaryMetric: 'call_accuracy', threshold: 0.75 },
  ...{ expiresAt: '2030-01-01T00:00:00.000Z', remindEveryMs: 1_000, flags },
};

const trigger = { runId: 'run-1', reason: 'x', requestedBy: 'ana' };
const facts = { workloadId: 'hr', trigger, stage: 'experiments', reports: [] } as const;

/** The lines in the code blocks: what people paste. */
function commandsIn(details: string): string[] {
  const blocks = [...details.matchAll(/```\n([\s\S]*?)\n```/g)].map((match) => match[1] ?? '');
  return blocks.flatMap((block) => block.split('\n')).filter((line) => line !== '');
}

it('every command reaches the stack that shows it', () => {
  const plan = { flags, experiments: [] } as never;
  const move = { workloadId: 'hr', moveId: 'm', actor: 'ana', reason: 'x', flags } as const;
  const commands = [
    ...commandsIn(runDetails({ ...facts, plan })),
    ...commandsIn(gateDetails(gate, 'pending', null, null)),
    ...commandsIn(rolloutDetails({ ...move, kind: 'promotion' }, 'moved', null, null)),
  ];

  expect(commands).toHaveLength(9);
  for (const command of commands)
    expect(command).toMatch(
      command.startsWith('npx flywheel ')
        ? / --home '\/srv\/my home' --port-offset 200$/
        : /^temporal .* --address 127\.0\.0\.1:7433$/,
    );
});

it('a plan of before the flags has commands all the same', () => {
  expect(commandsIn(runDetails(facts))).toContain('npx flywheel watch run-1');
});

it('a workload id cannot bring a command of its own', () => {
  const details = runDetails({ ...facts, workloadId: 'hr; reboot' });

  expect(commandsIn(details)).toContain("temporal workflow cancel --workflow-id 'flywheel:hr; reboot'");
});
