/** What a model's tokens cost, in US dollars per million. */
export interface Price {
  readonly prompt: number;
  readonly completion: number;
}
