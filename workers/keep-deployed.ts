import type { Logger } from '@temporalio/worker';
import { type RedeployLostPorts, redeployLost } from '../activities/deployments/redeploy-lost.ts';
import { UnavailableError } from '../domain/errors.ts';
import { type Repeated, repeat } from './repeat.ts';

/** For how long a route may lead to a model that its provider has lost. A look asks each provider once a model. */
const lookEveryMs = 60_000;

/** Sees to it that what routes serve, or would go back to, stays deployed (`redeployLost`). */
export function keepDeployed(ports: RedeployLostPorts, logger: Logger, everyMs = lookEveryMs): Repeated {
  const look = async () => {
    const problems: string[] = [];
    for (const { problem, ...lost } of await redeployLost(ports)) {
      if (problem === null) logger.info('deployed again what a route needs and its provider had lost', lost);
      else problems.push(problem);
    }
    if (problems.length > 0) throw new UnavailableError(problems.join(' '));
  };
  return repeat(look, { everyMs, logger, saying: 'what routes need is not known to be deployed' });
}
