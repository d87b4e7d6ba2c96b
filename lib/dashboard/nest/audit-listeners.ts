import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { NewAuditEntry } from '../../index.js';
import { MARK } from './on-audit.decorator.js';

/** The methods with `@OnAudit()` of all providers. */
export class AuditListeners {
  #listeners: (() => ((entry: NewAuditEntry) => unknown) | undefined)[] | undefined;

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Tells all of them; none can keep an action from being carried out. */
  tell(entry: NewAuditEntry): void {
    this.#listeners ??= this.find();
    for (const listener of this.#listeners) {
      Promise.resolve()
        .then(() => listener()?.(entry))
        .catch(this.onError);
    }
  }

  private find() {
    const scanner = new MetadataScanner();
    return this.discovery.getProviders().flatMap((wrapper) => {
      const prototype = wrapper.metatype?.prototype as object | undefined;
      if (!prototype || !wrapper.isDependencyTreeStatic()) return [];
      return scanner
        .getAllMethodNames(prototype)
        .filter((name) => this.discovery.getMetadataByDecorator(MARK, wrapper, name) === true)
        .map((name) => () => {
          const instance = wrapper.instance as
            Record<string, (entry: NewAuditEntry) => unknown> | undefined;
          return instance && ((entry: NewAuditEntry) => instance[name]?.(entry));
        });
    });
  }
}
