import type { Command } from 'commander';
import { policyOf, type WorkloadPolicy } from '../../domain/policies/policy.ts';
import { policyVersion } from '../../domain/policies/policy-version.ts';
import { type Cli, type CommandContext, examples } from '../command.ts';
import { CommandError } from '../command-error.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { parseId } from '../options.ts';
import { moment } from '../render/format.ts';
import { policyLines } from '../render/policy.ts';
import { table } from '../render/table.ts';
import { withLineage } from '../services.ts';

export function registerPolicy(program: Command, cli: Cli): void {
  const policy = program
    .command('policy')
    .description('What the workloads’ owners ask of their runs (workloads.yaml), and which run had which')
    .addHelpText(
      'after',
      examples(['flywheel policy check', 'flywheel policy show hr', 'flywheel policy list hr --json']),
    );
  policy
    .command('check')
    .description('Check workloads.yaml; every problem with its line')
    .addHelpText('after', examples(['flywheel policy check', 'flywheel policy check --json']))
    .action(cli.run(check));
  policy
    .command('show')
    .argument('<workload>', 'a workload; one that the file does not name has the default policy', parseId)
    .option('--hash <letters>', 'an earlier version, by the first letters of its hash')
    .description('Show a workload’s policy as the next run would pin it, or an earlier version')
    .addHelpText(
      'after',
      examples(['flywheel policy show hr', 'flywheel policy show hr --hash 3f9a1c --json']),
    )
    .action(cli.run(show));
  policy
    .command('list')
    .argument('<workload>', 'a workload', parseId)
    .description('List the versions that the workload’s runs pinned, last used first')
    .addHelpText('after', examples(['flywheel policy list hr']))
    .action(cli.run(list));
}

/** The configuration is read, and refused with every problem, before this begins. */
async function check({ config, out }: CommandContext): Promise<ExitCode> {
  const { policies, policiesFile } = config();
  const workloads = Object.keys(policies.workloads);
  out.json({ file: policiesFile.path, workloads, problems: [] });
  out.line(`${policiesFile.path}: good. Policies: default${workloads.map((id) => `, ${id}`).join('')}.`);
  return exitCodes.ok;
}

async function show(
  { config, out }: CommandContext,
  workload: string,
  { hash: wanted }: { hash?: string },
): Promise<ExitCode> {
  const { version, policy } =
    wanted === undefined
      ? current(policyOf(config().policies, workload))
      : await earlier(config(), workload, wanted);
  out.json({ workload, version, ...policy });
  out.line(`Policy ${version.slice(0, 12)} of ${workload}\n${policyLines(policy)}`);
  return exitCodes.ok;
}

function current(policy: WorkloadPolicy) {
  return { version: policyVersion(policy), policy };
}

async function earlier(config: ReturnType<CommandContext['config']>, workload: string, wanted: string) {
  return withLineage(config, async ({ policies }) => {
    const found = (await policies.uses(workload)).filter(({ version }) => version.startsWith(wanted));
    const [one, other] = found;
    if (one && !other) return { version: one.version, policy: await policies.get(one.version) };
    const what = one ? 'several versions' : 'no version';
    throw new CommandError(`The runs of ${workload} had ${what} ${wanted}….`, {
      code: 'not_found',
      next: (hint) => `See \`${hint(`policy list ${workload}`)}\`.`,
    });
  });
}

async function list({ config, out }: CommandContext, workload: string): Promise<ExitCode> {
  const uses = await withLineage(config(), ({ policies }) => policies.uses(workload));
  const now = policyVersion(policyOf(config().policies, workload));
  out.json(uses.map((use) => ({ ...use, current: use.version === now })));
  if (uses.length === 0) out.line(`No run of ${workload} has pinned a policy yet.`);
  else
    out.line(
      table(
        ['version', '>runs', 'first used', 'last used', ''],
        uses.map(({ version, runs, firstUsed, lastUsed }) => [
          version.slice(0, 12),
          String(runs),
          moment(firstUsed),
          moment(lastUsed),
          version === now ? 'current' : '',
        ]),
      ),
    );
  return exitCodes.ok;
}
