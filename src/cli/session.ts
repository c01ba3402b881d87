import { type Login, wipe } from '../core/login.ts';
import type { Reference } from '../core/names/reference.ts';
import type { Instant } from '../core/time.ts';
import type { Engine } from '../engine/api/api.ts';
import type { RegistryAuth } from '../engine/api/auth.ts';
import { configFolder } from '../engine/api/endpoint.ts';
import type { DockerCli } from '../engine/cli/cli.ts';
import { ParsedArgs } from '../engine/cli/flags.ts';
import type { Manifest } from '../remote/registry/manifest.ts';
import type { CredentialStore } from '../store/credentials.ts';
import type { TrustClient } from '../trust/client.ts';
import { cachingEvidence, type Evidence } from '../trust/decide/evidence.ts';
import type { KeyRing } from '../trust/keys/key-ring.ts';
import { type OpenClient, openTrust } from '../trust/open.ts';
import type { Repository } from '../trust/publish/repository.ts';
import { type Configuration, resolveName } from '../trust/settings/configuration.ts';
import { readConfiguration } from '../trust/settings/configuration-file.ts';
import type { NotaryPlace, NotaryPlaceOptions } from '../trust/settings/notary-place.ts';
import { firstRootApproval, proposalApproval } from './approvals.ts';
import { SignersPassphrases } from './passphrases/passphrases.ts';
import { DockerPlace, NotaryFolder, type TrustPlace } from './place.ts';
import { heldWhileSending } from './terminal/interrupts.ts';
import { printErr } from './terminal/output.ts';
import { printToPerson } from './terminal/streams.ts';
import { ProcessTerminal, type Terminal } from './terminal/terminal.ts';
import { turnOnDebug } from './wording/debug.ts';

/** The context of one command. Its parts are opened on first use; `close` wipes and closes them. */
export interface Session extends Terminal {
  readonly configuration: Configuration;
  readonly keys: KeyRing;
  /** The user's logins, where docker stores them. */
  readonly credentials: CredentialStore;
  /** Docker's configuration folder. */
  readonly folder: string;
  /** The environment of the command. */
  readonly env: NodeJS.ProcessEnv;
  now(): Instant;
  /** Resolves a typed name, with the default registry if one is set. */
  resolve(name: string): Reference;
  /** The trust data that decisions about images are based on. Each collection is updated once per command. */
  readonly evidence: Evidence;
  /** The trust collection of an image, for reading or for signing. */
  repository(reference: Reference, purpose: 'pull' | 'push'): Promise<Repository>;
  /** Where collections are managed: docker's own trust folder, or a Notary client's. */
  place(options: Partial<NotaryPlaceOptions>): Promise<TrustPlace>;
  /** The manifest or index of a reference in its registry. */
  manifest(reference: Reference): Promise<Manifest>;
  /** The user logged in to the reference's registry. Undefined if there is none. */
  username(reference: Reference): Promise<string | undefined>;
  /**
   * Tries a login with its registry. Returns the identity token to store in place of the password, if the registry
   * gives one.
   */
  checkLogin(registry: string, login: Login): Promise<Buffer | undefined>;
  engine(): Promise<Engine>;
  /** The credentials that the engine needs for the reference's registry, for the caller to wipe. */
  engineAuth(reference: Reference): Promise<RegistryAuth | undefined>;
  /** Await this also before docker replaces this process: exit handlers do not run then. */
  close(): Promise<void>;
}

interface SessionOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Docker's options before the command, if any. */
  readonly globals: ParsedArgs | undefined;
  /** The docker command, if it was already found. */
  readonly cli: DockerCli | undefined;
}

const NO_GLOBALS = new ParsedArgs({ flags: [], interspersed: false, needsArgument: false }, []);

/** Opens a session on the terminal, the environment and docker's configuration folder. Throws `configuration-invalid`. */
export async function openSession(options: SessionOptions): Promise<Session> {
  if (options.globals?.isOn('debug') === true) turnOnDebug();
  const folder = configFolder(options.globals ?? NO_GLOBALS, options.env);
  const { env } = options;
  const passphrases = new SignersPassphrases({
    env,
    places: async () => (await readConfiguration(folder, env)).passphrases,
    person: {
      print: printToPerson,
      askHidden: async (prompt) => (await import('./terminal/prompt.ts')).askHidden(prompt),
    },
  });
  const warn = (message: string) => printErr(`${message}\n`);
  const approveFirstRoot = firstRootApproval();
  const approveProposal = proposalApproval();
  const whileSending = heldWhileSending(warn);
  const open = (place?: NotaryPlace) =>
    openTrust({
      folder,
      env,
      passphrases,
      approveFirstRoot,
      approveProposal,
      whileSending,
      place,
      now: Date.now,
      warn,
    });
  return new OpenSession(options, folder, await open(), open);
}

class OpenSession extends ProcessTerminal implements Session {
  readonly configuration: Configuration;
  readonly keys: KeyRing;
  readonly credentials: CredentialStore;
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly evidence: Evidence;
  private readonly client: TrustClient;
  private readonly options: SessionOptions;
  private opened: Promise<Engine> | undefined;

  private readonly opener: (place: NotaryPlace) => Promise<OpenClient>;
  private readonly docker: OpenClient;
  private readonly others: OpenClient[] = [];

  constructor(
    options: SessionOptions,
    folder: string,
    docker: OpenClient,
    opener: (place: NotaryPlace) => Promise<OpenClient>,
  ) {
    super();
    const { configuration, credentials, keys, client } = docker;
    this.options = options;
    this.docker = docker;
    this.opener = opener;
    this.folder = folder;
    this.env = options.env;
    this.configuration = configuration;
    this.credentials = credentials;
    this.keys = keys;
    this.client = client;
    this.evidence = cachingEvidence(client.evidence());
  }

  now(): Instant {
    return Date.now();
  }

  resolve(name: string): Reference {
    return resolveName(name, this.configuration);
  }

  async repository(reference: Reference, purpose: 'pull' | 'push'): Promise<Repository> {
    return this.client.repository(reference, purpose === 'pull' ? ['pull'] : ['pull', 'push']);
  }

  async place(options: Partial<NotaryPlaceOptions>): Promise<TrustPlace> {
    const { trustDir, ...others } = options;
    if (trustDir === undefined) return new DockerPlace(this.docker);
    const { readNotaryPlace } = await import('../trust/settings/notary-place.ts');
    const place = await readNotaryPlace({ trustDir, ...others }, this.env);
    const opened = await this.opener(place);
    this.others.push(opened);
    return new NotaryFolder(opened, place);
  }

  manifest(reference: Reference): Promise<Manifest> {
    return this.client.manifest(reference);
  }

  async username(reference: Reference): Promise<string | undefined> {
    const login = await this.credentials.find(reference.registry);
    if (login !== undefined) wipe(login);
    return login?.username === '' ? undefined : login?.username;
  }

  checkLogin(registry: string, login: Login): Promise<Buffer | undefined> {
    return this.client.checkLogin(registry, login);
  }

  engine(): Promise<Engine> {
    this.opened ??= this.openEngine();
    return this.opened;
  }

  async engineAuth(reference: Reference): Promise<RegistryAuth | undefined> {
    const login = await this.credentials.find(reference.registry);
    return login === undefined ? undefined : { ...login, serverAddress: reference.registry };
  }

  async close(): Promise<void> {
    for (const { keys } of [this.docker, ...this.others]) keys.close();
    const engine = await this.opened?.catch(() => undefined);
    engine?.close();
    this.opened = undefined;
  }

  private async openEngine(): Promise<Engine> {
    const { env, globals = NO_GLOBALS } = this.options;
    const [{ findDocker }, { connectEngine }] = await Promise.all([
      import('../engine/cli/cli.ts'),
      import('../engine/api/api.ts'),
    ]);
    return connectEngine(this.options.cli ?? (await findDocker(env)), globals, env);
  }
}
