import { bytesOf, decodeMembers, encodeMembers, numberOf, textOf } from './protobuf.ts';

/** How one message is encoded and decoded. */
export interface Codec<T> {
  readonly encode: (message: T) => Buffer;
  /** Throws `signer-message-malformed`. */
  readonly decode: (bytes: Buffer) => T;
}

export interface CreateKeyRequest {
  readonly algorithm: string;
  readonly gun: string;
  readonly role: string;
}

/** A key by its TUF ID, with its algorithm. Both are empty in messages that do not use them. */
interface KeyInfo {
  readonly keyId: string;
  readonly algorithm: string;
}

export interface PublicKeyMessage {
  readonly keyInfo: KeyInfo;
  /** The bytes of `keyval.public`, before base64 (protocol A.4). */
  readonly publicKey: Buffer;
}

export interface KeyInfoResponse extends PublicKeyMessage {
  readonly role: string;
}

export interface SignatureRequest {
  readonly keyId: string;
  /** The whole payload, not its hash. */
  readonly content: Buffer;
}

export interface SignatureMessage {
  readonly keyInfo: KeyInfo;
  /** The method of the signature (protocol A.5). */
  readonly algorithm: string;
  readonly content: Buffer;
}

/** The states of gRPC's health service that are used here. */
export const SERVING = 1;

// The messages and their field numbers are defined in protocol B.14.2.

export const CREATE_KEY_REQUEST: Codec<CreateKeyRequest> = {
  encode: ({ algorithm, gun, role }) =>
    encodeMembers([
      [1, algorithm],
      [2, gun],
      [3, role],
    ]),
  decode: (bytes) => {
    const members = decodeMembers(bytes);
    return { algorithm: textOf(members, 1), gun: textOf(members, 2), role: textOf(members, 3) };
  },
};

/** A message with a single text: `KeyID`, `Algorithm`, `HealthCheckRequest`. */
export const TEXT: Codec<string> = {
  encode: (text) => encodeMembers([[1, text]]),
  decode: (bytes) => textOf(decodeMembers(bytes), 1),
};

const KEY_INFO: Codec<KeyInfo> = {
  encode: ({ keyId, algorithm }) =>
    encodeMembers([
      [1, TEXT.encode(keyId)],
      [2, TEXT.encode(algorithm)],
    ]),
  decode: (bytes) => {
    const members = decodeMembers(bytes);
    return { keyId: TEXT.decode(bytesOf(members, 1)), algorithm: TEXT.decode(bytesOf(members, 2)) };
  },
};

export const PUBLIC_KEY: Codec<PublicKeyMessage> = {
  encode: ({ keyInfo, publicKey }) =>
    encodeMembers([
      [1, KEY_INFO.encode(keyInfo)],
      [2, publicKey],
    ]),
  decode: (bytes) => {
    const members = decodeMembers(bytes);
    return { keyInfo: KEY_INFO.decode(bytesOf(members, 1)), publicKey: bytesOf(members, 2) };
  },
};

export const KEY_INFO_RESPONSE: Codec<KeyInfoResponse> = {
  encode: ({ role, ...key }) => Buffer.concat([PUBLIC_KEY.encode(key), encodeMembers([[3, role]])]),
  decode: (bytes) => ({ ...PUBLIC_KEY.decode(bytes), role: textOf(decodeMembers(bytes), 3) }),
};

export const SIGNATURE_REQUEST: Codec<SignatureRequest> = {
  encode: ({ keyId, content }) =>
    encodeMembers([
      [1, TEXT.encode(keyId)],
      [2, content],
    ]),
  decode: (bytes) => {
    const members = decodeMembers(bytes);
    return { keyId: TEXT.decode(bytesOf(members, 1)), content: bytesOf(members, 2) };
  },
};

export const SIGNATURE: Codec<SignatureMessage> = {
  encode: ({ keyInfo, algorithm, content }) =>
    encodeMembers([
      [1, KEY_INFO.encode(keyInfo)],
      [2, TEXT.encode(algorithm)],
      [3, content],
    ]),
  decode: (bytes) => {
    const members = decodeMembers(bytes);
    return {
      keyInfo: KEY_INFO.decode(bytesOf(members, 1)),
      algorithm: TEXT.decode(bytesOf(members, 2)),
      content: bytesOf(members, 3),
    };
  },
};

/** `Void`. */
export const NOTHING: Codec<Record<string, never>> = {
  encode: () => Buffer.alloc(0),
  decode: (bytes) => {
    decodeMembers(bytes);
    return {};
  },
};

/** `HealthCheckResponse`, by its status. */
export const HEALTH_STATUS: Codec<number> = {
  encode: (status) => encodeMembers([[1, status]]),
  decode: (bytes) => numberOf(decodeMembers(bytes), 1),
};
