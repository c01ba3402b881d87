export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Maximum length in bytes of a successful response's body. */
  readonly limit: number;
  /** Whether sending it twice does no harm; by default true for GET, HEAD, PUT and DELETE. */
  readonly mayTakeEffectTwice?: boolean;
  /** How many redirects to follow, for GET and HEAD. By default none: a redirect is then a response like any other. */
  readonly redirects?: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The whole body; empty for an error body above its limit. */
  readonly body: Buffer;
  /** The URL that sent the response, after redirects. */
  readonly url: URL;
}
