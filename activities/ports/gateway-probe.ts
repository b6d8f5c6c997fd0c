/** Asks the live gateway, as an application would. */
export interface GatewayProbe {
  /**
   * Sends one small chat request for the workload and reports what answered, from the gateway's headers.
   * Throws `UnavailableError` when the gateway or the model behind it does not answer.
   */
  ask(workloadId: string): Promise<{ model: string; routeVersion: number; latencyMs: number }>;
}
