/**
 * Which classes have methods with our decorators, and which of them an application of this process provides. It is known
 * for one purpose: to warn of a class that was forgotten in `providers`. Nothing else may depend on it, since it is
 * shared by all applications of a process.
 */

/** A class has a decorated method. */
export function rememberDecorated(prototype: object): void {
  if (known.has(prototype)) return;
  known.add(prototype);
  decorated.add(new WeakRef(prototype));
}

/** An application provides a class, or something else in its place. */
export function rememberProvided(prototype: object): void {
  provided.add(prototype);
}

/** The prototypes of the classes that no application has provided so far. */
export function unprovidedClasses(): object[] {
  const found: object[] = [];
  for (const reference of decorated) {
    const prototype = reference.deref();
    if (!prototype) decorated.delete(reference);
    else if (!provided.has(prototype)) found.push(prototype);
  }
  return found;
}

const known = new WeakSet<object>();
const provided = new WeakSet<object>();
const decorated = new Set<WeakRef<object>>();
