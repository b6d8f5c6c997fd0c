import { loadConfig } from '../../config/config.ts';
import { migrateDatabases } from '../../wiring/migrate-databases.ts';

/** `npm run db:migrate`: for a database of one's own before a deployment; a stack does it at every start. */
await migrateDatabases(loadConfig());
console.log('Lineage and log store are up to date.');
