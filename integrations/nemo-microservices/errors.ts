import { type FlywheelError, RejectedError } from '../../domain/errors.ts';
import { isJsonObject } from '../../domain/json.ts';
import { type CallName, refused } from '../http/errors.ts';

/** What a service answered that is no success. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Deployment Management says that a name is taken with a 500. */
const takenText = /already exists/i;

/** The one translation of a v1 service's refusal: `conflict` for a name that is taken, however it says so. */
export function toFlywheelError({ status, headers, text }: Answered, call: CallName): FlywheelError {
  const error = refused({ status, headers, detail: detailOf(text) }, call);
  const isTaken = status === 500 && takenText.test(text);
  return isTaken ? new RejectedError(error.message, { code: 'conflict' }) : error;
}

/** Whether the other side has no such thing. */
export function isMissing(error: unknown): boolean {
  return error instanceof RejectedError && error.code === 'not_found';
}

/** What was asked for; null where the other side has no such thing. */
export async function ifThere<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** Whether a look-up may be taken for "there is none": what a service says of something missing is not documented. */
export function isAbsent(error: unknown): boolean {
  return error instanceof RejectedError && error.code !== 'unauthorized';
}

/** Whether the name is taken. */
export function isConflict(error: unknown): boolean {
  return error instanceof RejectedError && error.code === 'conflict';
}

/** Some releases answer a namespace that is there with a 422; should it be another complaint, the next call tells. */
export function isConflictOfNamespace(error: unknown): boolean {
  return isConflict(error) || (error instanceof RejectedError && error.code === 'invalid');
}

/** The `detail` of FastAPI (a text, or one entry per invalid field), or the beginning of whatever came. */
function detailOf(text: string): string {
  try {
    const body: unknown = JSON.parse(text);
    const { detail, message, error } = isJsonObject(body) ? body : {};
    const told = detail ?? message ?? error;
    if (typeof told === 'string') return told;
    return Array.isArray(told) ? told.map(issue).join('; ') : text;
  } catch {
    return text;
  }
}

function issue(entry: unknown): string {
  const { loc = [], msg = '' } = isJsonObject(entry) ? entry : {};
  const where = Array.isArray(loc) ? loc.map((part) => JSON.stringify(part)).join('.') : 'body';
  return `${where.replaceAll('"', '')}: ${typeof msg === 'string' ? msg : JSON.stringify(msg)}`;
}
