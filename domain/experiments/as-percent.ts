/**
 * A share in [0, 1] as a percentage with one decimal, such as `84.0 %`. Cut and not rounded, like the verdict's
 * scores: 0.7499 must not read as a threshold of 75 % that was reached.
 */
export function asPercent(share: number): string {
  // The little more keeps 0.29, which is 0.28999… in binary, from becoming 28.9 %.
  return `${(Math.floor(share * 1000 + 1e-9) / 10).toFixed(1)} %`;
}
