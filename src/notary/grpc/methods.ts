import {
  type Codec,
  CREATE_KEY_REQUEST,
  HEALTH_STATUS,
  KEY_INFO_RESPONSE,
  NOTHING,
  PUBLIC_KEY,
  SIGNATURE,
  SIGNATURE_REQUEST,
  TEXT,
} from './messages.ts';

/** One call of a gRPC service, for both client and server. */
export interface Method<Request, Response> {
  readonly path: string;
  readonly request: Codec<Request>;
  readonly response: Codec<Response>;
}

/** The calls of a Notary signer, and the one of gRPC's health service (protocol B.14.2). */
export const METHODS = {
  createKey: method('/proto.KeyManagement/CreateKey', CREATE_KEY_REQUEST, PUBLIC_KEY),
  deleteKey: method('/proto.KeyManagement/DeleteKey', TEXT, NOTHING),
  getKeyInfo: method('/proto.KeyManagement/GetKeyInfo', TEXT, KEY_INFO_RESPONSE),
  sign: method('/proto.Signer/Sign', SIGNATURE_REQUEST, SIGNATURE),
  checkHealth: method('/grpc.health.v1.Health/Check', TEXT, HEALTH_STATUS),
} as const;

/** The service names that a signer's health service accepts. */
export const HEALTH_NAMES = ['grpc.health.v1.Health.KeyManagement', 'grpc.health.v1.Health.Signer'] as const;

/** Size limit of one message in bytes, the same as that of Notary's signer: gRPC's default. */
export const MAX_MESSAGE = 4 * 1024 * 1024;

function method<Request, Response>(
  path: string,
  request: Codec<Request>,
  response: Codec<Response>,
): Method<Request, Response> {
  return { path, request, response };
}
