import { SignetError } from '../../../../core/errors/index.ts';
import { quoted } from '../../../../core/printable.ts';
import type { Session } from '../../../session.ts';
import { permit, permitId } from '../permission.ts';

const MAX_SHOWN = 200;

/**
 * Checks that the image of a container may be used. Throws what `permit` throws; docker itself reports a container that
 * does not exist.
 */
export async function permitContainer(session: Session, container: string): Promise<void> {
  const found = await (await session.engine()).inspectContainer(container);
  if (found !== undefined) await permitId(session, found.image);
}

/**
 * Checks that the image of a service may be used, by its current and previous specification; `service` may be followed
 * by a number of tasks. The image must have a digest: each node resolves a tag by itself.
 */
export async function permitService(
  session: Session,
  service: string,
  specification: 'current' | 'previous',
): Promise<void> {
  const [name = ''] = service.split('=');
  const image = (await (await session.engine()).inspectService(name))?.[specification];
  if (image === undefined) return;
  const reference = session.resolve(image);
  if (reference.digest === undefined) {
    throw new SignetError(
      'digest-unsigned',
      `the service ${quoted(name, MAX_SHOWN)} names its image without a digest`,
      {
        next: `Give it one that is signed: signet service update --image IMAGE ${quoted(name, MAX_SHOWN)}`,
      },
    );
  }
  await permit(session, reference);
}
