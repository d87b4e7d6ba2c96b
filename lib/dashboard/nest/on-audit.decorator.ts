import { DiscoveryService } from '@nestjs/core';

/**
 * Has a method of a provider called with each action in the dashboard, refused ones included, before it is carried out
 * and when it has ended: to forward it to wherever audits are kept. What it throws is logged.
 *
 * ```ts
 * @OnAudit()
 * forward(entry: NewAuditEntry) { this.log.info(entry); }
 * ```
 */
export const OnAudit: () => MethodDecorator = () => MARK(true) as MethodDecorator;

/** @internal */
export const MARK = DiscoveryService.createDecorator<true>();
