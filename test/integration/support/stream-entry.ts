/** A flat list of names and values, as Redis answers an entry of a stream, as an object. */
export function fieldsOf(list: readonly string[]): Record<string, string> {
  const pairs = list.flatMap((name, at) => (at % 2 === 0 ? [[name, list[at + 1] ?? '']] : []));
  return Object.fromEntries(pairs) as Record<string, string>;
}
