import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Loading } from './parts.js';

/** Something that comes in a file of its own, since it is looked at rarely. */
export function Later<Props extends object>({
  load,
  props,
}: {
  readonly load: () => Promise<ComponentType<Props>>;
  readonly props: Props;
}) {
  const [Part, setPart] = useState<ComponentType<Props> | undefined>();
  useEffect(() => void load().then((part) => setPart(() => part)), []);
  return Part ? <Part {...props} /> : <Loading />;
}
