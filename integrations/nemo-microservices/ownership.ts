import type { ModelDeployment } from './deployment-management.ts';

const field = 'flywheel_models';

/** Custom fields that say whose a deployment is, and what it serves for us. Texts: older releases keep no others. */
export function ownership(models: readonly string[]): Readonly<Record<string, string>> {
  return { [field]: models.join(' ') };
}

/** Whether a Flywheel made it; each has a namespace of its own. */
export function isMarked({ customFields }: Pick<ModelDeployment, 'customFields'>): boolean {
  return typeof customFields[field] === 'string';
}

/** Whether this Flywheel made it: nothing is changed or removed without this. */
export function isOurs(
  deployment: Pick<ModelDeployment, 'customFields' | 'fullName'>,
  namespace: string,
): boolean {
  return isMarked(deployment) && deployment.fullName.startsWith(`${namespace}/`);
}

/** What a deployment of ours serves for us. */
export function modelsOf({ customFields }: Pick<ModelDeployment, 'customFields'>): readonly string[] {
  const models = customFields[field];
  return typeof models === 'string' ? models.split(' ').filter((model) => model !== '') : [];
}
