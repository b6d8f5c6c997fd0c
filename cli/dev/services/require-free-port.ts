import { connect } from 'node:net';
import { ConflictError } from '../../../domain/errors.ts';

/** Else a health check would be answered by somebody else. Throws `ConflictError`. */
export async function requireFreePort(port: number, service: string): Promise<void> {
  if (!(await isPortTaken(port))) return;
  throw new ConflictError(
    `Port ${port} is taken; ${service} needs it. Stop what listens there, or choose other ports with --port-offset.`,
  );
}

/** Whether anybody listens there on loopback. */
export function isPortTaken(port: number): Promise<boolean> {
  return new Promise((settle) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      settle(true);
    });
    socket.once('error', () => settle(false));
  });
}
