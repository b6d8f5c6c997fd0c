/** An error that the gateway itself raises, told in OpenAI's shape so that any OpenAI client reads it. */
export interface GatewayError {
  readonly status: 400 | 401 | 403 | 404 | 409 | 412 | 413 | 415 | 429 | 500 | 502 | 503 | 504;
  /** Stable, snake_case. */
  readonly code: string;
  readonly message: string;
  readonly param?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The words of OpenAI's API for kinds of errors; everything else of a caller's is an invalid request. */
const types: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  429: 'rate_limit_error',
};

export function openAiError(error: GatewayError): Response {
  const { status, headers } = error;
  const body = errorBody(error);
  const challenge: Readonly<Record<string, string>> =
    status === 401 ? { 'www-authenticate': 'Bearer realm="flywheel"' } : {};
  return Response.json(body, { status, headers: { ...challenge, ...headers } });
}

export function errorBody({ status, code, message, param }: GatewayError): object {
  const type = types[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
  return { error: { message, type, param: param ?? null, code } };
}

export function tooLarge(maxBytes: number): GatewayError {
  return {
    status: 413,
    code: 'request_too_large',
    message: `The body has more than ${maxBytes} bytes (FLYWHEEL_MAX_BODY_BYTES).`,
  };
}

/** Thrown by an endpoint that cannot use what it was sent. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly answer: GatewayError;

  constructor(answer: GatewayError) {
    super(answer.message);
    this.answer = answer;
  }
}

export function isError(value: object): value is GatewayError {
  return 'status' in value && 'code' in value && 'message' in value;
}
