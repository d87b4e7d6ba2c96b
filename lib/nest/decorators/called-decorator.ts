/**
 * Refuses a decorator that is written without its parentheses: `@Job` for `@Job('images')`. It would take what it
 * stands on for its options. TypeScript refuses that in most places; in JavaScript it would go wrong in silence.
 *
 * @param isBare what the decorator was given cannot be meant as its arguments
 * @param decorator its name: `Job`
 * @param example how to write it: `@Job('images')`
 * @throws TypeError
 */
export function assertCalled(isBare: boolean, decorator: string, example: string): void {
  if (isBare) throw new TypeError(`@${decorator} needs parentheses: write ${example}`);
}

/**
 * The decorators of Nest are those of TypeScript's older kind. A project that is set up for the newer kind calls them with
 * an object that describes the method where its name is expected.
 *
 * @throws TypeError
 */
export function assertOlderKind(key: unknown, decorator: string): void {
  if (typeof key !== 'object') return;
  const problem = 'it needs, as all decorators of Nest do, "experimentalDecorators": true';
  throw new TypeError(`@${decorator}: ${problem} in tsconfig.json`);
}

/** What a decorator of methods or parameters is given: the prototype or class, the name, and a third thing. */
export function isTarget(given: readonly unknown[], third: 'object' | 'number'): boolean {
  const [target, , last] = given;
  const isHolder = typeof target === 'function' || (typeof target === 'object' && target !== null);
  return given.length === 3 && isHolder && typeof last === third;
}
