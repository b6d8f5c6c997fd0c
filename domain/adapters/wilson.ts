/** The normal deviate of a two-sided 95 % interval. */
const z = 1.959964;

/**
 * Wilson's 95 % interval of a share of `n` independent yes-or-no answers; null for none. Unlike the plain normal
 * one it stays within [0, 1] and is honest near its ends.
 */
export function wilsonInterval(successes: number, n: number): readonly [number, number] | null {
  if (n === 0) return null;
  const share = successes / n;
  const centre = share + (z * z) / (2 * n);
  const spread = z * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  const scale = 1 + (z * z) / n;
  return [Math.max(0, (centre - spread) / scale), Math.min(1, (centre + spread) / scale)];
}
