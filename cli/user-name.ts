import { userInfo } from 'node:os';

/** Who asks, as the operating system knows them: a claim, not a proof, and stored as such. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // Containers may run under a user id without a name.
    return process.env['USER'] ?? 'unknown';
  }
}
