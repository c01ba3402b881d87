import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

const DAY = 86_400_000;
const ECDSA_SHA256 = sequence(objectId([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]));
const COMMON_NAME = objectId([0x55, 0x04, 0x03]);
const BASIC_CONSTRAINTS = objectId([0x55, 0x1d, 0x13]);
const ALTERNATIVE_NAME = objectId([0x55, 0x1d, 0x11]);

/** A certificate and its private key, both PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends Pair {
  /**
   * Issues a certificate for host names and addresses, valid from `since` to `days` days from now; eight days ago and five
   * days ahead where absent.
   */
  issue(names: readonly string[], options?: { readonly since?: number; readonly days?: number }): Pair;
}

/** Makes a certificate authority for one test file. */
export function makeAuthority(name: string): Authority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const isAuthority = extension(BASIC_CONSTRAINTS, sequence(der(0x01, Buffer.from([0xff]))));
  const cert = certificate({
    issuer: name,
    subject: name,
    since: -8,
    days: 10,
    publicKey: keys.publicKey,
    extensions: [isAuthority],
  });
  return {
    cert: cert(keys.privateKey),
    key: pemKey(keys.privateKey),
    issue: (names, { since = -8, days = 5 } = {}) => {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const extensions = [extension(ALTERNATIVE_NAME, sequence(...names.map(generalName)))];
      const subject = names[0] ?? '';
      const issued = certificate({ issuer: name, subject, since, days, publicKey: own.publicKey, extensions });
      return { cert: issued(keys.privateKey), key: pemKey(own.privateKey) };
    },
  };
}

interface Contents {
  readonly issuer: string;
  readonly subject: string;
  readonly since: number;
  readonly days: number;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Buffer[];
}

function certificate({
  issuer,
  subject,
  since,
  days,
  publicKey,
  extensions,
}: Contents): (signingKey: KeyObject) => string {
  const now = Date.now();
  const toBeSigned = sequence(
    der(0xa0, integer(2)),
    integer(1 + Math.floor(Math.random() * 2 ** 30)),
    ECDSA_SHA256,
    distinguishedName(issuer),
    sequence(time(now + since * DAY), time(now + days * DAY)),
    distinguishedName(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  );
  return (signingKey) => {
    const signature = sign('sha256', toBeSigned, signingKey);
    const whole = sequence(toBeSigned, ECDSA_SHA256, der(0x03, Buffer.concat([Buffer.from([0]), signature])));
    const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
    return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
  };
}

function pemKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function der(tag: number, content: Buffer): Buffer {
  const size = content.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

function sequence(...items: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(items));
}

function integer(value: number): Buffer {
  const digits = value.toString(16);
  const bytes = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
  return der(0x02, (bytes[0] ?? 0) < 128 ? bytes : Buffer.concat([Buffer.from([0]), bytes]));
}

function objectId(bytes: readonly number[]): Buffer {
  return der(0x06, Buffer.from(bytes));
}

function time(milliseconds: number): Buffer {
  const text = new Date(milliseconds).toISOString().replace(/^20|[-:T]|\.\d+/g, '');
  return der(0x17, Buffer.from(text));
}

function distinguishedName(name: string): Buffer {
  return sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(name)))));
}

function extension(id: Buffer, value: Buffer): Buffer {
  return sequence(id, der(0x04, value));
}

function generalName(name: string): Buffer {
  const isAddress = /^[\d.]+$/.test(name);
  return isAddress ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name));
}
