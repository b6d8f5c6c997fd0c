import { Command } from 'commander';
import { basePorts } from '../../../config/config.ts';
import { defaultOptions, startNemoServer } from './server.ts';
import type { WorldOptions } from './world.ts';

/** Where `flywheel dev` has it. */
const modelServer = `http://127.0.0.1:${basePorts.modelServer}`;

interface Options extends Pick<WorldOptions, 'refreshMs' | 'forBlueprint'> {
  readonly port: number;
  readonly modelServer: string;
}

const program = new Command('contract-server:nemo-v1')
  .description(
    'NeMo Microservices v1 as Flywheel’s tests know it: platform, NIM proxy (/nim) and Data Store (/data-store) on one port. State is in memory; training and answers are the model server’s.',
  )
  .requiredOption('--port <port>', 'port on loopback', Number)
  .option('--model-server <url>', 'the project’s model server, which trains and answers', modelServer)
  .option(
    '--refresh-ms <ms>',
    'how often a NIM looks for adapters (real ones: 60000 to 180000)',
    Number,
    2000,
  )
  .option(
    '--for-blueprint',
    'as NVIDIA’s blueprint needs it: no evaluation is pending, and its own path cancels customizations',
    false,
  )
  .addHelpText(
    'after',
    '\nExamples:\n  npx flywheel dev                                  # in another terminal: the model server\n  npm run contract-server:nemo-v1 -- --port 8310\n  npm run contract-server:nemo-v1 -- --port 8310 --model-server http://127.0.0.1:9090',
  )
  .action(async ({ port, modelServer: modelServerUrl, ...rest }: Options) => {
    const server = await startNemoServer({ ...defaultOptions, ...rest, modelServerUrl }, port);
    console.log(`platform    ${server.url}`);
    console.log(`NIM proxy   ${server.nimUrl}`);
    console.log(`Data Store  ${server.dataStoreUrl}`);
    const stop = () => void server.close().then(() => process.exit(0));
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
  });

await program.parseAsync();
