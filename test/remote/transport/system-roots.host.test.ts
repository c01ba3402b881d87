import { describe, expect, test } from 'bun:test';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemRoots } from '../../../src/remote/transport/system-roots.ts';
import { trustingClis } from '../../support/clis.ts';
import { run } from '../../support/run.ts';
import { temporaryFolder } from '../../support/temp.ts';
import { makeAuthority } from '../certificates.ts';
import { serve } from '../servers.ts';

const MAIN = join(import.meta.dir, '../../../src/cli/main.ts');
const authority = makeAuthority('The authority of a distribution');
const [other, third] = [makeAuthority('Another'), makeAuthority('A third')];

describe('SSL_CERT_FILE and SSL_CERT_DIR', () => {
  const subjects = (env: NodeJS.ProcessEnv) => new Set(systemRoots(env)?.map((pem) => pem.replace(/\s/g, '')));
  const has = (env: NodeJS.ProcessEnv, ...wanted: { cert: string }[]) =>
    expect(subjects(env)).toEqual(new Set(wanted.map(({ cert }) => cert.replace(/\s/g, ''))));

  test('name a file and folders, with colons between them, in place of those of the system', () => {
    const [one, two] = [temporaryFolder(), temporaryFolder()];
    writeFileSync(join(one, 'bundle.crt'), `words\n${authority.cert}\n${other.cert}more words`);
    writeFileSync(join(two, 'plain.pem'), third.cert);
    const [file, nowhere] = [join(one, 'bundle.crt'), join(one, 'nowhere')];
    has({ SSL_CERT_FILE: file, SSL_CERT_DIR: nowhere }, authority, other);
    has({ SSL_CERT_FILE: nowhere, SSL_CERT_DIR: two }, third);
    has({ SSL_CERT_FILE: nowhere, SSL_CERT_DIR: `${two}:${one}:` }, third, authority, other);
    has({ SSL_CERT_FILE: file, SSL_CERT_DIR: `${one}:${two}` }, authority, other, third);
    has({ SSL_CERT_FILE: nowhere, SSL_CERT_DIR: nowhere });
  });

  test('what is no certificate is passed over, and spoils nothing', () => {
    const folder = temporaryFolder();
    const damaged = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    writeFileSync(join(folder, 'bad.pem'), `${damaged}${authority.cert}`);
    writeFileSync(join(folder, 'key.pem'), other.key);
    writeFileSync(join(folder, 'trusted.pem'), third.cert.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE'));
    mkdirSync(join(folder, 'folder.pem'));
    symlinkSync('bad.pem', join(folder, 'hash.0'));
    symlinkSync(join(folder, 'gone'), join(folder, 'lost.pem'));
    has({ SSL_CERT_FILE: '/nowhere', SSL_CERT_DIR: folder }, authority);
  });
});

/** A mount namespace in which `/etc` has nothing but what each case puts there. */
const ALONE = `set -e
cp /etc/hosts /etc/passwd /etc/group "$SCRATCH/"
mount -t tmpfs tmpfs /etc
cp "$SCRATCH/hosts" "$SCRATCH/passwd" "$SCRATCH/group" /etc/
[ -z "$PLACE" ] || { mkdir -p "$(dirname "$PLACE")"; cp "$CERTIFICATE" "$PLACE"; }
exec "$@"`;

describe('authorities of the system are found where docker finds them', async () => {
  const dockers = (await trustingClis()).map(({ path }) => [path]);
  const scratch = temporaryFolder();
  const certificate = join(scratch, 'ca.crt');
  writeFileSync(certificate, authority.cert);
  const elsewhere = join(scratch, 'folder of my own');
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, 'plain.pem'), authority.cert);

  test.each([
    ['Debian', '/etc/ssl/certs/ca-certificates.crt', {}, true],
    ['Fedora and RHEL', '/etc/pki/tls/certs/ca-bundle.crt', {}, true],
    ['SUSE', '/etc/ssl/ca-bundle.pem', {}, true],
    ['OpenELEC', '/etc/pki/tls/cacert.pem', {}, true],
    ['RHEL 7', '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem', {}, true],
    ['Alpine', '/etc/ssl/cert.pem', {}, true],
    ['a folder of Debian', '/etc/ssl/certs/own.pem', {}, true],
    ['a folder of RHEL', '/etc/pki/tls/certs/own.pem', {}, true],
    ['SSL_CERT_FILE', '', { SSL_CERT_FILE: certificate }, true],
    ['SSL_CERT_DIR', '', { SSL_CERT_DIR: `/nowhere:${elsewhere}` }, true],
    ['nowhere', '', {}, false],
    ['a place that nobody looks at', '/etc/ssl/own.pem', {}, false],
    ['NODE_EXTRA_CA_CERTS, which is none of docker’s', '', { NODE_EXTRA_CA_CERTS: certificate }, false],
    ['SSL_CERT_FILE names another', '/etc/ssl/cert.pem', { SSL_CERT_FILE: '/nowhere' }, false],
  ] as const)('%s', async (_, place, env, isFound) => {
    for (const command of [[process.execPath, MAIN], ...dockers]) {
      const server = serve(() => new Response('', { status: 404 }), authority.issue(['localhost']));
      const home = temporaryFolder();
      const outcome = await run(
        ['unshare', '-m', 'sh', '-c', ALONE, 'sh', ...command, 'trust', 'inspect', '--pretty', 'registry.example/a/b'],
        {
          env: {
            ...{ PATH: process.env.PATH ?? '', HOME: home, DOCKER_CONFIG: home, SIGNET_DEBUG: '1' },
            ...{ SCRATCH: home, PLACE: place, CERTIFICATE: certificate, ...env },
            DOCKER_CONTENT_TRUST_SERVER: server.origin,
          },
        },
      );
      expect(outcome.exitCode).toBe(1);
      const found = server.requests.length > 0;
      expect({ command, found, stderr: found ? '' : outcome.stderr }).toMatchObject({ command, found: isFound });
    }
  });
});
