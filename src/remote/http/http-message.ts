export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Bytes that the body of a successful answer may have. */
  readonly limit: number;
  /**
   * Whether it does no harm if the server takes it twice; if absent, the method says: GET, HEAD, PUT and DELETE do
   * none.
   */
  readonly mayTakeEffectTwice?: boolean;
  /** Redirects to follow, for GET and HEAD; none if absent: then a redirect is an answer as any other. */
  readonly redirects?: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The whole body; empty if that of a failure was longer than an error has any need to be. */
  readonly body: Buffer;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
}
