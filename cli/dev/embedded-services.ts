import { appendFileSync, existsSync, statSync, symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import { embeddedDatabaseDir } from '../../config/embedded-database.ts';
import type { Tools } from '../setup/prepare.ts';
import { temporalPort } from './ports.ts';
import type { Service } from './service.ts';
import { startElasticsearch } from './services/elasticsearch.ts';
import { startModelServer } from './services/model-server.ts';
import { startNemoPlatform } from './services/nemo-platform.ts';
import { startPostgres } from './services/postgres.ts';
import { startTemporal } from './services/temporal.ts';

/** What `<home>/stack.json` calls it. */
export const nemoPlatformService = 'NeMo Platform';

const maxLogBytes = 10_000_000;

/** The servers of other people's make that a stack starts itself: those that the environment does not name. */
export function embeddedServices(config: Config, tools: Tools, logsDir: string): Service[] {
  return [
    ...(config.temporal.embedded ? [temporal(config, tools, logsDir)] : []),
    ...(config.database.embedded ? [postgres(config, logsDir)] : []),
    ...(config.logStore.kind === 'elasticsearch' && config.logStore.embedded
      ? [elasticsearch(config, config.logStore.url, tools, logsDir)]
      : []),
    ...(config.modelServer.embedded ? [modelServer(config, tools, logsDir)] : []),
    ...(config.nemoPlatform ? [nemoPlatform(config, config.nemoPlatform.url, tools, logsDir)] : []),
  ];
}

function temporal(config: Config, { temporalBinary }: Tools, logsDir: string): Service {
  const logFile = join(logsDir, 'temporal.log');
  if ((statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > maxLogBytes) truncateSync(logFile);
  return {
    name: 'Temporal server',
    logFile,
    start: (signal) =>
      startTemporal({
        signal,
        binary: temporalBinary ?? 'temporal',
        port: temporalPort(config),
        uiPort: config.temporal.uiUrl ? Number(new URL(config.temporal.uiUrl).port) : null,
        databaseFile: join(config.home, 'temporal', 'temporal.db'),
        namespace: config.temporal.namespace,
        onLine: (line) => appendFileSync(logFile, `${line}\n`),
      }),
  };
}

function postgres(config: Config, logsDir: string): Service {
  const dir = embeddedDatabaseDir(config.home);
  linkLog(join(dir, 'postgres.log'), join(logsDir, 'postgres.log'));
  return {
    name: 'PostgreSQL server',
    logFile: join(logsDir, 'postgres.log'),
    start: (signal) => startPostgres({ signal, dir, port: Number(new URL(config.database.url).port) }),
  };
}

function elasticsearch(
  config: Config,
  url: string,
  { elasticsearch: found }: Tools,
  logsDir: string,
): Service {
  if (!found) throw new Error('set-up has not prepared Elasticsearch');
  const dir = join(config.home, 'elasticsearch');
  linkLog(join(dir, 'elasticsearch.log'), join(logsDir, 'elasticsearch.log'));
  return {
    name: 'Elasticsearch server',
    logFile: join(logsDir, 'elasticsearch.log'),
    start: (signal) => startElasticsearch({ ...found, signal, dir, port: Number(new URL(url).port) }),
  };
}

function modelServer(config: Config, { python }: Tools, logsDir: string): Service {
  const dataDir = join(config.home, 'model-server');
  linkLog(join(dataDir, 'model-server.log'), join(logsDir, 'model-server.log'));
  return {
    name: 'model server',
    logFile: join(logsDir, 'model-server.log'),
    start: (signal) =>
      startModelServer({
        signal,
        python: python ?? 'python3',
        dataDir,
        port: Number(new URL(config.modelServer.url).port),
        models: config.modelServer.models,
      }),
  };
}

function nemoPlatform(config: Config, url: string, { nemoPlatform: found }: Tools, logsDir: string): Service {
  if (!found) throw new Error('set-up has not prepared NeMo Platform');
  const dataDir = join(config.home, 'nemo-platform');
  linkLog(join(dataDir, 'nemo-platform.log'), join(logsDir, 'nemo-platform.log'));
  return {
    name: nemoPlatformService,
    logFile: join(logsDir, 'nemo-platform.log'),
    start: (signal) => startNemoPlatform({ ...found, signal, dataDir, port: Number(new URL(url).port) }),
  };
}

/** These keep their log beside their data; all logs are found in one folder as well. */
function linkLog(target: string, link: string): void {
  if (!existsSync(link)) symlinkSync(target, link);
}
