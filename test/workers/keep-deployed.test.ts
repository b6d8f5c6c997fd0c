import { DefaultLogger, type LogEntry } from '@temporalio/worker';
import { expect, it, onTestFinished } from 'vitest';
import type { RedeployLostPorts } from '../../activities/deployments/redeploy-lost.ts';
import type { Deployment } from '../../activities/ports/deployer.ts';
import { routeHolder } from '../../domain/deployments/holder.ts';
import { UnavailableError } from '../../domain/errors.ts';
import { keepDeployed } from '../../workers/keep-deployed.ts';
import { eventually } from '../support/eventually.ts';

it('looks again and again, says a problem once, and what it deployed again', async () => {
  let away = false;
  const running = new Set<string>();
  let looks = 0;
  const ready: Deployment = { id: 'llama', status: 'ready', ours: true, error: null };
  const held = {
    ...{ provider: 'gpu-box', model: 'llama', baseModel: null, deploymentId: 'llama', ours: true },
    ...{ removing: false, abandoned: false, holders: [routeHolder('hr')] },
  };
  const ports: RedeployLostPorts = {
    deployers: () => ({
      async deploy({ model }) {
        running.add(model);
        return ready;
      },
      async get(id) {
        looks += 1;
        if (away) throw new UnavailableError('gpu-box is away');
        return running.has(id) ? ready : null;
      },
      remove: async () => undefined,
    }),
    deployments: {
      list: async () => [held],
      begin: async () => true,
      recordDeployment: async () => undefined,
    },
  };
  const logged: LogEntry[] = [];
  const keeping = keepDeployed(ports, new DefaultLogger('INFO', (entry) => logged.push(entry)), 5);
  onTestFinished(() => keeping.stop());
  const infos = () => logged.filter(({ level }) => level === 'INFO');
  const warnings = () => logged.filter(({ level }) => level === 'WARN');

  await eventually(() => expect(infos()).toMatchObject([{ meta: { provider: 'gpu-box', model: 'llama' } }]));
  running.clear();
  await eventually(() => expect(infos()).toHaveLength(2));
  away = true;
  const before = looks;
  await eventually(() => expect(looks).toBeGreaterThan(before + 3));
  expect(warnings()).toMatchObject([{ meta: { error: { message: 'gpu-box is away' } } }]);

  await keeping.stop();
  const after = looks;
  away = false;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(looks).toBe(after);
});
