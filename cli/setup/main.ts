import { loadConfig } from '../../config/config.ts';
import { exitCodeOf } from '../../config/config-error.ts';
import { FlywheelError } from '../../domain/errors.ts';
import { prepare } from './prepare.ts';

/** `npm run setup`: everything that `npm run demo` and `npm test` would fetch, and nothing else. */
async function main(): Promise<void> {
  const { temporalBinary, python, elasticsearch, nemoPlatform } = await prepare(loadConfig(), (line) =>
    console.error(line),
  );
  console.log(`Temporal's server: ${temporalBinary ?? 'the one that TEMPORAL_ADDRESS names'}`);
  console.log(`Python:            ${python ?? 'not needed, MODEL_SERVER_URL names a server'}`);
  if (nemoPlatform) console.log(`NeMo Platform:     ${nemoPlatform.python}`);
  if (elasticsearch) console.log(`Elasticsearch:     ${elasticsearch.distribution}`);
  console.log('Ready. Next: npm run demo');
}

await main().catch((error: unknown) => {
  console.error(error instanceof FlywheelError ? error.message : error);
  process.exitCode = exitCodeOf(error);
});
