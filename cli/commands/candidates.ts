import type { Command } from 'commander';
import { type Cli, type CommandContext, examples } from '../command.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { table } from '../render/table.ts';

export function registerCandidates(program: Command, cli: Cli): void {
  const candidates = program
    .command('candidates')
    .description('The models that might take over, and whether their providers answer')
    .addHelpText('after', examples(['flywheel candidates list', 'flywheel candidates check']));
  candidates
    .command('list')
    .description('What candidates.yaml says of each, defaults filled in')
    .addHelpText('after', examples(['flywheel candidates list', 'flywheel candidates list --json']))
    .action(cli.run(list));
  candidates
    .command('check')
    .description(
      'Ask each candidate’s providers, service by service: reachable with their key, and can they serve, train and evaluate it?',
    )
    .addHelpText('after', examples(['flywheel candidates check', 'flywheel candidates check --json']))
    .action(cli.run(check));
}

async function list({ config, out }: CommandContext): Promise<ExitCode> {
  const { candidates, providers } = config();
  out.json(candidates.map((candidate) => ({ ...candidate, kind: providers[candidate.provider]?.kind })));
  out.line(
    table(
      ['candidate', 'model', 'provider', 'kind', 'trained by', 'strategies', 'GPU pool'],
      candidates.map(({ name, model, provider, trainer, strategies, gpuPool }) => [
        name,
        model,
        provider,
        providers[provider]?.kind ?? '?',
        strategies.includes('lora') ? (trainer ?? provider) : '–',
        strategies.join(', '),
        gpuPool,
      ]),
    ),
  );
  return exitCodes.ok;
}

async function check({ config, out, signal }: CommandContext): Promise<ExitCode> {
  const { checkCandidates } = await import('../candidates/check-candidates.ts');
  const checked = await checkCandidates(config(), signal);
  const ok = checked.every(({ problem }) => problem === null);
  out.json({ ok, candidates: checked });
  const candidateWidth = 2 + Math.max(...checked.map(({ candidate }) => candidate.length));
  const providerWidth = 2 + Math.max(...checked.map(({ provider }) => provider.length));
  for (const { candidate, provider, asked, problem, mend } of checked) {
    const mark = problem === null ? out.style.green('ok  ') : out.style.red('FAIL');
    out.line(`${mark}  ${candidate.padEnd(candidateWidth)}${provider.padEnd(providerWidth)}${asked}`);
    if (problem !== null) out.line(`      ${problem}\n      ${out.style.dim(mend ?? '')}`);
  }
  return ok ? exitCodes.ok : exitCodes.unavailable;
}
