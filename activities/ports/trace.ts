/**
 * The trace that a call to the outside belongs to: 32 lower-case hex digits, as W3C's trace context has them; null
 * where there is none. Asked for each call.
 */
export type TraceIds = () => string | null;
