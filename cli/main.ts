import { runCli } from './run-cli.ts';

await runCli(process.argv.slice(2), {
  env: process.env,
  streams: process,
  exit: (code) => {
    process.exitCode = code;
  },
});
