import { Command } from 'commander';
import { defaultOptions, startNemoServer } from './server.ts';

const program = new Command('contract-server:nemo-v1')
  .description(
    'NeMo Microservices v1 as Flywheel’s tests know it: platform, NIM proxy (/nim) and Data Store (/data-store) on one port. State is in memory; training and answers are the model server’s.',
  )
  .requiredOption('--port <port>', 'port on loopback', Number)
  .option('--model-server <url>', 'the project’s model server', 'http://127.0.0.1:8301')
  .option(
    '--refresh-ms <ms>',
    'how often a NIM looks for adapters (real ones: 60000 to 180000)',
    Number,
    2000,
  )
  .addHelpText(
    'after',
    '\nExample:\n  npm run contract-server:nemo-v1 -- --port 8310 --model-server http://127.0.0.1:8301',
  )
  .action(async (options: { port: number; modelServer: string; refreshMs: number }) => {
    const server = await startNemoServer(
      { ...defaultOptions, modelServerUrl: options.modelServer, refreshMs: options.refreshMs },
      options.port,
    );
    console.log(`platform    ${server.url}`);
    console.log(`NIM proxy   ${server.nimUrl}`);
    console.log(`Data Store  ${server.dataStoreUrl}`);
    const stop = () => void server.close().then(() => process.exit(0));
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
  });

await program.parseAsync();
