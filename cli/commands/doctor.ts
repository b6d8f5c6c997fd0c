import type { Command } from 'commander';
import { type Cli, type CommandContext, examples } from '../command.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';

export function registerDoctor(program: Command, cli: Cli): void {
  program
    .command('doctor')
    .description('Ask every service that this configuration needs, and say how to mend what does not answer.')
    .addHelpText(
      'after',
      examples(['flywheel doctor', 'flywheel doctor --json', 'flywheel doctor --port-offset 200']),
    )
    .action(cli.run(doctor));
}

async function doctor({ config, out }: CommandContext): Promise<ExitCode> {
  const [{ checkHealth }, { versionsOf }] = await Promise.all([
    import('../dev/health.ts'),
    import('../dev/versions.ts'),
  ]);
  const [services, versions] = await Promise.all([checkHealth(config()), versionsOf(config())]);
  const ok = services.every((service) => service.ok);
  const { home, portOffset } = config();
  out.json({ ok, home, portOffset, services, versions });
  const width = 2 + Math.max(...services.map(({ name }) => name.length));
  for (const service of services) {
    const mark = service.ok ? out.style.green('ok  ') : out.style.red('FAIL');
    out.line(`${mark}  ${service.name.padEnd(width)}${service.address}`);
    if (service.problem) out.line(`      ${service.problem}\n      ${out.style.dim(service.mend ?? '')}`);
  }
  out.line('');
  for (const [name, version] of Object.entries(versions))
    out.line(`${name.padEnd(width + 6)}${version ?? 'not there'}`);
  return ok ? exitCodes.ok : exitCodes.unavailable;
}
