import { currentTraceId } from '../activities/current-trace-id.ts';
import { createActivities, createDeviceActivities } from '../activities/index.ts';
import { migrateDatabases } from '../wiring/migrate-databases.ts';
import { openActivityPorts } from '../wiring/open-activity-ports.ts';
import { openSchedules } from '../wiring/schedules/open-schedules.ts';
import { activityQueue, promptQueue } from '../workflows/task-queues.ts';
import { deviceWorkers } from './device-worker.ts';
import { followSchedules } from './follow-schedules.ts';
import { keepDeployed } from './keep-deployed.ts';
import { promptness } from './promptness.ts';
import { runWorkerProcess } from './run-workers.ts';

/** Everything with side effects: the activity queues, and the queues of the accelerators beside this machine. */
await runWorkerProcess('activity-worker', async (config, logger) => {
  await migrateDatabases(config);
  const { ports, close } = openActivityPorts(config, currentTraceId);
  const activities = createActivities(ports);
  const schedules = openSchedules(config);
  const { deployers, lineage } = ports;
  const repeated = [
    followSchedules(schedules, logger),
    keepDeployed({ deployers, deployments: lineage.deployments }, logger),
  ];
  return {
    workers: [
      // A worker of its own, so that a run's evaluations never keep an approval waiting.
      { taskQueue: promptQueue, activities, maxConcurrentActivityTaskExecutions: 20, ...promptness },
      {
        taskQueue: activityQueue,
        activities,
        // Mostly waiting for other servers; evaluations bound their own requests.
        maxConcurrentActivityTaskExecutions: 20,
        ...promptness,
      },
      ...deviceWorkers(config, createDeviceActivities(ports)),
    ],
    async close() {
      await Promise.all(repeated.map((one) => one.stop()));
      await Promise.all([schedules.close(), close()]);
    },
  };
});
