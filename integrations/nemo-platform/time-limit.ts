/** What every executor of the platform says of a process that it ended for its time: running, or waiting to. */
const timeLimitText = /max TTL of (\d+) seconds/;

/** What to do about a job that ran into the platform's time limit; null where that is not what ended it. */
export function timeLimitAdvice(error: string | null): string | null {
  const seconds = timeLimitText.exec(error ?? '')?.[1];
  if (seconds === undefined) return null;
  return (
    `${error}. Raise ttl_seconds_active of the platform's job executor, now ${seconds} s ` +
    '(ttl_seconds_before_active, where the job never began).'
  );
}
