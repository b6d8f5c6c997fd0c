import { DefaultLogger, makeTelemetryFilterString, Runtime } from '@temporalio/worker';

/** One JSON object per line on standard error: Temporal's messages, the activities' and our own. */
export function installLogging(processName: string): DefaultLogger {
  const logger = new DefaultLogger('INFO', ({ level, message, timestampNanos, meta }) => {
    const time = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
    // Of no use to a reader, and long.
    const { error, sdkComponent: _component, taskToken: _token, ...rest } = meta ?? {};
    const line = {
      time,
      level,
      process: processName,
      message,
      ...rest,
      ...(error ? { error: describe(error) } : {}),
    };
    process.stderr.write(`${JSON.stringify(line)}\n`);
  });
  Runtime.install({
    logger,
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'WARN' }), forward: {} } },
  });
  return logger;
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
