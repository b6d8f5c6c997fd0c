/** A field's value as a text: `''` where there is none, JSON where it is no plain one. */
export function text(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : JSON.stringify(value);
}
