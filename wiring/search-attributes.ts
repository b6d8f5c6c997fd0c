import type { Connection } from '@temporalio/client';
import { searchAttributeTypes } from '../workflows/search-attributes.ts';

/** What can be asked of a server, whichever kind of connection there is. */
type Server = Pick<Connection, 'operatorService'>;

/**
 * The search attributes that our workflows set and the namespace does not know, by name, with the command
 * that creates each. Null where the server does not tell: Temporal Cloud has no operator service.
 */
export async function missingSearchAttributes(
  { operatorService }: Server,
  namespace: string,
): Promise<{ readonly names: string[]; readonly commands: string[] } | null> {
  let known: Record<string, unknown>;
  try {
    known = (await operatorService.listSearchAttributes({ namespace })).customAttributes;
  } catch (error) {
    if (withholdsIt(error)) return null;
    throw error;
  }
  const missing = Object.entries(searchAttributeTypes).filter(([name]) => !(name in known));
  return {
    names: missing.map(([name]) => name),
    commands: missing.map(
      ([name, type]) =>
        `temporal operator search-attribute create --namespace ${namespace} --name ${name} --type ${type}`,
    ),
  };
}

/** gRPC's codes of a server that has no such service, or lets only its operators ask. */
function withholdsIt(error: unknown): boolean {
  const [unimplemented, permissionDenied] = [12, 7];
  const code = grpcCode(error);
  return code === unimplemented || code === permissionDenied;
}

/** Whether the server has no such namespace. */
export function isUnknownNamespace(error: unknown): boolean {
  const notFound = 5;
  return grpcCode(error) === notFound;
}

function grpcCode(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
}
