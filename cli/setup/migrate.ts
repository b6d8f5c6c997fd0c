import { loadConfig } from '../../config/config.ts';
import { exitCodeOf } from '../../config/config-error.ts';
import { FlywheelError } from '../../domain/errors.ts';
import { migrateDatabases } from '../../wiring/migrate-databases.ts';

/** `npm run db:migrate`: for a database of one's own before a deployment; a stack does it at every start. */
try {
  await migrateDatabases(loadConfig());
  console.log('Lineage and log store are up to date.');
} catch (error) {
  console.error(error instanceof FlywheelError ? error.message : error);
  process.exitCode = exitCodeOf(error);
}
