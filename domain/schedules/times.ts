export const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
export type Weekday = (typeof weekdays)[number];

export interface TimeOfDay {
  readonly hour: number;
  readonly minute: number;
}

/** `02:00` → `{hour: 2, minute: 0}`; null for anything else. */
export function parseTimeOfDay(text: string): TimeOfDay | null {
  const [, hour, minute] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text.trim()) ?? [];
  return hour === undefined ? null : { hour: Number(hour), minute: Number(minute) };
}

/** `sun 03:00`; null for anything else. */
export function parseWeekly(text: string): (TimeOfDay & { readonly weekday: Weekday }) | null {
  const [day = '', time = '', ...rest] = text.trim().split(/\s+/);
  const weekday = weekdays.find((known) => known === day.toLowerCase());
  const timeOfDay = parseTimeOfDay(time);
  return weekday && timeOfDay && rest.length === 0 ? { weekday, ...timeOfDay } : null;
}

/** Whether this machine's time zone database knows the IANA name. */
export function isTimezone(name: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }));
  } catch {
    return false;
  }
}
