import { join } from 'node:path';
import { type CommandFlags, flywheelFlags, temporalFlags } from '../domain/runs/command-flags.ts';
import { basePorts, type Config, repositoryRoot } from './config.ts';

/**
 * What somebody must add to a command to reach this very stack from a terminal that knows nothing of it: all
 * that differs from what `flywheel` and `temporal` assume.
 */
export function commandFlags({ home, portOffset, temporal }: Config): CommandFlags {
  const { address, namespace } = temporal;
  return {
    flywheel: flywheelFlags({
      ...(home !== join(repositoryRoot, '.flywheel') && { home }),
      ...(portOffset !== 0 && { portOffset }),
    }),
    temporal: temporalFlags({
      ...(address !== `127.0.0.1:${basePorts.temporal}` && { address }),
      ...(namespace !== 'default' && { namespace }),
    }),
  };
}
