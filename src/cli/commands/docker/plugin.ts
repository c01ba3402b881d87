import { SignetError } from '../../../core/errors/index.ts';
import { familiarReference } from '../../../core/names/reference.ts';
import { permitTag } from './permission.ts';
import { type DockerTask, passToDocker } from './task.ts';
import { wrongCount } from './usage.ts';

/** `docker plugin install` and `plugin upgrade` (protocol D.7): installs the plugin by its signed digest. */
export async function installPlugin(task: DockerTask): Promise<number> {
  const { session, args, name } = task;
  const plugin = args.positionals[name === 'plugin upgrade' ? 1 : 0];
  if (!task.trust) {
    const isShort = plugin !== undefined && session.configuration.defaultRegistry !== undefined;
    return passToDocker(
      task,
      isShort ? args.withValue(plugin, familiarReference(session.resolve(plugin.value))) : args,
    );
  }
  if (plugin === undefined) {
    if (name === 'plugin install') throw await wrongCount(task, 'at least 1');
    throw new SignetError(
      'image-reference-unsupported',
      'docker plugin upgrade under content trust needs the new reference',
      {
        next: 'Name it: signet plugin upgrade PLUGIN REMOTE',
      },
    );
  }
  const { use } = await permitTag(session, session.resolve(plugin.value));
  return passToDocker(task, args.withValue(plugin, familiarReference(use)));
}

/** A plugin's push does not reliably report a digest to sign, so it is refused under trust. */
export async function refusePluginPush(task: DockerTask): Promise<number> {
  if (!task.trust) return passToDocker(task, task.args);
  throw new SignetError('image-reference-unsupported', 'signet does not sign plugins', {
    next: 'Push it without signing: signet plugin push --disable-content-trust PLUGIN',
  });
}
