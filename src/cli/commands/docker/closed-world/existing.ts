import { SignetError } from '../../../../core/errors/index.ts';
import { quoted } from '../../../../core/printable.ts';
import type { Session } from '../../../session.ts';
import { permit, permitId } from '../permission.ts';

const MAX_SHOWN = 200;

/** Asks whether the image of a container may be used. Throws as `permit`; what does not exist is docker's to complain about. */
export async function permitContainer(session: Session, container: string): Promise<void> {
  const found = await (await session.engine()).inspectContainer(container);
  if (found !== undefined) await permitId(session, found.image);
}

/**
 * Asks whether the image of a service may be used, by the specification that it has or had before; `service` may have a
 * number of tasks behind it. The image has to have a digest: each node resolves a tag by itself.
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
