/** An error that the gateway itself raises, told in OpenAI's shape so that any OpenAI client reads it. */
export interface GatewayError {
  readonly status: 400 | 404 | 413 | 415 | 500 | 502 | 504;
  /** Stable, snake_case. */
  readonly code: string;
  readonly message: string;
  readonly param?: string;
}

export function openAiError({ status, code, message, param }: GatewayError): Response {
  const type = status < 500 ? 'invalid_request_error' : 'api_error';
  return Response.json({ error: { message, type, param: param ?? null, code } }, { status });
}
