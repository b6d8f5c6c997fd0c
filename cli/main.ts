import { loadConfig } from '../config/config.ts';
import { runCli } from './run-cli.ts';

await runCli(process.argv.slice(2), {
  env: process.env,
  streams: process,
  exit: (code) => {
    process.exitCode = code;
  },
  loadConfig: ({ home, portOffset }) =>
    loadConfig({ ...(home !== undefined && { home }), ...(portOffset !== undefined && { portOffset }) }),
});
