/** Asks the live gateway, as an application would. */
export interface GatewayProbe {
  /**
   * Sends one small chat request for the workload and reports what answered, from the gateway's headers.
   * Not logged as traffic. Throws `UnavailableError` when the gateway or the model behind it does not answer.
   */
  ask(workloadId: string): Promise<GatewayAnswer>;
}

export type GatewayAnswer =
  | {
      readonly kind: 'answered';
      readonly model: string | null;
      readonly routeVersion: number;
      readonly latencyMs: number;
    }
  /** The workload is on the original, and none is configured: the gateway refuses its calls. */
  | { readonly kind: 'no_upstream' };
