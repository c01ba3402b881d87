import { expect, test } from 'bun:test';
import { makeAuthority } from '../remote/certificates.ts';
import { startScriptedHttps } from './scripted-https.ts';

test('no one else can stand on its port, on whichever address clients look for localhost', async () => {
  const authority = makeAuthority('The authority of a script');
  const { host } = await startScriptedHttps(authority.issue(['localhost']), () => new Response('own'));
  const port = Number(host.split(':')[1]);
  for (const hostname of ['127.0.0.1', '::1', '::', '0.0.0.0']) {
    const intrude = () => Bun.serve({ hostname, port, reusePort: false, fetch: () => new Response('other') });
    expect(intrude).toThrow();
  }
  const answer = await fetch(`https://${host}/`, { tls: { ca: authority.cert } });
  expect(await answer.text()).toBe('own');
});
