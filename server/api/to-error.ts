import { ConflictError, FlywheelError, NotFoundError, UnavailableError } from '../../domain/errors.ts';
import { type GatewayError, RequestError } from '../openai-error.ts';

/** How an error of ours is told over HTTP; null for a fault of the server, whose words are for its log only. */
export function toGatewayError(error: unknown): GatewayError | null {
  if (error instanceof RequestError) return error.answer;
  if (!(error instanceof FlywheelError)) return null;
  const { message } = error;
  if (error instanceof NotFoundError) return { status: 404, code: 'not_found', message };
  if (error instanceof ConflictError) return { status: 409, code: 'conflict', message };
  // By name: what the gateway runs on is not told over HTTP, but for the file that an endpoint reads and writes.
  if (error.name === 'ConfigError') return { status: 409, code: 'policies_unusable', message };
  if (error instanceof UnavailableError)
    return { status: 503, code: 'unavailable', message, headers: { 'retry-after': '5' } };
  return null;
}
