import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import { beforeAll, describe, expect, it } from 'vitest';
import { startTemporal } from '../../../../cli/dev/services/temporal.ts';
import { temporalCacheDir } from '../../../../cli/setup/cache.ts';
import { findTemporal } from '../../../../cli/setup/find-temporal.ts';
import { searchAttributeTypes } from '../../../../workflows/search-attributes.ts';
import { eventually } from '../../../support/eventually.ts';
import { freePort } from '../../../support/free-port.ts';

describe('the embedded Temporal server', () => {
  let binary: string;
  beforeAll(async () => {
    ({ path: binary } = await findTemporal({ cacheDir: temporalCacheDir(), onProgress: () => {} }));
  });

  it('knows our search attributes and keeps its workflows over a restart', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'temporal-service-'));
    const options = {
      binary,
      port: await freePort(),
      uiPort: null,
      databaseFile: join(dir, 'temporal.db'),
      onLine: () => {},
    };

    const first = await startTemporal(options);
    await startSomething(first.address);
    await first.stop();
    const second = await startTemporal(options);
    const kept = await describeSomething(second.address);
    await second.stop();

    expect(kept.name).toBe('kept');
    expect(kept.attributes).toEqual(expect.arrayContaining(Object.keys(searchAttributeTypes)));
    await rm(dir, { recursive: true });
  });

  it('says that it could not start, with nothing left running', async () => {
    const lines: string[] = [];
    const port = await freePort();

    const starting = startTemporal({
      binary: '/bin/false',
      port,
      uiPort: null,
      databaseFile: null,
      onLine: (line) => lines.push(line),
    });

    await expect(starting).rejects.toThrow(/ended with code 1 while starting/);
  });

  it('ends with the process that started it, even when that is killed', async () => {
    const port = await freePort();
    const service = fileURLToPath(new URL('../../../../cli/dev/services/temporal.ts', import.meta.url));
    const program = `
      const { startTemporal } = await import(${JSON.stringify(service)});
      const { pid } = await startTemporal({ binary: ${JSON.stringify(binary)}, port: ${port}, uiPort: null, databaseFile: null, onLine: () => {} });
      console.log(pid);`;
    const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];

    parent.kill('SIGKILL');

    await eventually(() => expect(isAlive(Number(line))).toBe(false));
  });
});

async function startSomething(address: string): Promise<void> {
  const connection = await Connection.connect({ address });
  const request = { namespace: 'default', workflowId: 'kept', requestId: 'r1' };
  await connection.workflowService.startWorkflowExecution({
    ...request,
    workflowType: { name: 'nothing' },
    taskQueue: { name: 'nobody' },
  });
  await connection.close();
}

async function describeSomething(address: string): Promise<{ name: string; attributes: string[] }> {
  const connection = await Connection.connect({ address });
  const { customAttributes } = await connection.operatorService.listSearchAttributes({
    namespace: 'default',
  });
  const { workflowExecutionInfo } = await connection.workflowService.describeWorkflowExecution({
    namespace: 'default',
    execution: { workflowId: 'kept' },
  });
  await connection.close();
  return {
    name: workflowExecutionInfo?.execution?.workflowId ?? '',
    attributes: Object.keys(customAttributes ?? {}),
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
