/** Asks the live gateway, as an application would. */
export interface GatewayProbe {
  /**
   * Sends one small chat request for the workload and reports what answered, from the gateway's headers.
   * Not logged as traffic. Throws `UnavailableError` when no gateway answers.
   */
  ask(workloadId: string): Promise<GatewayAnswer>;
}

export interface GatewayAnswer {
  /** By which version of the workload's route the gateway answered; 0 when it was never moved. */
  readonly routeVersion: number;
  /** The model that was asked; null when the gateway refused the call itself. */
  readonly model: string | null;
  /** HTTP status of the answer, be it the model's or the gateway's. */
  readonly status: number;
  readonly latencyMs: number;
  /** The beginning of the answer's body, when its status is no success. */
  readonly complaint: string | null;
}
