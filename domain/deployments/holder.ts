/** Names of those who need a model deployed (`DeploymentLineage.hold`). */
export function runHolder(runId: string): string {
  return `run:${runId}`;
}

export function routeHolder(workloadId: string): string {
  return `route:${workloadId}`;
}

export function isRouteHolder(holder: string): boolean {
  return holder.startsWith('route:');
}
