import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { SignetError } from '../../../src/core/errors/index.ts';
import { generatePrivateKey } from '../../../src/core/keys/private-key.ts';
import { makePublicKey } from '../../../src/core/keys/public-key.ts';
import { parseKeyId } from '../../../src/core/names/key-id.ts';
import { verifySignature } from '../../../src/core/signature.ts';
import { PUBLIC_KEY, SIGNATURE } from '../../../src/notary/grpc/messages.ts';
import { HEALTH_NAMES, METHODS } from '../../../src/notary/grpc/methods.ts';
import { openRemoteSigner, type RemoteSigner } from '../../../src/notary/grpc/remote-signer.ts';
import { LocalOnlineKeys } from '../../../src/notary/publish/local-online-keys.ts';
import { Vault } from '../../../src/notary/publish/seal.ts';
import { SealedKeyVault } from '../../../src/notary/publish/sealed-key-vault.ts';
import { type GrpcServer, startGrpcServer } from '../../../src/notary/signer/grpc-server.ts';
import { SignerService } from '../../../src/notary/signer/signer-service.ts';
import { ONLINE_KEY_MIGRATIONS, SqliteOnlineKeyStore } from '../../../src/notary/store/sqlite-online-key-store.ts';
import { IN_MEMORY, openDatabase } from '../../../src/store/sqlite.ts';
import { makeAuthority } from '../../remote/certificates.ts';
import { atEnd } from '../../support/cleanup.ts';
import { failure } from '../../support/failure.ts';
import { rawCall } from '../../support/grpc.ts';
import { GUN, MASTER_KEY } from '../fixture.ts';

const MESSAGE = Buffer.from('{"_type":"Timestamp"}');
const [servers, clients, strangers] = ['The signers', 'The servers', 'Strangers'].map(makeAuthority) as [
  ReturnType<typeof makeAuthority>,
  ReturnType<typeof makeAuthority>,
  ReturnType<typeof makeAuthority>,
];
const OWN = servers.issue(['localhost']);
const silent = { info: () => {}, warn: () => {}, error: () => {} };

const pemOf = ({ cert, key }: { readonly cert: string; readonly key: string }) => ({
  chain: Buffer.from(cert),
  key: Buffer.from(key),
});

describe('the signer', () => {
  const store = new SqliteOnlineKeyStore(openDatabase(IN_MEMORY, ONLINE_KEY_MIGRATIONS));
  const log: string[] = [];
  const write = (message: string) => void log.push(message);
  const keys = new LocalOnlineKeys(new SealedKeyVault(store, new Vault(MASTER_KEY)), 'ed25519', () => 1000);
  let server: GrpcServer;
  let signer: RemoteSigner;

  const open = (ca: string, client: { readonly cert: string; readonly key: string } | undefined) =>
    openRemoteSigner({
      authority: `localhost:${server.port}`,
      ca: Buffer.from(ca),
      client: client === undefined ? undefined : pemOf(client),
    });

  beforeAll(async () => {
    server = await startGrpcServer(new SignerService(keys, { info: write, warn: write, error: write }), {
      address: '127.0.0.1:0',
      certificate: { chain: OWN.cert, key: OWN.key },
      clientCa: Buffer.from(clients.cert),
      log: silent,
    });
    signer = await open(servers.cert, clients.issue(['server']));
  });
  afterAll(async () => {
    signer.close();
    await server.stop(0);
  });

  test('makes keys, signs with them, and is healthy', async () => {
    await signer.check();
    for (const type of ['ecdsa', 'ed25519'] as const) {
      const key = await signer.createKey(type, GUN, 'timestamp');
      expect((await signer.createKey(type, GUN, 'timestamp')).id).toBe(key.id);
      const signature = await signer.sign(key, MESSAGE);
      expect(signature !== undefined && verifySignature(key, signature, MESSAGE)).toBe(true);
      expect(await signer.find(key.id)).toEqual(key);
      expect((await signer.createKey(type, GUN, 'timestamp')).id).not.toBe(key.id);
    }
  });

  test('has only the keys that it made', async () => {
    expect(await signer.find(parseKeyId('0'.repeat(64)))).toBeUndefined();
    expect(await signer.sign(generatePrivateKey('ecdsa').publicKey, MESSAGE)).toBeUndefined();
  });

  test.each([
    ['no certificate', undefined],
    ['a certificate of another authority', strangers.issue(['server'])],
    ['a certificate of the signer’s own authority', servers.issue(['server'])],
  ])('takes no call from a client with %s', async (_, client) => {
    const intruder = await open(servers.cert, client);
    const before = log.length;
    await failure(intruder.createKey('ecdsa', GUN, 'snapshot'), 'signer-unreachable');
    await failure(intruder.check(), 'signer-unreachable');
    intruder.close();
    expect(log.length).toBe(before);
    expect(await store.pending(GUN, 'snapshot', 'ecdsa')).toBeUndefined();
  });

  test('is not believed by a client that trusts another authority', async () => {
    const careful = await open(strangers.cert, clients.issue(['server']));
    await failure(careful.check(), 'signer-unreachable');
    careful.close();
  });

  /** A call as any client may write it. */
  const raw = (path: string, bytes: Buffer) =>
    rawCall(server.port, { authority: servers.cert, ...clients.issue(['server']) }, path, bytes);

  test.each<readonly [name: keyof typeof METHODS, request: unknown, code: number, text: string]>([
    [
      'createKey',
      { algorithm: 'rsa', gun: 'a/b', role: 'timestamp' },
      status.UNKNOWN,
      'algorithm rsa not supported for create key',
    ],
    [
      'createKey',
      { algorithm: 'ecdsa', gun: 'a/b', role: 'root' },
      status.INVALID_ARGUMENT,
      'role root is not one that a server signs for',
    ],
    [
      'createKey',
      { algorithm: 'ecdsa', gun: '', role: 'timestamp' },
      status.INVALID_ARGUMENT,
      'invalid repository name ""',
    ],
    ['getKeyInfo', '../x', status.NOT_FOUND, 'key ../x not found'],
    ['sign', { keyId: 'ab', content: MESSAGE }, status.NOT_FOUND, 'signing key not found: ab'],
    ['deleteKey', 'ab', status.OK, ''],
    ['checkHealth', '', status.OK, '0801'],
    ['checkHealth', HEALTH_NAMES[0], status.OK, '0801'],
    ['checkHealth', 'grpc.health.v1.Health.Overall', status.NOT_FOUND, 'unknown service'],
  ])('answers %s of %j', async (name, request, code, text) => {
    const { path, request: codec } = METHODS[name];
    expect(await raw(path, (codec.encode as (value: unknown) => Buffer)(request))).toEqual([code, text]);
  });

  test('refuses what is no message, and what is too large', async () => {
    const [code, text] = await raw(METHODS.sign.path, Buffer.from('0a05', 'hex'));
    expect([code, text]).toEqual([status.INVALID_ARGUMENT, 'malformed message of a signer: it is cut off']);
    expect((await raw(METHODS.sign.path, Buffer.alloc(4 * 1024 * 1024 + 1)))[0]).toBe(status.RESOURCE_EXHAUSTED);
    expect((await raw('/proto.Signer/Export', Buffer.of()))[0]).toBe(status.UNIMPLEMENTED);
    await signer.check();
  });

  test('removes a key for good, also one that is open', async () => {
    const key = await signer.createKey('ecdsa', GUN, 'snapshot');
    expect(await signer.sign(key, MESSAGE)).toBeDefined();
    const request = METHODS.deleteKey.request.encode(key.id);
    expect(await raw(METHODS.deleteKey.path, request)).toEqual([status.OK, '']);
    expect(await raw(METHODS.deleteKey.path, request)).toEqual([status.OK, '']);
    expect(await signer.sign(key, MESSAGE)).toBeUndefined();
    expect(await signer.find(key.id)).toBeUndefined();
  });
});

test('a signer whose master key is another one is not serving, and says no more than that', async () => {
  const store = new SqliteOnlineKeyStore(openDatabase(IN_MEMORY, ONLINE_KEY_MIGRATIONS));
  const right = new LocalOnlineKeys(new SealedKeyVault(store, new Vault(MASTER_KEY)), 'ecdsa', () => 1000);
  const key = await right.next(GUN, 'timestamp', []);
  const wrong = new LocalOnlineKeys(new SealedKeyVault(store, new Vault(Buffer.alloc(32, 9))), 'ecdsa', () => 1000);
  const service = new SignerService(wrong, silent);
  expect(await service.checkHealth(HEALTH_NAMES[1])).toBe(2);
  const error = await service.sign({ keyId: key.id, content: MESSAGE }).catch((cause: unknown) => cause as Error);
  expect(error).toMatchObject({ code: status.INTERNAL, message: 'Signing failed' });
});

describe('a signer that is not what it should be', () => {
  let server: Server;
  let signer: RemoteSigner;
  afterEach(() => {
    signer.close();
    server.forceShutdown();
  });

  /** Answers every call with these bytes; never, if there are none. */
  async function answering(bytes: Buffer | undefined): Promise<RemoteSigner> {
    server = new Server();
    const same = (value: Buffer) => value;
    for (const [name, { path }] of Object.entries(METHODS)) {
      const codecs = {
        requestSerialize: same,
        requestDeserialize: same,
        responseSerialize: same,
        responseDeserialize: same,
      };
      server.addService(
        { [name]: { path, requestStream: false, responseStream: false, ...codecs } },
        { [name]: (_: unknown, callback: (error: null, value: Buffer) => void) => bytes && callback(null, bytes) },
      );
    }
    const own = ServerCredentials.createSsl(null, [
      { private_key: Buffer.from(OWN.key), cert_chain: Buffer.from(OWN.cert) },
    ]);
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', own, (error, bound) => (error === null ? resolve(bound) : reject(error))),
    );
    signer = await openRemoteSigner({
      authority: `localhost:${port}`,
      ca: Buffer.from(servers.cert),
      client: undefined,
    });
    return signer;
  }

  const key = generatePrivateKey('ecdsa');
  const infoOf = (keyId: string, algorithm = 'ecdsa') => ({ keyId, algorithm });

  test('hangs: every call ends after five seconds, and those that follow at once', async () => {
    await answering(undefined);
    const started = performance.now();
    const error = await failure(signer.createKey('ecdsa', GUN, 'timestamp'), 'signer-silent');
    const taken = performance.now() - started;
    expect(error.message).toMatch(/^the signer localhost:\d+ did not answer within 5 seconds$/);
    expect(taken).toBeGreaterThan(4900);
    const again = performance.now();
    await failure(signer.sign(key.publicKey, MESSAGE), 'signer-silent');
    expect(performance.now() - again).toBeLessThan(taken / 2);
  }, 20_000);

  test.each([
    ['gives a key another ID', PUBLIC_KEY.encode({ keyInfo: infoOf('0'.repeat(64)), publicKey: key.publicKey.bytes })],
    [
      'gives a key of another kind',
      PUBLIC_KEY.encode({ keyInfo: infoOf(key.id, 'rsa'), publicKey: key.publicKey.bytes }),
    ],
    [
      'gives no key',
      PUBLIC_KEY.encode({ keyInfo: infoOf(makePublicKey('ecdsa', Buffer.of(1)).id), publicKey: Buffer.of(1) }),
    ],
    ['gives a key of the other kind', ed25519Key()],
  ])('%s', async (_, bytes) => {
    await answering(bytes);
    await failure(signer.createKey('ecdsa', GUN, 'timestamp'), 'signer-faulty');
  });

  function ed25519Key(): Buffer {
    const { id, bytes } = generatePrivateKey('ed25519').publicKey;
    return PUBLIC_KEY.encode({ keyInfo: infoOf(id, 'ed25519'), publicKey: bytes });
  }

  test('gives another key than the one that was asked for', async () => {
    await answering(PUBLIC_KEY.encode({ keyInfo: infoOf(key.id), publicKey: key.publicKey.bytes }));
    await failure(signer.find(generatePrivateKey('ecdsa').id), 'signer-faulty');
  });

  test('signs something else', async () => {
    const { bytes } = key.sign(Buffer.from('{"_type":"Root"}'));
    await answering(SIGNATURE.encode({ keyInfo: infoOf(key.id), algorithm: 'ecdsa', content: bytes }));
    await failure(signer.sign(key.publicKey, MESSAGE), 'signer-faulty');
  });

  test('gives what is no message, or too much', async () => {
    await answering(Buffer.from('0a05', 'hex'));
    const error = await signer.find(key.id).catch((cause: unknown) => cause);
    expect(error instanceof SignetError && error.code).toBe('signer-message-malformed');
    signer.close();
    server.forceShutdown();
    await answering(Buffer.alloc(70_000));
    await failure(signer.find(key.id), 'signer-refused');
  });

  test('says that it does not serve', async () => {
    await answering(Buffer.from('0802', 'hex'));
    const error = await failure(signer.check(), 'signer-faulty');
    expect(error.message).toContain('grpc.health.v1.Health.KeyManagement is not serving');
  });
});

describe('connections that come to no call', () => {
  const ELSEWHERE = '127.0.0.2';
  const MOST = 64;
  const me = clients.issue(['server']);

  async function start(handshakeTimeout: number): Promise<GrpcServer> {
    const store = new SqliteOnlineKeyStore(openDatabase(IN_MEMORY, ONLINE_KEY_MIGRATIONS));
    const keys = new LocalOnlineKeys(new SealedKeyVault(store, new Vault(MASTER_KEY)), 'ed25519', () => 1000);
    const server = await startGrpcServer(new SignerService(keys, silent), {
      address: '127.0.0.1:0',
      certificate: { chain: OWN.cert, key: OWN.key },
      clientCa: Buffer.from(clients.cert),
      log: silent,
      handshakeTimeout,
    });
    atEnd(() => server.stop(0));
    return server;
  }

  /** A connection that shows the beginning of a TLS record and nothing more, and what resolves when it is closed. */
  function begin({ port }: GrpcServer): { readonly socket: Socket; readonly closed: Promise<unknown> } {
    const socket = connect({ host: '127.0.0.1', port, localAddress: ELSEWHERE });
    socket.on('error', () => {});
    socket.write(Buffer.from([0x16, 0x03, 0x01]));
    atEnd(() => void socket.destroy());
    return { socket, closed: new Promise((resolve) => socket.once('close', resolve)) };
  }

  test('end after a while', async () => {
    const server = await start(100);
    await begin(server).closed;
  });

  test('are as many as one address may have, and keep no other address out', async () => {
    const server = await start(600_000);
    const begun = Array.from({ length: MOST + 6 }, () => begin(server));
    let closed = 0;
    await new Promise<void>((resolve) => {
      for (const one of begun) void one.closed.then(() => ++closed === 6 && resolve());
    });
    const signer = await openRemoteSigner({
      authority: `localhost:${server.port}`,
      ca: Buffer.from(servers.cert),
      client: pemOf(me),
    });
    atEnd(() => signer.close());
    await signer.check();
    expect(closed).toBe(6);
    await begin(server).closed;

    const [first] = begun.filter(({ socket }) => !socket.destroyed);
    const isIn = () =>
      new Promise<boolean>((resolve) => {
        const options = { host: '127.0.0.1', port: server.port, localAddress: ELSEWHERE, servername: 'localhost' };
        const socket = connectTls({ ...options, ...me, ca: servers.cert, ALPNProtocols: ['h2'] });
        socket.once('secureConnect', () => resolve(true));
        socket.on('error', () => {});
        socket.once('close', () => resolve(false));
        atEnd(() => void socket.destroy());
      });
    expect(await isIn()).toBe(false);
    first?.socket.destroy();
    await first?.closed;
    // The server may hear of it a little later than its client.
    while (!(await isIn())) await Bun.sleep(1);
  });
});
