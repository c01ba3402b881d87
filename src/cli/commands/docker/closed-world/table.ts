/** What Signet does with a docker command while trust is on. */
type CommandKind =
  /** Resolves its images to signed digests first. */
  | 'enforced'
  /** Passes it to docker: it cannot start, fetch or build anything. */
  | 'harmless'
  /** Passes it to docker: it only starts what exists already. */
  | 'existing'
  /** Refuses it. */
  | 'refused';

/** A property of the command line that makes Signet refuse an otherwise harmless command. */
export type Condition = 'builder stopped' | 'driver is image' | 'no remote driver' | 'source is a URL';

/** What is known of one command. */
export interface CommandEntry {
  readonly kind: CommandKind;
  /** Options that do not change its kind: `a,all f,filter= format=`; an `=` stands for a value. */
  readonly flags?: string;
  /** Its other names. `builder …` is another name of every `buildx …`. */
  readonly aliases?: readonly string[];
  /** Whether options may follow the first argument; true by default. */
  readonly interspersed?: boolean;
  readonly unless?: Condition;
  /** What its arguments name, if their images can be looked up. */
  readonly starts?: 'containers' | 'services';
  /** Why it is refused. */
  readonly why?: string;
}

const BUILDS = 'it builds on images that Signet does not see';
const FETCHES = 'it pulls images that Signet does not see';
const PIPES = 'what goes through it reaches the engine or the builder unseen';
const PUBLISHES = 'it publishes images without signing them';
const STARTS = 'it starts images that Signet does not see';
const STARTS_BUILDER = 'it may start a builder, from an image that no one signed';
const TRANSFORMS = 'it runs images that transform the Compose file';

type More = Partial<Pick<CommandEntry, 'interspersed' | 'unless'>>;

const enforced = (flags: string | undefined, aliases: readonly string[] = [], more: More = {}): CommandEntry => ({
  kind: 'enforced',
  ...(flags === undefined ? {} : { flags }),
  aliases,
  ...more,
});
const harmless = (flags: string, aliases: readonly string[] = [], more: More = {}): CommandEntry => ({
  kind: 'harmless',
  flags,
  aliases,
  ...more,
});
const existing = (
  flags: string,
  aliases: readonly string[] = [],
  more: Pick<CommandEntry, 'starts'> = {},
): CommandEntry => ({ kind: 'existing', flags, aliases, ...more });
const refused = (why: string, aliases: readonly string[] = []): CommandEntry => ({ kind: 'refused', aliases, why });

/**
 * Every command of docker 20.10 to 29 with the plugins buildx and compose, and what Signet does with it while trust is
 * on. What is not in the table is refused: a future docker command, a plugin, an option.
 */
export const DOCKER_COMMANDS: Readonly<Record<string, CommandEntry>> = {
  '': harmless('config= c,context= D,debug H,host= l,log-level= tls tlscacert= tlscert= tlskey= tlsverify v,version'),
  attach: harmless('detach-keys= no-stdin sig-proxy', ['container attach']),
  build: enforced(undefined, ['image build', 'buildx build', 'buildx b']),
  buildx: harmless('builder= D,debug'),
  'buildx bake': refused(BUILDS, ['bake', 'buildx f']),
  'buildx create': harmless(
    'append buildkitd-config= buildkitd-flags= config= D,debug driver-opt= driver= leave name= node= platform= timeout= use',
    [],
    { unless: 'no remote driver' },
  ),
  'buildx dap': refused(BUILDS),
  'buildx dap attach': refused(BUILDS),
  'buildx dap build': refused(BUILDS, ['buildx dap b']),
  'buildx debug': refused(BUILDS),
  'buildx debug build': refused(BUILDS, ['buildx debug b']),
  'buildx dial-stdio': refused(PIPES),
  'buildx du': harmless('builder= D,debug filter= format= timeout= verbose'),
  'buildx history': harmless('builder= D,debug'),
  'buildx history export': harmless('all builder= D,debug finalize o,output=', [], { unless: 'builder stopped' }),
  'buildx history import': harmless('builder= D,debug f,file=', [], { unless: 'builder stopped' }),
  'buildx history inspect': harmless('builder= D,debug format=', [], { unless: 'builder stopped' }),
  'buildx history inspect attachment': harmless('builder= D,debug platform= type=', [], { unless: 'builder stopped' }),
  'buildx history logs': harmless('builder= D,debug progress=', [], { unless: 'builder stopped' }),
  'buildx history ls': harmless('builder= D,debug filter= format= local no-trunc', [], { unless: 'builder stopped' }),
  'buildx history open': harmless('builder= D,debug', [], { unless: 'builder stopped' }),
  'buildx history rm': harmless('all builder= D,debug', [], { unless: 'builder stopped' }),
  'buildx history trace': harmless('addr= builder= compare= D,debug', [], { unless: 'builder stopped' }),
  'buildx imagetools': harmless('builder= D,debug'),
  'buildx imagetools create': harmless(
    'annotation= append builder= D,debug dry-run f,file= metadata-file= p,platform= prefer-index progress= t,tag=',
  ),
  'buildx imagetools inspect': harmless('builder= D,debug format= raw'),
  'buildx inspect': harmless('builder= D,debug timeout='),
  'buildx install': harmless('D,debug'),
  'buildx ls': harmless('D,debug format= no-trunc timeout='),
  'buildx policy': harmless('builder= D,debug'),
  'buildx policy eval': refused(STARTS_BUILDER),
  'buildx policy test': refused(STARTS_BUILDER),
  'buildx prune': harmless(
    'a,all builder= D,debug filter= f,force keep-storage= max-used-space= min-free-space= reserved-space= timeout= verbose',
  ),
  'buildx rm': harmless('all-inactive builder= D,debug f,force keep-daemon keep-state timeout='),
  'buildx stop': harmless('builder= D,debug'),
  'buildx uninstall': harmless('D,debug'),
  'buildx use': harmless('builder= D,debug default global'),
  'buildx version': harmless('D,debug'),
  checkpoint: harmless(''),
  'checkpoint create': harmless('checkpoint-dir= leave-running'),
  'checkpoint ls': harmless('checkpoint-dir=', ['checkpoint list']),
  'checkpoint rm': harmless('checkpoint-dir=', ['checkpoint remove']),
  commit: harmless('a,author= c,change= m,message= no-pause p,pause', ['container commit']),
  completion: harmless(''),
  'completion bash': harmless('no-descriptions'),
  'completion fish': harmless('no-descriptions'),
  'completion powershell': harmless('no-descriptions'),
  'completion zsh': harmless('no-descriptions'),
  compose: harmless(
    'all-resources ansi= compatibility dry-run env-file= f,file= insecure-registry= no-ansi parallel= profile= progress= project-directory= p,project-name= verbose v,version workdir=',
  ),
  'compose alpha': harmless('dry-run'),
  'compose alpha generate': harmless('dry-run format= name= project-dir='),
  'compose alpha publish': refused(PUBLISHES),
  'compose alpha viz': harmless('dry-run image indentation-size= networks ports spaces'),
  'compose attach': harmless('detach-keys= dry-run index= no-stdin sig-proxy'),
  'compose bridge': harmless('dry-run'),
  'compose bridge convert': refused(TRANSFORMS),
  'compose bridge transformations': harmless('dry-run'),
  'compose bridge transformations create': refused(TRANSFORMS),
  'compose bridge transformations list': harmless('dry-run format= q,quiet', ['compose bridge transformations ls']),
  'compose build': refused(BUILDS),
  'compose commit': harmless('a,author= c,change= dry-run index= m,message= p,pause'),
  'compose config': harmless(
    'dry-run environment format= hash= images lock-image-digests models networks no-consistency no-env-resolution no-interpolate no-normalize no-path-resolution o,output= profiles q,quiet resolve-image-digests services variables volumes',
  ),
  'compose cp': harmless('all a,archive dry-run L,follow-link index='),
  'compose create': refused(STARTS),
  'compose down': harmless('dry-run remove-orphans rmi= t,timeout= v,volumes'),
  'compose events': harmless('dry-run json since= until='),
  'compose exec': harmless(
    'd,detach dry-run e,env= index= i,interactive T,no-tty privileged t,tty u,user= w,workdir=',
    [],
    { interspersed: false },
  ),
  'compose export': harmless('dry-run index= o,output='),
  'compose images': harmless('dry-run format= q,quiet'),
  'compose kill': harmless('dry-run remove-orphans s,signal='),
  'compose logs': harmless('dry-run f,follow index= no-color no-log-prefix since= n,tail= t,timestamps until='),
  'compose ls': harmless('a,all dry-run filter= format= q,quiet'),
  'compose pause': harmless('dry-run'),
  'compose port': harmless('dry-run index= protocol='),
  'compose ps': harmless('a,all dry-run filter= format= no-trunc orphans q,quiet services status='),
  'compose publish': refused(PUBLISHES),
  'compose pull': refused(FETCHES),
  'compose push': harmless('dry-run ignore-push-failures include-deps q,quiet'),
  'compose restart': existing('dry-run no-deps t,timeout='),
  'compose rm': harmless('a,all dry-run f,force s,stop v,volumes'),
  'compose run': refused(STARTS),
  'compose scale': refused(STARTS),
  'compose start': existing('dry-run wait wait-timeout='),
  'compose stats': harmless('a,all dry-run format= no-stream no-trunc'),
  'compose stop': harmless('dry-run t,timeout='),
  'compose top': harmless('dry-run'),
  'compose unpause': harmless('dry-run'),
  'compose up': refused(STARTS),
  'compose version': harmless('dry-run f,format= short'),
  'compose volumes': harmless('dry-run format= q,quiet'),
  'compose wait': harmless('down-project dry-run'),
  'compose watch': refused(BUILDS),
  config: harmless(''),
  'config create': harmless('l,label= template-driver='),
  'config inspect': harmless('f,format= pretty'),
  'config ls': harmless('f,filter= format= q,quiet', ['config list']),
  'config rm': harmless('', ['config remove']),
  container: harmless(''),
  'container inspect': harmless('f,format= s,size'),
  'container prune': harmless('filter= f,force'),
  context: harmless(''),
  'context create': harmless('default-stack-orchestrator= description= docker= from= kubernetes='),
  'context export': harmless('kubeconfig'),
  'context import': harmless(''),
  'context inspect': harmless('f,format='),
  'context ls': harmless('format= q,quiet', ['context list']),
  'context rm': harmless('f,force', ['context remove']),
  'context show': harmless(''),
  'context update': harmless('default-stack-orchestrator= description= docker= kubernetes='),
  'context use': harmless(''),
  cp: harmless('a,archive L,follow-link q,quiet', ['container cp']),
  create: enforced(
    'add-host= annotation= a,attach= blkio-weight-device= blkio-weight= cap-add= cap-drop= cgroup-parent= cgroupns= cidfile= cpu-count= cpu-percent= cpu-period= cpu-quota= cpu-rt-period= cpu-rt-runtime= c,cpu-shares= cpus= cpuset-cpus= cpuset-mems= device-cgroup-rule= device-read-bps= device-read-iops= device-write-bps= device-write-iops= device= disable-content-trust dns-opt= dns-option= dns-search= dns= domainname= entrypoint= env-file= e,env= expose= gpus= group-add= health-cmd= health-interval= health-retries= health-start-interval= health-start-period= health-timeout= h,hostname= init i,interactive io-maxbandwidth= io-maxiops= ip6= ip= ipc= isolation= kernel-memory= label-file= l,label= link-local-ip= link= log-driver= log-opt= mac-address= memory-reservation= memory-swap= memory-swappiness= m,memory= mount= name= net-alias= net= network-alias= network= no-healthcheck oom-kill-disable oom-score-adj= pid= pids-limit= platform= privileged P,publish-all p,publish= pull= q,quiet read-only restart= rm runtime= security-opt= shm-size= stop-signal= stop-timeout= storage-opt= sysctl= tmpfs= t,tty ulimit= use-api-socket u,user= userns= uts= volume-driver= v,volume= volumes-from= w,workdir=',
    ['container create'],
  ),
  diff: harmless('', ['container diff']),
  events: harmless('f,filter= format= since= until=', ['system events']),
  exec: harmless(
    'd,detach detach-keys= env-file= e,env= i,interactive privileged t,tty u,user= w,workdir=',
    ['container exec'],
    { interspersed: false },
  ),
  export: harmless('o,output=', ['container export']),
  help: harmless('', [], { interspersed: false }),
  history: harmless('format= H,human no-trunc platform= q,quiet', ['image history']),
  image: harmless(''),
  'image inspect': harmless('f,format= platform='),
  'image prune': harmless('a,all filter= f,force'),
  images: harmless('a,all digests f,filter= format= no-trunc q,quiet tree', ['image list', 'image ls']),
  import: harmless('c,change= m,message= platform=', ['image import'], { unless: 'source is a URL' }),
  info: harmless('f,format=', ['system info']),
  inspect: harmless('f,format= s,size type='),
  kill: harmless('s,signal=', ['container kill']),
  load: harmless('i,input= platform= q,quiet', ['image load']),
  logs: harmless('details f,follow since= n,tail= t,timestamps until=', ['container logs']),
  manifest: harmless(''),
  'manifest annotate': harmless('arch= os-features= os-version= os= variant='),
  'manifest create': harmless('a,amend insecure'),
  'manifest inspect': harmless('insecure v,verbose'),
  'manifest push': harmless('insecure p,purge'),
  'manifest rm': harmless(''),
  network: harmless(''),
  'network connect': harmless('alias= driver-opt= gw-priority= ip6= ip= link-local-ip= link='),
  'network create': harmless(
    'attachable aux-address= config-from= config-only d,driver= gateway= ingress internal ip-range= ipam-driver= ipam-opt= ipv4 ipv6 label= o,opt= scope= subnet=',
  ),
  'network disconnect': harmless('f,force'),
  'network inspect': harmless('f,format= v,verbose'),
  'network ls': harmless('f,filter= format= no-trunc q,quiet', ['network list']),
  'network prune': harmless('filter= f,force'),
  'network rm': harmless('f,force', ['network remove']),
  node: harmless(''),
  'node demote': harmless(''),
  'node inspect': harmless('f,format= pretty'),
  'node ls': harmless('f,filter= format= q,quiet', ['node list']),
  'node promote': harmless(''),
  'node ps': harmless('f,filter= format= no-resolve no-trunc q,quiet'),
  'node rm': harmless('f,force', ['node remove']),
  'node update': harmless('availability= label-add= label-rm= role='),
  pause: harmless('', ['container pause']),
  plugin: harmless(''),
  'plugin create': refused('it makes a plugin that no one signed'),
  'plugin disable': harmless('f,force'),
  'plugin enable': existing('timeout='),
  'plugin inspect': harmless('f,format='),
  'plugin install': enforced('alias= disable disable-content-trust grant-all-permissions'),
  'plugin ls': harmless('f,filter= format= no-trunc q,quiet', ['plugin list']),
  'plugin push': enforced('disable-content-trust'),
  'plugin rm': harmless('f,force', ['plugin remove']),
  'plugin set': harmless(''),
  'plugin upgrade': enforced('disable-content-trust grant-all-permissions skip-remote-check'),
  port: harmless('', ['container port']),
  ps: harmless('a,all f,filter= format= n,last= l,latest no-trunc q,quiet s,size', [
    'container list',
    'container ls',
    'container ps',
  ]),
  pull: enforced('a,all-tags disable-content-trust platform= q,quiet', ['image pull']),
  push: enforced('a,all-tags disable-content-trust platform= q,quiet', ['image push']),
  rename: harmless('', ['container rename']),
  restart: existing('s,signal= t,time= t,timeout=', ['container restart'], { starts: 'containers' }),
  rm: harmless('f,force l,link v,volumes', ['container remove', 'container rm']),
  rmi: harmless('f,force no-prune platform=', ['image remove', 'image rm', 'image rmi']),
  run: enforced(
    'add-host= annotation= a,attach= blkio-weight-device= blkio-weight= cap-add= cap-drop= cgroup-parent= cgroupns= cidfile= cpu-count= cpu-percent= cpu-period= cpu-quota= cpu-rt-period= cpu-rt-runtime= c,cpu-shares= cpus= cpuset-cpus= cpuset-mems= d,detach detach-keys= device-cgroup-rule= device-read-bps= device-read-iops= device-write-bps= device-write-iops= device= disable-content-trust dns-opt= dns-option= dns-search= dns= domainname= entrypoint= env-file= e,env= expose= gpus= group-add= health-cmd= health-interval= health-retries= health-start-interval= health-start-period= health-timeout= h,hostname= init i,interactive io-maxbandwidth= io-maxiops= ip6= ip= ipc= isolation= kernel-memory= label-file= l,label= link-local-ip= link= log-driver= log-opt= mac-address= memory-reservation= memory-swap= memory-swappiness= m,memory= mount= name= net-alias= net= network-alias= network= no-healthcheck oom-kill-disable oom-score-adj= pid= pids-limit= platform= privileged P,publish-all p,publish= pull= q,quiet read-only restart= rm runtime= security-opt= shm-size= sig-proxy stop-signal= stop-timeout= storage-opt= sysctl= tmpfs= t,tty ulimit= use-api-socket u,user= userns= uts= volume-driver= v,volume= volumes-from= w,workdir=',
    ['container run'],
  ),
  save: harmless('o,output= platform=', ['image save']),
  search: harmless('f,filter= format= limit= no-trunc'),
  secret: harmless(''),
  'secret create': harmless('d,driver= l,label= template-driver='),
  'secret inspect': harmless('f,format= pretty'),
  'secret ls': harmless('f,filter= format= q,quiet', ['secret list']),
  'secret rm': harmless('', ['secret remove']),
  service: harmless(''),
  'service create': enforced(
    'cap-add= cap-drop= config= constraint= container-label= credential-spec= d,detach dns-option= dns-search= dns= endpoint-mode= entrypoint= env-file= e,env= generic-resource= group= health-cmd= health-interval= health-retries= health-start-interval= health-start-period= health-timeout= host= hostname= init isolation= l,label= limit-cpu= limit-memory= limit-pids= log-driver= log-opt= max-concurrent= memory-swap= memory-swappiness= mode= mount= name= network= no-healthcheck no-resolve-image oom-score-adj= placement-pref= p,publish= q,quiet read-only replicas-max-per-node= replicas= reserve-cpu= reserve-memory= restart-condition= restart-delay= restart-max-attempts= restart-window= rollback-delay= rollback-failure-action= rollback-max-failure-ratio= rollback-monitor= rollback-order= rollback-parallelism= secret= stop-grace-period= stop-signal= sysctl= t,tty ulimit= update-delay= update-failure-action= update-max-failure-ratio= update-monitor= update-order= update-parallelism= u,user= with-registry-auth w,workdir=',
  ),
  'service inspect': harmless('f,format= pretty'),
  'service logs': harmless('details f,follow no-resolve no-task-ids no-trunc raw since= n,tail= t,timestamps'),
  'service ls': harmless('f,filter= format= q,quiet', ['service list']),
  'service ps': harmless('f,filter= format= no-resolve no-trunc q,quiet'),
  'service rm': harmless('', ['service remove']),
  'service rollback': existing('d,detach q,quiet', [], { starts: 'services' }),
  'service scale': existing('d,detach', [], { starts: 'services' }),
  'service update': enforced(
    'args= cap-add= cap-drop= config-add= config-rm= constraint-add= constraint-rm= container-label-add= container-label-rm= credential-spec= d,detach dns-add= dns-option-add= dns-option-rm= dns-rm= dns-search-add= dns-search-rm= endpoint-mode= entrypoint= env-add= env-rm= force generic-resource-add= generic-resource-rm= group-add= group-rm= health-cmd= health-interval= health-retries= health-start-interval= health-start-period= health-timeout= host-add= host-rm= hostname= image= init isolation= label-add= label-rm= limit-cpu= limit-memory= limit-pids= log-driver= log-opt= max-concurrent= memory-swap= memory-swappiness= mount-add= mount-rm= network-add= network-rm= no-healthcheck no-resolve-image oom-score-adj= placement-pref-add= placement-pref-rm= publish-add= publish-rm= q,quiet read-only replicas-max-per-node= replicas= reserve-cpu= reserve-memory= restart-condition= restart-delay= restart-max-attempts= restart-window= rollback rollback-delay= rollback-failure-action= rollback-max-failure-ratio= rollback-monitor= rollback-order= rollback-parallelism= secret-add= secret-rm= stop-grace-period= stop-signal= sysctl-add= sysctl-rm= t,tty ulimit-add= ulimit-rm= update-delay= update-failure-action= update-max-failure-ratio= update-monitor= update-order= update-parallelism= u,user= with-registry-auth w,workdir=',
  ),
  stack: harmless('orchestrator='),
  'stack config': harmless('c,compose-file= skip-interpolation'),
  'stack deploy': refused(STARTS, ['stack up']),
  'stack ls': harmless('format= orchestrator=', ['stack list']),
  'stack ps': harmless('f,filter= format= no-resolve no-trunc orchestrator= q,quiet'),
  'stack rm': harmless('d,detach orchestrator=', ['stack down', 'stack remove']),
  'stack services': harmless('f,filter= format= orchestrator= q,quiet'),
  start: existing('a,attach checkpoint-dir= checkpoint= detach-keys= i,interactive', ['container start'], {
    starts: 'containers',
  }),
  stats: harmless('a,all format= no-stream no-trunc', ['container stats']),
  stop: harmless('s,signal= t,time= t,timeout=', ['container stop']),
  swarm: harmless(''),
  'swarm ca': harmless('ca-cert= ca-key= cert-expiry= d,detach external-ca= q,quiet rotate'),
  'swarm init': harmless(
    'advertise-addr= autolock availability= cert-expiry= data-path-addr= data-path-port= default-addr-pool-mask-length= default-addr-pool= dispatcher-heartbeat= external-ca= listen-addr= max-snapshots= snapshot-interval= task-history-limit=',
  ),
  'swarm join': refused('its managers may start any image here'),
  'swarm join-token': harmless('q,quiet rotate'),
  'swarm leave': harmless('f,force'),
  'swarm unlock': existing(''),
  'swarm unlock-key': harmless('q,quiet rotate'),
  'swarm update': harmless(
    'autolock cert-expiry= dispatcher-heartbeat= external-ca= max-snapshots= snapshot-interval= task-history-limit=',
  ),
  system: harmless(''),
  'system df': harmless('format= v,verbose'),
  'system dial-stdio': refused(PIPES),
  'system prune': harmless('a,all filter= f,force volumes'),
  tag: harmless('', ['image tag']),
  top: harmless('', ['container top'], { interspersed: false }),
  unpause: harmless('', ['container unpause']),
  update: harmless(
    'blkio-weight= cpu-period= cpu-quota= cpu-rt-period= cpu-rt-runtime= c,cpu-shares= cpus= cpuset-cpus= cpuset-mems= kernel-memory= memory-reservation= memory-swap= m,memory= pids-limit= restart=',
    ['container update'],
  ),
  version: harmless('f,format= kubeconfig='),
  volume: harmless(''),
  'volume create': harmless(
    'availability= d,driver= group= label= limit-bytes= o,opt= required-bytes= scope= secret= sharing= topology-preferred= topology-required= type=',
    [],
    { unless: 'driver is image' },
  ),
  'volume inspect': harmless('f,format='),
  'volume ls': harmless('cluster f,filter= format= q,quiet', ['volume list']),
  'volume prune': harmless('a,all filter= f,force'),
  'volume rm': harmless('f,force', ['volume remove']),
  'volume update': harmless('availability='),
  wait: harmless('', ['container wait']),
};

const PODMAN_RUN =
  'arch= authfile= cgroup-conf= cgroups= chrootdirs= conmon-pidfile= env-host env-merge= gidmap= health-on-failure= hostuser= http-proxy image-volume= no-hosts os= passwd passwd-entry= personality= pidfile= preserve-fds= read-only-tmpfs replace rmi sdnotify= seccomp-policy= secret= subgidname= subuidname= systemd= timeout= tls-verify tz= uidmap= umask= unsetenv-all unsetenv= variant=';

/** Additional commands of podman that are equivalent. */
export const PODMANS_FLAGS: Readonly<Record<string, string>> = { create: PODMAN_RUN, run: PODMAN_RUN };
