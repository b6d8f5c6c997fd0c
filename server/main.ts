import { loadConfig } from '../config/config.ts';
import { exitCodeOf } from '../config/config-error.ts';
import { createLog, reasonOf } from './log.ts';
import { type RunningServer, startServer } from './start-server.ts';

const log = createLog();

try {
  stopOnSignal(await startServer(loadConfig(), log));
} catch (error) {
  log.warn('start_failed', { reason: reasonOf(error) });
  process.exit(exitCodeOf(error));
}

function stopOnSignal(server: RunningServer): void {
  let stopping = false;
  const onSignal = () => {
    if (stopping) return;
    stopping = true;
    server.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.warn('stop_failed', { reason: reasonOf(error) });
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}
