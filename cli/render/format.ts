import type { Strategy } from '../../domain/experiments/experiment.ts';

export function count(value: number): string {
  return value.toLocaleString('en-US');
}

export function seconds(value: number): string {
  if (value < 60) return `${value < 10 ? value.toFixed(1) : Math.round(value)} s`;
  const minutes = Math.floor(value / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(value % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `2026-11-21 02:13:05 UTC`; the input is RFC 3339 in UTC. */
export function moment(timestamp: string): string {
  return `${timestamp.slice(0, 10)} ${timestamp.slice(11, 19)} UTC`;
}

export function experimentName(experiment: {
  readonly candidate: string;
  readonly strategy: Strategy;
  readonly role?: 'challenger' | 'champion';
}): string {
  if (experiment.role === 'champion') return 'champion (serves today)';
  return `${experiment.candidate} × ${experiment.strategy}`;
}

/** `{a: 3, b: 1}` as `3 a, 1 b`, most first. */
export function tally(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, n]) => `${count(n)} ${reason}`)
    .join(', ');
}

export function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, n) => sum + n, 0);
}
