import type { RqInspector } from '../observe/index.js';
import { CliError, EXIT } from './exit-codes.js';

/** @throws CliError when nobody has ever used a queue of this name: a wrong name would look like an empty queue */
export async function assertKnownQueue(inspector: RqInspector, name: string): Promise<void> {
  const names = await inspector.names();
  if (names.includes(name)) return;
  const known =
    names.length === 0 ? 'there are none' : `there are ${names.slice(0, 20).join(', ')}`;
  throw new CliError(`There is no queue "${name}"; ${known}.`, EXIT.notFound);
}
