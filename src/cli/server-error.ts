/** One problem of a problem+json list, e.g. a MOF diagnostic. */
export type Problem = Readonly<Record<string, unknown>>;

/** The server answered with an error (RFC 9457 problem+json, interfaces.md 3). */
export class ServerError extends Error {
  override readonly name = 'ServerError';
  readonly status: number;
  readonly problem: Problem;
  /** Text of the MOF files that were sent, by name: the carets of their diagnostics stand under it. */
  sources: ReadonlyMap<string, string> = new Map();

  constructor(status: number, problem: Problem) {
    super(String(problem['detail'] ?? problem['title'] ?? `HTTP status ${status}`));
    this.status = status;
    this.problem = problem;
  }
}

/** There is no server at the address, or the connection broke. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}
