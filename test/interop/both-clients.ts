import { afterAll, beforeAll, describe } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../support/clis.ts';
import { type Login, Person, succeeds, type TrustService } from '../support/notary-client.ts';
import { startNotaryServer } from '../support/notary-server.ts';
import { type Published, published } from '../support/published.ts';
import type { Outcome } from '../support/run.ts';
import { startSignet } from '../support/signet-server.ts';

/** How long one test may take, in milliseconds. */
export const LIMIT = 60_000;

const ALICE = { name: 'alice', password: 'what alice has chosen' };

/** Which folder the two share: docker's trust folder, or that of a notary client with its own configuration. */
type Place = 'docker’s folder' | 'notary’s folder';
const PLACES: readonly Place[] = ['docker’s folder', 'notary’s folder'];

/** A trust server, and who has to log in to it. */
interface Server {
  readonly service: TrustService & { stop(): Promise<void> };
  readonly login: Login | undefined;
}

const SERVERS: readonly (readonly [name: string, start: () => Promise<Server>])[] = [
  [
    'signet serve',
    async () => {
      const service = await startSignet();
      await service.addUser(ALICE.name, ALICE.password);
      return { service, login: ALICE };
    },
  ],
  ['notary-server', async () => ({ service: await startNotaryServer(), login: undefined })],
];

/** Defines tests for each trust server and each kind of folder; `open` gives somebody with a repository of that name. */
export function everywhere(define: (open: (repository: string) => Promise<BothClients>) => void): void {
  const combinations = SERVERS.flatMap(([name, start]) => PLACES.map((place) => [name, place, start] as const));
  describe.each(combinations)('with %s, in %s', (_, place, start) => {
    let server: Server;
    beforeAll(async () => {
      server = await start();
    }, LIMIT);
    afterAll(() => server?.service.stop(), LIMIT);
    define(async (repository) => {
      const clients = new BothClients(server.service, place, server.login, repository);
      if (server.login !== undefined) await clients.person.loggedIn();
      return clients;
    });
  });
}

/** Somebody who works with notary and with `signet trust` in one folder, on one repository. */
export class BothClients {
  readonly person: Person;
  readonly service: TrustService;
  readonly gun: string;
  /** The folder of keys and trusted metadata. */
  readonly folder: string;
  private readonly place: Place;
  private readonly login: Login | undefined;

  constructor(service: TrustService, place: Place, login: Login | undefined, repository: string) {
    this.service = service;
    this.place = place;
    this.login = login;
    this.person = new Person(service, login === undefined ? {} : { login });
    this.gun = `${service.host}/alice/${repository}`;
    const own = join(this.person.home, '.notary');
    this.folder = place === 'docker’s folder' ? this.person.trust : own;
    mkdirSync(own, { mode: 0o700 });
    const configuration = { remote_server: { url: service.origin, root_ca: service.authority } };
    writeFileSync(join(own, 'config.json'), JSON.stringify(configuration));
  }

  /** Runs notary, which finds the folder by its flags or, in its own one, by its configuration. */
  notary = (...words: readonly string[]): Promise<Outcome> => {
    if (this.place === 'docker’s folder') return this.person.notary(...words);
    return this.person.run([findProgram('notary'), ...words]);
  };

  /** Runs a command of `signet trust`, such as `delegation add`, with the words that follow it. */
  signet = (command: string, ...words: readonly string[]): Promise<Outcome> => {
    const place = this.place === 'docker’s folder' ? [] : ['--trust-dir', '~/.notary'];
    return this.person.signet('trust', ...command.split(' '), ...place, ...words);
  };

  /** What the server has; undefined where it has nothing. */
  onServer = (): Promise<Published | undefined> => published(this.service, this.gun, this.login);

  /** What both say they have staged: action, role, type and name of each change. Throws where they disagree. */
  staged = async (): Promise<readonly (readonly string[])[]> => {
    const byNotary = rowsOf(await succeeds(this.notary('status', this.gun)), /^-[ -]+$/);
    const bySignet = rowsOf((await this.signet('status', this.gun)).stdout, /^# +ACTION/);
    if (JSON.stringify(byNotary) === JSON.stringify(bySignet)) return byNotary;
    throw new Error(`notary: ${JSON.stringify(byNotary)}\nsignet: ${JSON.stringify(bySignet)}`);
  };

  /** Writes a file into the home folder, in which both run; returns its name. */
  file = (name: string, content: string): string => {
    writeFileSync(join(this.person.home, name), content);
    return name;
  };

  /** Makes a key and its certificate, `NAME.pem` and `NAME.crt` in the home folder. */
  certificate = async (name: string): Promise<void> => {
    const subject = ['-x509', '-days', '400', '-subj', `/CN=${name}`, '-keyout', `${name}.pem`, '-out', `${name}.crt`];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
    await succeeds(this.person.run(['openssl', 'req', '-nodes', '-batch', ...curve, ...subject]));
  };
}

/** The cells of a table's rows without their numbers, behind the line that ends its head. */
function rowsOf(text: string, head: RegExp): readonly (readonly string[])[] {
  const lines = text.trimEnd().split('\n');
  const start = lines.findIndex((line) => head.test(line));
  return start < 0 ? [] : lines.slice(start + 1).map((line) => line.trim().split(/ {2,}/).slice(1));
}
