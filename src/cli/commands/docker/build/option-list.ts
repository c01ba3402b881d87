import { SignetError } from '../../../../core/errors/index.ts';
import { printable } from '../../../../core/printable.ts';
import type { DockerOption } from '../../../../engine/cli/help.ts';
import type { DockerTask } from '../task.ts';

type Kind = DockerTask['cli']['kind'];

/** Options that cannot add anything to an image besides what the Dockerfile names. */
const HARMLESS: Readonly<Record<Kind, ReadonlySet<string>>> = {
  docker: setOf(`
    add-host allow annotation builder call cgroup-parent check compress cpu-period cpu-quota cpu-shares cpuset-cpus
    cpuset-mems debug disable-content-trust file force-rm help iidfile isolation label load memory memory-swap
    metadata-file network no-cache no-cache-filter platform print progress pull push quiet resource rm secret security-opt
    shm-size squash ssh target ulimit`),
  podman: setOf(`
    add-host all-platforms annotation arch authfile cache-ttl cap-add cap-drop cert-dir cgroup-parent cgroupns compress
    cpu-period cpu-quota cpu-shares cpuset-cpus cpuset-mems creds decryption-key device disable-compression
    disable-content-trust dns dns-option dns-search env file force-rm format group-add help hooks-dir http-proxy
    identity-label ignorefile iidfile ipc isolation jobs label layer-label layers logfile logsplit memory memory-swap
    network no-cache no-hostname no-hosts omit-history os os-feature os-version pid platform pull quiet retry retry-delay
    rm runtime-flag secret security-opt shm-size sign-by skip-unused-stages squash squash-all ssh stdin target timestamp
    tls-verify ulimit unsetenv unsetlabel userns userns-gid-map userns-gid-map-group userns-uid-map userns-uid-map-user
    uts variant volume`),
};

/** Options whose values name images, and are checked. */
const NAMES_IMAGES: Readonly<Record<Kind, ReadonlySet<string>>> = {
  docker: setOf('attest build-arg build-context cache-from cache-to output provenance sbom tag'),
  podman: setOf('build-arg build-context cache-to manifest output tag'),
};

/** Options that add what Signet cannot see, with the reason. */
const REFUSED: Readonly<Record<Kind, ReadonlyMap<string, string>>> = {
  docker: new Map([['policy', 'may have images replaced after they are checked']]),
  podman: new Map([
    ['from', 'puts another image into the Dockerfile'],
    ['build-arg-file', 'gives variables that decide which images are meant'],
    ['cache-from', 'brings in layers that are signed by no one'],
    ['cpp-flag', 'changes the Dockerfile while it is read'],
    ...['sbom', 'sbom-scanner-command', 'sbom-scanner-image'].map(
      (name) => [name, 'runs a scanner that no one checks'] as const,
    ),
  ]),
};

const WITHOUT_TRUST = 'Leave it out, or run this one build without trust: --disable-content-trust';

/** How trust treats an option of a build; undefined for an unknown option. */
export function classOf(kind: Kind, name: string): 'harmless' | 'names images' | 'refused' | undefined {
  if (HARMLESS[kind].has(name)) return 'harmless';
  if (NAMES_IMAGES[kind].has(name)) return 'names images';
  return REFUSED[kind].has(name) ? 'refused' : undefined;
}

/** Throws `build-option-unsafe` if one of the options is refused or not listed. */
export function refuseOptions({ args, cli }: Pick<DockerTask, 'args' | 'cli'>): void {
  for (const token of args.tokens) {
    if (token.kind === 'flag') refuseOption(cli.kind, token.flag);
  }
}

function refuseOption(kind: Kind, { long, short }: DockerOption): void {
  const name = long ?? short ?? '';
  const found = classOf(kind, name);
  if (found === 'harmless' || found === 'names images' || (long === undefined && short === 'h')) return;
  const reason = REFUSED[kind].get(name) ?? 'is not known to Signet, which cannot tell what it brings in';
  const option = printable(`${long === undefined ? '-' : '--'}${name}`);
  throw new SignetError('build-option-unsafe', `${kind} build ${option} ${reason}`, { next: WITHOUT_TRUST });
}

function setOf(names: string): ReadonlySet<string> {
  return new Set(names.trim().split(/\s+/));
}
